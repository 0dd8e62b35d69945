"""Thousands of generated pictures through `capt evaluate --suite quick`: is memory flat, and is an interrupted run the same when resumed?

    python benchmarks/streaming.py [--n 10000] [--interrupt-at 0.4] [--warm 1000] [--together]

Runs the whole evaluation twice in processes of its own: once unbroken, once interrupted and resumed (with --together side by side).
Prints the memory of each (resident set, MB) when `warm` pictures were done and at its highest after that, pictures a second, and how
many rows differ. Linux only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A run that is broken off goes on from its folder, not from the store.
os.environ["CAPT_NO_CACHE"] = "1"

ROWS_A_PICTURE = 2
EVERY_S = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--interrupt-at", type=float, default=0.4)
    parser.add_argument("--warm", type=int, default=1000)
    parser.add_argument("--together", action="store_true")
    args = parser.parse_args()
    # A shell that starts this in the background has interrupts ignored, and the processes below would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="capt-streaming-") as spare:
        folder = Path(spare)
        per_class = -(-args.n // 14)
        capt("demo", "data", str(folder / "data"), "--task", "shapes", "--per-class", str(per_class), "--quiet")
        command = [
            "evaluate",
            str(folder / "data"),
            "--model",
            "demo",
            "--suite",
            "quick",
            "--limit",
            str(args.n),
            "--quiet",
        ]
        stop = int(args.n * args.interrupt_at)

        def unbroken() -> dict[str, float]:
            return followed([*command, "--out", str(folder / "whole")], folder / "whole", args.warm)

        def in_two_parts() -> tuple[dict[str, float], dict[tuple[str, str], dict[str, str]], dict[str, float]]:
            first = followed([*command, "--out", str(folder / "broken")], folder / "broken", args.warm, stop)
            done = rows(folder / "broken")
            return first, done, followed([*command, "--resume", str(folder / "broken")], folder / "broken", args.warm)

        with ThreadPoolExecutor(2 if args.together else 1) as pool:
            both = pool.submit(unbroken), pool.submit(in_two_parts)
            whole, (broken, done, resumed) = both[0].result(), both[1].result()
        for name, told in (("unbroken", whole), ("interrupted", broken), ("resumed", resumed)):
            print(
                f"{name}: exit {told['code']}, {told['seconds']:.0f} s, {told['warm']:.0f} MB, at most {told['most']:.0f} MB"
            )
        after = rows(folder / "broken")
        kept = sum(after.get(key) == row for key, row in done.items())
        print(f"rows of the interrupted run that were kept as they were: {kept} of {len(done)}")
        a, b = timeless(folder / "whole"), timeless(folder / "broken")
        differ = sum(a.get(key) != b.get(key) for key in a.keys() | b.keys())
        print(f"rows: {len(a)}; rows that differ from the unbroken run: {differ}")
        one, other = (json.loads((folder / name / "summary.json").read_text()) for name in ("whole", "broken"))
        for name in ("n", "clean_accuracy", "robust_accuracy", "figures", "attacks"):
            same = stripped(one[name]) == stripped(other[name])
            print(f"summary, {name}: {'equal' if same else f'{one[name]} and {other[name]}'}")
        growth = whole["most"] - whole["warm"]
        print(
            f"growth after the first {args.warm} pictures: {growth:.0f} MB; {args.n / whole['seconds']:.1f} pictures/s"
        )
        return 0 if differ == 0 and growth < 200 else 1


def capt(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "capt_engine", *arguments], check=True, stdout=subprocess.DEVNULL)


def followed(arguments: list[str], out: Path, warm: int, stop_at: int | None = None) -> dict[str, float]:
    """Run it, look at its memory twice a second, and interrupt it after `stop_at` pictures."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "capt_engine", *arguments], stdout=subprocess.DEVNULL)
    at_warm = most = 0.0
    before = count(out / "rows.csv") // ROWS_A_PICTURE
    stopped = False
    while process.poll() is None:
        time.sleep(EVERY_S)
        n = count(out / "rows.csv") // ROWS_A_PICTURE
        now = resident_mb(process.pid)
        # Of the pictures that this process did itself.
        if n - before >= warm and now:
            at_warm = at_warm or now
            most = max(most, now)
        if stop_at is not None and n >= stop_at and not stopped:
            process.send_signal(signal.SIGINT)
            stopped = True
    return {"code": process.returncode, "seconds": time.monotonic() - started, "warm": at_warm, "most": most}


def resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def count(file: Path) -> int:
    try:
        with file.open("rb") as opened:
            return max(0, sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b"")) - 1)
    except OSError:
        return 0


def rows(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        return {(line["path"], line["attack"]): line for line in csv.DictReader(file)}


def timeless(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Answers and verdicts; the last digits of measurements depend on which pictures shared a batch."""
    exact = ("label", "clean_pred", "adv_pred", "success", "skipped", "survives_png", "survives_jpeg75")
    return {key: {name: line[name] for name in exact} for key, line in rows(folder).items()}


def stripped(value: object) -> object:
    """Without times, and to nine digits."""
    if isinstance(value, dict):
        return {key: stripped(one) for key, one in value.items() if key != "seconds"}
    return round(value, 9) if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
