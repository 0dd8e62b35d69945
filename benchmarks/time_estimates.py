"""The time left that a run tells, over the time that it took: right after its fifth picture, and forecast for a longer run.

Runs the real engine as the window does, one job after the other, and prints one line for each kind of run:
`uv run python benchmarks/time_estimates.py`. The last two columns are estimate / actual; 1 is right. On a machine that does other
work meanwhile, `--processor` lets the run's clocks count the seconds of the processor, on one thread, in place of those that pass.
"""

from __future__ import annotations

import argparse
import os
import queue
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

from capt_engine import progress
from capt_engine.api import Engine
from capt_engine.demo.class_folders import write_class_folders
from capt_engine.jobs import stoppable
from capt_engine.progress import no_progress
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    AttackSpec,
    EvaluateRequest,
    Event,
    JobFailed,
    JobFinished,
    JobProgress,
    JobStarted,
    RowsReady,
    RunOptions,
    RunRequest,
    ThreatModel,
)

FIVE = 5


@dataclass
class Told:
    """One run. left_s: what it said was left after five pictures; took_s: what was left in truth; all_s: from its start to its end.

    batches: pictures and seconds of each.
    """

    left_s: float | None
    took_s: float
    all_s: float
    result: AnalyzeResult
    batches: list[tuple[int, float]]


def told(engine: Engine, events: queue.SimpleQueue[Event], request: RunRequest, clock: Callable[[], float]) -> Told:
    """Run `request` and return what it said after five pictures, and what it took; raises RuntimeError where it fails."""
    engine.submit(request)
    seen: set[str] = set()
    began_s = batch_s = five_s = said_s = 0.0
    left_s: float | None = None
    batches: list[tuple[int, float]] = []
    while True:
        event = events.get()
        now_s = clock()
        match event:
            case JobStarted():
                began_s = batch_s = now_s
            case RowsReady(rows=rows):
                batches.append((len({row.path for row in rows}), now_s - batch_s))
                batch_s = now_s
                seen |= {row.path for row in rows}
                if len(seen) >= FIVE and not five_s:
                    five_s = now_s
            case JobProgress(remaining_s=remaining_s) if five_s and left_s is None:
                left_s, said_s = remaining_s, now_s
            case JobFailed(failure=failure):
                raise RuntimeError(failure.message)
            case JobFinished(result=AnalyzeResult() as result):
                return Told(left_s, now_s - (said_s or now_s), now_s - began_s, result, batches)


def runs(model: str, folder: Path, n: int) -> dict[str, RunRequest]:
    """Return the runs that are timed, by name: `n` pictures of the toy world, attacked in ways of different cost."""
    options = RunOptions(model=model, threat=ThreatModel(eps=1 / 255), classes=(), seed=0)
    paths = tuple(str(path) for path in sorted(folder.glob("*/*.png"))[:n])
    shapes = replace(options, classes=tuple(sorted(one.name for one in folder.iterdir() if one.is_dir())))
    evaluate = EvaluateRequest(data=str(folder), limit=n, options=shapes, checks="off")
    pgd = (AttackSpec("pgd", (("steps", 10),)),)
    return {
        "explore, PGD": AnalyzeRequest(paths, AttackSpec("pgd"), options=options),
        "explore, PGD, A | B": AnalyzeRequest(
            paths, AttackSpec("pgd"), options=replace(options, compare="capt-shapes-night")
        )
        if model == "demo"
        else AnalyzeRequest(paths, AttackSpec("apgd-ce"), options=options),
        "FGSM": replace(evaluate, attacks=(AttackSpec("fgsm"),)),
        "PGD": replace(evaluate, attacks=pgd),
        "PGD, cheap checks": replace(evaluate, attacks=pgd, checks="cheap"),
        "APGD, cheap checks": replace(evaluate, attacks=(AttackSpec("apgd-ce"),), checks="cheap"),
        "quick": replace(evaluate, attacks=(), suite="quick", checks="cheap"),
        "quick, skip broken": replace(evaluate, attacks=(), suite="quick", skip_broken=True),
        "standard": replace(evaluate, attacks=(), suite="standard"),
        "PGD, full checks": replace(evaluate, attacks=pgd, checks="full"),
    }


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["demo", "photo"])
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--only", default=[], nargs="*", help="only the runs of these names")
    parser.add_argument(
        "--told", action="store_true", help="leave out the forecasts, and so the short runs that they come from"
    )
    parser.add_argument("--processor", action="store_true", help="count the processor's seconds")
    parser.add_argument("--log", action="store_true", help="also print pictures and seconds of each batch")
    args = parser.parse_args()
    # What is known already takes no time.
    os.environ["CAPT_NO_CACHE"] = "1"
    clock = time.process_time if args.processor else time.monotonic
    if args.processor:
        os.environ["OMP_NUM_THREADS"] = "1"
        for module in (progress, stoppable):
            module.time = SimpleNamespace(monotonic=clock)  # type: ignore[assignment]
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    engine = Engine(events.put, device="cpu")
    print(
        f"{'model':8} {'run':24} {'pictures':>8} {'took':>8} {'told':>8} {'true':>8} {'told/true':>9} {'forecast':>9}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "toys"
        write_class_folders(folder, "shapes", "test", "plain", -(-args.pictures // 12), 0, no_progress)
        for model in args.models:
            few = runs(model, folder, FIVE)
            for name, request in runs(model, folder, args.pictures).items():
                if args.only and name not in args.only:
                    continue
                small = None if args.told else told(engine, events, few[name], clock)
                large = told(engine, events, request, clock)
                left = "none" if large.left_s is None else f"{large.left_s:.1f}"
                ratio = "" if large.left_s is None else f"{large.left_s / max(large.took_s, 1e-3):.2f}"
                pace = None if small is None else small.result.pace
                forecast = "" if pace is None else f"{pace.seconds(large.result.n) / large.result.wall_s:.2f}"
                print(
                    f"{model:8} {name:24} {large.result.n:8} {large.all_s:8.1f} {left:>8} {large.took_s:8.1f} {ratio:>9} {forecast:>9}",
                    flush=True,
                )
                if args.log:
                    print("   ", " ".join(f"{n}:{seconds:.3f}" for n, seconds in large.batches), flush=True)
    engine.close()


if __name__ == "__main__":
    main()
