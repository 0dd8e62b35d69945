"""One job through the door, from the terminal's side: submit it, follow its events to the end, give its result."""

from __future__ import annotations

import argparse
import queue
import sys
from collections.abc import Callable
from typing import TypeVar

from capt_engine import crash_log, records
from capt_engine.api import Engine
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import Cancelled
from capt_engine.jobs.worker_threads import LIGHT

R = TypeVar("R", bound=records.Result)
OnEvent = Callable[[records.Event], None]


class JobEnded(Exception):
    """Raised when a job ended without a result and the user has read why. exit_code: the status that the command ends with."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


def follow(
    request: records.Request,
    args: argparse.Namespace,
    kind: type[R],
    *,
    progress: ProgressLine | None = None,
    on_event: OnEvent | None = None,
    cancelled: str = "Cancelled. What was finished is kept.",
) -> R:
    """Run one request to its end and return its result, which is of that kind; an interrupt cancels it at the next safe place.

    on_event: gets every event that is neither progress nor an end. Raises JobEnded where there is no result.
    """
    progress = progress or ProgressLine(quiet=args.quiet)
    events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
    # What needs no torch should not wait for it to load.
    engine = Engine(events.put, device=args.device or "auto", at_once=not isinstance(request, LIGHT))
    try:
        end = ending(engine, events, request, progress, on_event)
    finally:
        progress.clear()
        engine.close(timeout_s=5)
    if isinstance(end, records.JobCancelled):
        progress.say(end.reason or cancelled)
        raise JobEnded(Cancelled.exit_code)
    if isinstance(end, records.JobFailed | records.EngineFailed):
        raise failed(end.failure)
    assert isinstance(end.result, kind)
    return end.result


def ending(
    engine: Engine,
    events: queue.SimpleQueue[records.Event],
    request: records.Request,
    progress: ProgressLine,
    on_event: OnEvent | None,
    before: str = "",
) -> records.JobFinished | records.JobFailed | records.JobCancelled | records.EngineFailed:
    """Submit a request and return the event that ends its job. before: the text that each note of its progress follows."""
    job = engine.submit(request)
    while True:
        try:
            event = events.get()
            match event:
                case records.EngineNote(note):
                    progress.show(0, 0, note, None)
                case records.JobProgress(_, done, total, note, remaining_s):
                    progress.show(done, total, f"{before}{note}", remaining_s)
                case records.JobFinished() | records.JobFailed() | records.JobCancelled() | records.EngineFailed():
                    return event
                case _ if on_event is not None:
                    on_event(event)
        except KeyboardInterrupt:
            engine.cancel(job)


def failed(failure: records.Failure) -> JobEnded:
    """Print why a job could not be done, and where a bug's details are; returns the exception that ends the command."""
    print(f"{failure.message} {failure.hint}".strip(), file=sys.stderr)
    if failure.traceback:
        print(crash_log.keep(failure.traceback), file=sys.stderr)
    return JobEnded(failure.exit_code)
