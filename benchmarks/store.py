"""What the result store costs a run that finds nothing in it, and what is left of a run that finds everything.

    python benchmarks/store.py --model demo --n 70 --steps 10

All runs are made in this process by `capt evaluate --out`, after one that loads torch: CPU seconds are the process's own, from reading
the command to the finished run folder. Rounds alternate, so that a machine that does something else at the same time disturbs all kinds
alike; the median of the ratios counts.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import statistics
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from capt_engine.cli.main import main
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.folders import RESULTS
from capt_engine.progress import no_progress
from capt_engine.results.limits import OFF


@dataclass(frozen=True)
class Run:
    """One run: CPU seconds and seconds by the clock of the process, and how many rows came from the store."""

    cpu_s: float
    wall_s: float
    from_store: int


def measure() -> None:
    """Print CPU seconds of runs without a store, with an empty and with a full one, their ratios, and the size of the store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--data", type=Path, help="labelled pictures (default: the toy world's)")
    parser.add_argument("--n", type=int, default=60, help="pictures")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checks", default="off")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = args.data or _toy_world(home / "data", args.n)
        _run(args, data, home / "none", home / "first", off=True)
        found: dict[str, list[Run]] = {"off": [], "cold": [], "warm": []}
        for number in range(args.rounds):
            shutil.rmtree(home / "store", ignore_errors=True)
            for kind, runs in found.items():
                out = home / f"{kind}-{number}"
                runs.append(_run(args, data, home / "store", out, off=kind == "off"))
        size = sum(path.stat().st_size for path in (home / "store").iterdir())
        n = json.loads((home / "warm-0" / "summary.json").read_text(encoding="utf-8"))["n"]
        for kind, runs in found.items():
            cpu, wall = (statistics.median(getattr(one, what) for one in runs) for what in ("cpu_s", "wall_s"))
            print(f"{kind:5} {cpu:8.2f} s of CPU, {wall:8.2f} s by the clock, {runs[0].from_store} rows from the store")
        for kind in ("cold", "warm"):
            ratio = statistics.median(a.cpu_s / b.cpu_s for a, b in zip(found[kind], found["off"], strict=True))
            print(f"{kind} / off: {ratio:.3f}")
        print(f"store: {size / n / 1000:.1f} kB a picture, with {args.steps} steps of PGD, attacked pictures kept")


def _toy_world(folder: Path, n: int) -> Path:
    write_class_folders(folder, "shapes", "test", "plain", max(1, n // 7), 0, no_progress)
    return folder


def _run(args: argparse.Namespace, data: Path, store: Path, out: Path, *, off: bool) -> Run:
    words = ["evaluate", str(data), "--model", args.model, "--steps", str(args.steps), "--limit", str(args.n)]
    words += ["--checks", args.checks, "--device", "cpu", "--quiet", "--out", str(out)]
    os.environ |= {RESULTS: str(store), OFF: "1" if off else "0"}
    cpu_s, wall_s = time.process_time(), time.monotonic()
    with redirect_stdout(io.StringIO()):
        status = main([*words])
    if status:
        raise SystemExit(status)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return Run(time.process_time() - cpu_s, time.monotonic() - wall_s, manifest["from_store"])


if __name__ == "__main__":
    measure()
