"""Scanning many small pictures: seconds, processor seconds, pictures a second, and how far memory grows after the first thousand.

The pictures are random but smooth, 96 × 96 JPEG files in a folder of their own that is removed in the end; a hundredth are copies of
others. The scan runs in a process of its own, without a window and without loading torch, and keeps its inventory as the wizard does.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIDE = 96
FIRST = 1000


def write_pictures(folder: Path, count: int, classes: int) -> None:
    """`count` pictures in `classes` folders, from one seed."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    earlier = None
    for at in range(count):
        place = folder / f"class {at % classes}" / f"{at}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        if at % 100 == 99 and earlier is not None:
            shutil.copy(earlier, place)
            continue
        cells = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(cells).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        grain = rng.integers(-12, 13, (SIDE, SIDE, 3), dtype=np.int16)
        Image.fromarray(np.clip(np.asarray(picture, np.int16) + grain, 0, 255).astype(np.uint8)).save(place, quality=85)
        earlier = place


def peak_mib() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def child(folder: Path, threads: int) -> None:
    """Scan, print."""
    from capt_engine.data import inventory
    from capt_engine.data.scan import Views, scan
    from capt_engine.data.sources import find

    early_mib = read_mib = 0.0
    stamps: dict[str, float] = {}

    def progress(done: int, _: int, note: str) -> None:
        nonlocal early_mib, read_mib
        stamps.setdefault(note, time.perf_counter())
        if done <= FIRST:
            early_mib = peak_mib()
        if note == "Reading pictures":
            read_mib = peak_mib()

    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    found = find((str(folder),))
    listed_s = time.perf_counter()
    result, kept = scan(found, progress, views=Views(6, SIDE, lambda _: None), threads=threads)
    compared_s = time.perf_counter()
    scanned_mib = peak_mib()
    (folder.parent / inventory.FILE).write_bytes(inventory.to_bytes(kept))
    ended_s, cpu_s = time.perf_counter(), time.process_time() - started_cpu_s
    reading_s = stamps["Comparing pictures"] - listed_s
    print(
        f"{ended_s - started_s:.1f} s in all, {cpu_s:.1f} processor seconds, {result.listed / (ended_s - started_s):.0f} pictures a second"
    )
    print(
        f"of which listing {listed_s - started_s:.1f} s, reading {reading_s:.1f} s, comparing and counting "
        f"{compared_s - stamps['Comparing pictures']:.1f} s, inventory {ended_s - compared_s:.1f} s"
    )
    print(f"{result.usable} usable in {len(result.classes)} classes, {len(result.same)} groups of copies found")
    print(
        f"largest resident size: {early_mib:.0f} MiB after {FIRST}, {read_mib:.0f} MiB when all are read, "
        f"{scanned_mib:.0f} MiB when compared, {peak_mib():.0f} MiB with the inventory written"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.threads)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        write_pictures(folder, args.pictures, args.classes)
        print(f"{args.pictures} pictures of {SIDE} × {SIDE}, {args.threads} threads", flush=True)
        command = [sys.executable, __file__, f"--threads={args.threads}", "--child", str(folder)]
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


if __name__ == "__main__":
    main()
