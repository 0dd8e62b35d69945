"""From start to first verdict, and how long the window ever stood still on the way.

Starts the real program by its own door (`capt_gui.__main__.main`) in a fresh process (offscreen, unless QT_QPA_PLATFORM says otherwise),
once to warm the disk caches and then N times. A 2 ms timer on the window's own thread notes every gap between two of its ticks: a gap is
time in which no click would have been answered.

`--beside FOLDER`, another checkout with its own `.venv`, starts that one in turn with this one, and prints both and their ratio, beside
the ratio that `start_up_ratios.toml` keeps (`--keep` writes it). Like is compared with like: both begin with the same settings file (of
version 1, which both read), in user folders of their own that hold nothing else, and open the same picture files of this checkout; both
ask the toy model without prompts, about its own classes, and attack with PGD under L-infinity at 4/255 in 20 steps from one start. What
a program does besides is part of it: today's keeps the run on disk, writes the journal of the session and looks up stored results.
`--model photo` asks another model, of this program alone.

The figures are the medians. On a machine that others use too, wall-clock time says little: beside it stands the processor time of the
process, and of a gap the part in which the window's thread or another thread of Python worked, which leaves out the time in which the
system gave the processor to others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import traceback
from pathlib import Path
from typing import Any

TICK_S = 0.002
HERE = Path(__file__).parents[1]
RATIOS = Path(__file__).with_name("start_up_ratios.toml")
PICTURES = sorted((HERE.resolve() / "resources" / "samples").glob("*.png"))
# What both programs read, so that they do the same work: see above.
SETTINGS = """version = 1
model = "{model}"
prompts = ""
compare = "off"
attack = "pgd"
norm = "linf"
steps = 20
seed = 0
eps = {{ linf = {eps} }}
"""
MARKS = (
    ("Python runs", "python"),
    ("window painted", "window"),
    ("torch import begins", "Loading torch"),
    ("open_clip import begins", "Loading open_clip"),
    ("engine ready", "ready"),
    ("thumbnails", "thumbnails"),
    ("attack begins (model loaded)", "attack"),
    ("first verdict", "verdict"),
    ("all samples done", "finished"),
)
STALLS = (
    ("worst stall while importing", "import_worst_ms"),
    ("p99 of stalls while importing", "import_p99_ms"),
    ("worst stall afterwards", "work_worst_ms"),
    ("p99 of stalls afterwards", "work_p99_ms"),
)


def child(started_s: float, args: argparse.Namespace) -> None:
    """Run the program by its door with probes in it, print one JSON object, leave."""
    entered_s, entered_cpu_s = time.time(), time.process_time()
    from capt_gui import __main__ as door

    marks: dict[str, float] = {"python": entered_s}
    spent: dict[str, float] = {"python": entered_cpu_s}
    gaps: list[tuple[float, float, float]] = []
    answered: set[str] = set()
    state: dict[str, Any] = {"torch_at_window": None, "modules_at_window": None, "last": None, "worked": 0.0}

    def mark(name: str) -> None:
        if name not in marks:
            marks[name], spent[name] = time.time(), time.process_time()

    def probe() -> Any:
        """Make Qt's application, as the program would a moment later, with the probe in it."""
        from PySide6.QtCore import QEvent, QObject, QTimer
        from PySide6.QtWidgets import QApplication, QMainWindow

        paint = QEvent.Type.Paint

        class Probe(QObject):
            def __init__(self, app: QApplication) -> None:
                super().__init__(app)
                self._app = app
                self._timer = QTimer(self, interval=int(TICK_S * 1000))
                self._timer.setTimerType(self._timer.timerType().PreciseTimer)
                self._timer.timeout.connect(self.on_tick)
                app.installEventFilter(self)

            def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
                if event.type() == paint and isinstance(watched, QMainWindow):
                    mark("window")
                    state["torch_at_window"] = "torch" in sys.modules
                    state["modules_at_window"] = len(sys.modules)
                    self._timer.start()
                    # from here on it would only cost what it is to measure
                    self._app.removeEventFilter(self)
                return False

            def on_tick(self) -> None:
                now = time.time()
                worked = python_worked()
                if state["last"] is not None:
                    gap = now - state["last"] - TICK_S
                    gaps.append((now, gap, min(gap, worked - state["worked"])))
                state["last"], state["worked"] = now, worked
                finished = marks.get("finished")
                if args.only_paint or now - started_s > args.limit or (finished and now - finished > 0.5):
                    # not quit(), which asks what becomes of work that goes on, and nobody answers
                    QApplication.exit(0)

        return Probe(QApplication(sys.argv[:1]))

    def watched(make: Any) -> Any:
        """Make the engine with a listener before the program's own."""
        from capt_engine import records

        def seen(on_event: Any, event: Any) -> None:
            match event:
                case records.EngineNote(note):
                    mark(note)
                case records.EngineReady():
                    mark("ready")
                case records.JobStarted():
                    mark("job")
                case records.PreviewsReady():
                    mark("thumbnails")
                case records.JobProgress(note=note) if note.startswith("picture"):
                    mark("attack")
                case records.RowsReady(rows=rows):
                    mark("verdict")
                    answered.update(row.path for row in rows)
                    if len(answered) == len(PICTURES):
                        mark("finished")
                case _:
                    pass
            on_event(event)

        return lambda on_event: make(lambda event: seen(on_event, event))

    if args.where:
        # Not by default: looking into another thread's frames has been seen to crash Python 3.11 under PySide.
        stalls = watch_threads(state, marks, started_s)
    set_environment = door.set_environment

    def before_running(**options: Any) -> None:
        # the last thing that both programs do before they run their application
        set_environment(**options)
        from capt_gui import application

        if args.plain:
            # The same program without its own two remedies, to see what they are worth.
            from capt_engine.model import imports

            imports.preload_torch = lambda: None  # type: ignore[assignment]
            imports.open_clip = lambda: __import__("open_clip")  # type: ignore[assignment]
        run = application.run
        state["probe"] = probe()
        application.run = lambda launch, make: run(launch, watched(make))  # type: ignore[assignment]

    door.set_environment = before_running
    door.main([str(path) for path in PICTURES])
    ready = marks.get("ready", time.time())
    during = [gap for gap in gaps if gap[0] <= ready]
    after = [gap for gap in gaps if gap[0] > ready]
    print(
        json.dumps(
            {
                "marks": {name: at - started_s for name, at in marks.items()},
                "spent": spent,
                "torch_at_window": state["torch_at_window"],
                "modules_at_window": state["modules_at_window"],
                "import_worst_ms": [worst_ms(during, kind) for kind in (1, 2)],
                "import_p99_ms": [late_ms(during, kind) for kind in (1, 2)],
                "work_worst_ms": [worst_ms(after, kind) for kind in (1, 2)],
                "work_p99_ms": [late_ms(after, kind) for kind in (1, 2)],
                "ticks_after": len(after),
                "longest": sorted(stalls, reverse=True)[:6] if args.where else [],
            }
        )
    )
    sys.stdout.flush()
    # what the program leaves running at its end is not measured
    os._exit(0)


def watch_threads(state: dict[str, Any], marks: dict[str, float], started_s: float) -> list[tuple[float, str]]:
    """Note from a thread of its own where the others stand when the window has not ticked for a while: what a stall is made of."""
    stalls: list[tuple[float, str]] = []

    def watch() -> None:
        main_id = threading.main_thread().ident
        while "finished" not in marks:
            time.sleep(0.02)
            last = state["last"]
            if last is None or time.time() - last < 0.06:
                continue
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            places = {
                "window" if ident == main_id else names.get(ident, "?"): " < ".join(
                    f"{Path(one.filename).parent.name}/{Path(one.filename).name}:{one.lineno}"
                    for one in traceback.extract_stack(frame)[:-5:-1]
                )
                for ident, frame in sys._current_frames().items()
                if ident == main_id or names.get(ident) == "capt-engine"
            }
            stalls.append((time.time() - last, f"at {time.time() - started_s:.2f} s: {places}"))

    threading.Thread(target=watch, daemon=True).start()
    return stalls


def python_worked() -> float:
    """Processor seconds of the threads that run Python, which hold the window up while they hold its lock; NaN where none is told."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return float("nan")
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(one.ident))
        for one in threading.enumerate()
        # of a thread that Python did not start nobody knows when it ends, and then to ask for its clock is a crash
        if one.ident and one.is_alive() and not one.name.startswith("Dummy-")
    )


def worst_ms(gaps: list[tuple[float, float, float]], kind: int) -> float:
    """The longest gap in milliseconds: kind 1 by the clock on the wall, 2 of work alone."""
    return 1000 * max((gap[kind] for gap in gaps), default=0.0)


def late_ms(gaps: list[tuple[float, float, float]], kind: int) -> float:
    """The 99th percentile of the gaps in milliseconds."""
    values = [gap[kind] for gap in gaps]
    return 1000 * statistics.quantiles(values, n=100)[98] if len(values) > 100 else worst_ms(gaps, kind)


def once(python: str, args: argparse.Namespace) -> dict[str, Any]:
    """One start in a fresh process of this interpreter, with user folders that hold nothing but the settings."""
    with tempfile.TemporaryDirectory() as home:
        places = {f"XDG_{kind}_HOME": home for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, **places}
        # an installed program finds its modules compiled
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        settings = Path(home, "capt-explorer", "settings.toml")
        settings.parent.mkdir()
        settings.write_text(SETTINGS.format(model=args.model, eps=4 / 255), encoding="utf-8")
        command = [
            python,
            __file__,
            "--child",
            repr(time.time()),
            "--limit",
            str(args.limit),
            *(f"--{name.replace('_', '-')}" for name in ("plain", "where", "only_paint") if getattr(args, name)),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=args.limit + 60)
        stacks = "".join(one.read_text(errors="replace") for one in Path(home).rglob("native-crash.log"))
    if done.returncode:
        sys.exit(f"{python} ended with {done.returncode}: {done.stdout}{done.stderr}{stacks}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def figures(runs: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Of each line of the table the median by the wall and by the processor, in seconds; of the stalls in milliseconds."""
    median = statistics.median
    found = {}
    for label, mark in MARKS:
        if all(mark in run["marks"] for run in runs):
            found[label] = (median(run["marks"][mark] for run in runs), median(run["spent"][mark] for run in runs))
    for label, name in STALLS:
        found[label] = (median(run[name][0] for run in runs), median(run[name][1] for run in runs))
    return found


def show(
    here: dict[str, tuple[float, float]], there: dict[str, tuple[float, float]] | None, kept: dict[str, Any]
) -> None:
    """Print the table: wall and processor time, here and there, their ratio, and the ratio that is kept."""
    head = f"{'':<34}{'wall':>9}{'CPU':>9}"
    print(head + (f"{'wall there':>13}{'CPU there':>11}{'ratio':>8}{'of CPU':>8}{'kept':>8}" if there else ""))
    for label, (wall, cpu) in here.items():
        unit = "ms" if label in dict(STALLS) else "s"
        line = f"{label:<34}{number(wall, unit):>9}{number(cpu, unit):>9}"
        if there and label in there:
            line += f"{number(there[label][0], unit):>13}{number(there[label][1], unit):>11}"
            if unit == "s":
                ratios = [mine / other for mine, other in zip((wall, cpu), there[label], strict=True)]
                line += "".join(f"{ratio:>8.2f}" for ratio in ratios) + f"{kept.get(label, ''):>8}"
        print(line)


def number(value: float, unit: str) -> str:
    """A figure with its unit."""
    return f"{value:.0f} ms" if unit == "ms" else f"{value:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--where", action="store_true", help="also print where the threads stood in the longest stalls")
    parser.add_argument("--plain", action="store_true", help="without the import remedies, to see what they are worth")
    parser.add_argument(
        "--beside", type=Path, help="another checkout with its own .venv, started in turn with this one"
    )
    parser.add_argument(
        "--keep", action="store_true", help="write the ratios of processor time to start_up_ratios.toml"
    )
    parser.add_argument(
        "--only-paint", action="store_true", help="leave once the window is painted: seconds, not minutes"
    )
    parser.add_argument("--model", default="demo", help="the id of the model that is asked")
    parser.add_argument("--limit", type=float, default=180, help="seconds after which a start is broken off")
    args = parser.parse_args()
    if args.child is not None:
        child(args.child, args)
        return
    others = [str(args.beside / ".venv" / "bin" / "python")] if args.beside else []
    pythons = [sys.executable, *others]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f} before; {args.runs} runs each after one to warm up; medians")
    for python in pythons:
        once(python, args)
    runs: dict[str, list[dict[str, Any]]] = {python: [] for python in pythons}
    for _ in range(args.runs):
        for python in pythons:
            runs[python].append(once(python, args))
    kept = tomllib.loads(RATIOS.read_text(encoding="utf-8")) if RATIOS.exists() else {}
    here, there = figures(runs[sys.executable]), figures(runs[others[0]]) if others else None
    show(here, there, kept)
    for python in pythons:
        print(
            f"modules when the window was painted: {[run['modules_at_window'] for run in runs[python]]}, torch among them: "
            f"{[run['torch_at_window'] for run in runs[python]]}"
        )
        for run in runs[python] if args.where else ():
            print(*(f"  stood {1000 * seconds:.0f} ms {where}" for seconds, where in run["longest"]), sep="\n")
    if args.keep and there:
        kept |= {
            label: round(here[label][1] / there[label][1], 2)
            for label, _ in MARKS[1:]
            if label in here and label in there
        }
        head = "# Processor time of a start against that of commit 607864d, medians of some runs in turn; `start_up.py --keep` writes it."
        lines = [f'"{label}" = {ratio:.2f}' for label, ratio in kept.items()]
        RATIOS.write_text("\n".join([head, *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
