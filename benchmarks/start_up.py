"""From start to first verdict, and how long the window ever stood still on the way.

Starts the real window on the sample pictures in a fresh process (offscreen, unless QT_QPA_PLATFORM says otherwise), once to warm the
disk caches and then N times. A 2 ms timer on the window's own thread notes every gap between two of its ticks: a gap is time in which
no click would have been answered.
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
import traceback
from pathlib import Path
from typing import Any

TICK_S = 0.002
LIMIT_S = 180


def child(started_s: float, plain: bool, where: bool) -> None:
    """Run the app with probes in it, print one JSON object, leave."""
    entered_s = time.time()
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    from capt_engine.records import (
        EngineNote,
        EngineReady,
        Event,
        JobFinished,
        JobProgress,
        JobStarted,
        PreviewsReady,
        RowsReady,
    )
    from capt_engine.resources import resource
    from capt_gui import application
    from capt_gui.bridge import real_engine

    if plain:
        # The same program without its own two remedies, to see what they are worth.
        from capt_engine.model import imports

        imports.preload_torch = lambda: None  # type: ignore[assignment]
        imports.open_clip = lambda: __import__("open_clip")  # type: ignore[assignment]

    marks: dict[str, float] = {"python": entered_s}
    gaps: list[tuple[float, float]] = []
    state: dict[str, Any] = {"torch_at_window": None, "last": None}

    class Subset(QObject):
        def __init__(self, app: QApplication) -> None:
            super().__init__()
            self._timer = QTimer(self, interval=int(TICK_S * 1000))
            self._timer.setTimerType(self._timer.timerType().PreciseTimer)
            self._timer.timeout.connect(self.on_tick)
            app.installEventFilter(self)

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow) and "window" not in marks:
                marks["window"] = time.time()
                state["torch_at_window"] = "torch" in sys.modules
                self._timer.start()
            return False

        def on_tick(self) -> None:
            now = time.time()
            if state["last"] is not None:
                gaps.append((now, now - state["last"] - TICK_S))
            state["last"] = now
            finished = marks.get("finished")
            if now - started_s > LIMIT_S or (finished and now - finished > 0.5):
                QApplication.quit()

    def watched(on_event: Any) -> Any:
        def seen(event: Event) -> None:
            now = time.time()
            match event:
                case EngineNote(note):
                    marks.setdefault(note, now)
                case EngineReady():
                    marks.setdefault("ready", now)
                case JobStarted():
                    marks.setdefault("job", now)
                case PreviewsReady():
                    marks.setdefault("thumbnails", now)
                case JobProgress(note=note) if note.startswith("picture"):
                    marks.setdefault("attack", now)
                case RowsReady():
                    marks.setdefault("verdict", now)
                case JobFinished() if "verdict" in marks:
                    marks.setdefault("finished", now)
                case _:
                    pass
            on_event(event)

        return seen

    stalls: list[tuple[float, str]] = []

    def watch() -> None:
        # Where both threads stand when the window has not ticked for a while: what a stall is made of.
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

    if where:
        # Not by default: looking into another thread's frames has been seen to crash Python 3.11 under PySide.
        threading.Thread(target=watch, daemon=True).start()
    app = QApplication(sys.argv[:1])
    probe = Subset(app)
    make = real_engine("auto")
    with tempfile.TemporaryDirectory() as logs:
        launch = application.prepare(Path(logs), paths=(str(resource("samples")),), reset=False, safe=True, theme=None)
        application.run(launch, lambda on_event: make(watched(on_event)))
    del probe
    ready = marks.get("ready", time.time())
    during = [gap for at, gap in gaps if at <= ready]
    after = [gap for at, gap in gaps if at > ready]
    print(
        json.dumps(
            {
                "marks": {name: at - started_s for name, at in marks.items()},
                "torch_at_window": state["torch_at_window"],
                "import_worst_ms": 1000 * max(during, default=0),
                "work_worst_ms": 1000 * max(after, default=0),
                "work_p99_ms": 1000 * statistics.quantiles(after, n=100)[98] if len(after) > 100 else None,
                "ticks_after": len(after),
                "longest": sorted(stalls, reverse=True)[:6],
            }
        )
    )


def once(plain: bool, where: bool) -> dict[str, Any]:
    """One start in a fresh process, with an empty set of user folders."""
    with tempfile.TemporaryDirectory() as home:
        places = {f"XDG_{kind}_HOME": home for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, **places}
        command = [
            sys.executable,
            __file__,
            "--child",
            repr(time.time()),
            *(["--plain"] if plain else []),
            *(["--where"] if where else []),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S + 60)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def middle(runs: list[dict[str, Any]], mark: str) -> str:
    """Median of a mark over the runs, in seconds since the process was asked for."""
    values = [run["marks"][mark] for run in runs if mark in run["marks"]]
    return f"{statistics.median(values):6.2f} s" if values else "not seen"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--where", action="store_true", help="also print where the threads stood in the longest stalls")
    parser.add_argument("--plain", action="store_true", help="only the variant without the import remedies")
    args = parser.parse_args()
    if args.child is not None:
        child(args.child, args.plain, args.where)
        return
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"{os.cpu_count()} cores, load {load:.1f} before the first run; {args.runs} runs each after one to warm up; medians"
    )
    once(plain=False, where=False)
    for name, plain in (("as shipped", False), ("plain imports, for comparison", True)):
        runs = [once(plain, args.where) for _ in range(args.runs)]
        print(f"\n{name}")
        for label, mark in (
            ("Python runs", "python"),
            ("window painted", "window"),
            ("torch import begins", "Loading torch"),
            ("open_clip import begins", "Loading open_clip"),
            ("engine ready", "ready"),
            ("thumbnails", "thumbnails"),
            ("attack begins (model loaded)", "attack"),
            ("first verdict", "verdict"),
            ("all samples done", "finished"),
        ):
            print(f"  {label:<30} {middle(runs, mark)}")
        print(f"  torch imported when the window was painted: {[run['torch_at_window'] for run in runs]}")
        print(f"  worst stall while importing      {[round(run['import_worst_ms']) for run in runs]} ms")
        print(f"  worst stall afterwards           {[round(run['work_worst_ms']) for run in runs]} ms")
        if args.where:
            for run in runs:
                print(*(f"  stood {1000 * seconds:.0f} ms {where}" for seconds, where in run["longest"]), sep="\n")
        print(f"  p99 of stalls afterwards         {[round(run['work_p99_ms'] or 0) for run in runs]} ms")


if __name__ == "__main__":
    main()
