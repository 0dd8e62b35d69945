"""One job through the door, from the terminal's side: submit it, follow its events to the end, turn the end into an exit code."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable

from capt_engine import crash_log
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import Cancelled
from capt_engine.records import (
    EngineFailed,
    EngineNote,
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobProgress,
    Request,
    Result,
)

CANCELLED = Cancelled.exit_code


def follow(
    request: Request,
    *,
    device: str,
    progress: ProgressLine,
    news: Callable[[Event], None],
    finish: Callable[[Result], int],
    cancelled: str = "Cancelled. What was finished is kept.",
) -> int:
    """Run one request to its end and return the exit code; an interrupt cancels it at the next safe place.

    news: gets every event that is neither progress nor an end. finish: turns the result into an exit code.
    """
    from capt_engine.api import Engine
    from capt_engine.jobs.worker_threads import LIGHT

    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    # What needs no torch should not wait for it to load.
    engine = Engine(events.put, device=device, at_once=not isinstance(request, LIGHT))
    try:
        job = engine.submit(request)
        while True:
            try:
                event = events.get()
                match event:
                    case EngineNote(note):
                        progress.show(0, 0, note, None)
                    case JobProgress(_, done, total, note, remaining_s):
                        progress.show(done, total, note, remaining_s)
                    case JobFinished(_, result):
                        progress.clear()
                        return finish(result)
                    case JobFailed(_, failure) | EngineFailed(failure):
                        progress.clear()
                        return fail(failure)
                    case JobCancelled(_, reason):
                        progress.say(reason or cancelled)
                        return CANCELLED
                    case _:
                        news(event)
            except KeyboardInterrupt:
                engine.cancel(job)
    finally:
        progress.clear()
        engine.close(timeout_s=5)


def fail(failure: Failure) -> int:
    """Say why a job could not be done, and where a bug's details are; returns the exit code."""
    print(f"{failure.message} {failure.hint}".strip(), file=sys.stderr)
    if failure.traceback:
        print(crash_log.keep(failure.traceback), file=sys.stderr)
    return failure.exit_code
