"""One cell of a protocol as it was asked for before and as it is now: seconds of the processor, side by side in one run.

    OMP_NUM_THREADS=1 python benchmarks/protocol_cell.py --shots 4 --limit 40 --steps 100

Before: the cheap checks, attacks also on what was wrong already, a strip of attacked training pictures after each epoch. Now: none of
that, since a protocol prints accuracies alone. The accuracies must be the same, and are compared.
"""

from __future__ import annotations

import argparse
import os
import queue
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from capt_engine import records
from capt_engine.api import Engine
from capt_engine.progress import no_progress
from capt_engine.protocols.data import Pictures
from capt_engine.protocols.definitions import Cell, Recipe, Setting, evaluate_request, tune_request
from capt_engine.results.limits import OFF


def measure() -> None:
    """Print the seconds of tuning and of measuring, both ways, the ratio of their sums, and whether the answers agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="shapes@sketch")
    parser.add_argument("--method", default="capt")
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--steps", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    # Else the second way would be answered from what the first one kept.
    os.environ[OFF] = "1"
    pictures = Pictures("demo", args.limit, (args.shots,))
    place = pictures.place(args.dataset, no_progress)
    setting = Setting("demo", pictures.name, pictures.revision, (1 / 255,), args.steps, args.limit)
    recipe = Recipe(args.dataset, args.method, args.shots, 11)
    events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
    engine = Engine(events.put, device="cpu")
    found: dict[str, tuple[float, float, float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        # The first run of all loads torch and the model, and is not counted.
        for name in ("first", "before", "now"):
            out = str(Path(folder) / f"{name}.safetensors")
            tuning = tune_request(recipe, setting, place, out, "cpu")
            asking = evaluate_request(Cell(recipe, args.dataset), setting, place, out, "cpu")
            if name == "first":
                tuning, asking = replace(tuning, epochs=1), replace(asking, limit=2)
            elif name == "before":
                tuning = replace(tuning, strips=True)
                asking = replace(asking, checks="cheap", skip_broken=False)
            tuned_s, _ = _seconds(engine, events, tuning)
            measured_s, result = _seconds(engine, events, asking)
            assert isinstance(result, records.AnalyzeResult)
            found[name] = (tuned_s, measured_s, result.clean_accuracy or 0.0, result.robust_accuracy or 0.0)
    engine.close(timeout_s=5)
    for name in ("before", "now"):
        tuned_s, measured_s, clean, robust = found[name]
        print(f"{name}: tuned {tuned_s:.1f} s, measured {measured_s:.1f} s; clean {clean:.3f}, robust {robust:.3f}")
    ratio = sum(found["before"][:2]) / sum(found["now"][:2])
    print(f"before / now: {ratio:.2f}; same accuracies: {found['before'][2:] == found['now'][2:]}")


def _seconds(
    engine: Engine, events: queue.SimpleQueue[records.Event], request: records.Request
) -> tuple[float, records.Result]:
    """Seconds of the processor until a job has ended, and its result."""
    started_s = time.process_time()
    engine.submit(request)
    while True:
        event = events.get()
        if isinstance(event, records.JobFinished):
            return time.process_time() - started_s, event.result
        if isinstance(event, records.JobFailed | records.EngineFailed):
            raise SystemExit(event.failure.message)


if __name__ == "__main__":
    measure()
