"""One job through the door, from the terminal's side: submit it, follow its events to the end, give its result."""

from __future__ import annotations

import argparse
import queue
from collections.abc import Callable
from typing import TypeVar

from capt_engine import crash_log, records
from capt_engine.api import Engine
from capt_engine.cli import interrupts
from capt_engine.cli.terminal import JobEnded, ProgressLine, tell
from capt_engine.jobs.worker_threads import FILES, LIGHT

R = TypeVar("R", bound=records.Result)
OnEvent = Callable[[records.Event], None]


def follow(
    request: records.Request,
    args: argparse.Namespace,
    kind: type[R],
    *,
    progress: ProgressLine | None = None,
    on_event: OnEvent | None = None,
    cancelled: str = "Cancelled. What was finished is kept.",
) -> R:
    """Run one request in an engine of its own, show its progress, and return its result.

    args: the parsed arguments (device, quiet). kind: the type of the result. progress: where to show it; None makes a
    line on standard error. on_event: gets each event that is neither progress nor an end. cancelled: what to say after
    an interrupt, which cancels the job. Raises JobEnded where there is no result; the reason is printed by then.
    """
    progress = progress or ProgressLine(quiet=args.quiet)
    events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
    # What needs no torch should not wait for it to load.
    engine = Engine(events.put, device=args.device or "auto", at_once=not isinstance(request, (*FILES, *LIGHT)))
    try:
        end = ending(engine, events, request, progress, on_event)
    finally:
        progress.clear()
        # After an interrupt the job has ended, or had not begun and waited for something that may load for long.
        engine.close(timeout_s=0 if interrupts.has_come() else 5)
    if isinstance(end, records.JobCancelled):
        progress.say(end.reason or cancelled)
        raise JobEnded(interrupts.exit_code())
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
    """Submit `request` to `engine`, show its progress, and return the event that ends the job.

    events: the queue that the engine puts its events into. progress: the line that shows them. on_event: gets each
    event that is neither progress nor an end; None drops them. before: text in front of each progress note. An
    interrupt cancels the job and is not raised; a job that has not begun is not waited for then.
    """
    job = engine.submit(request)
    has_begun = False
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
                case _:
                    has_begun = has_begun or isinstance(event, records.JobStarted)
                    if on_event is not None:
                        on_event(event)
        except KeyboardInterrupt:
            engine.cancel(job)
            if not has_begun:
                return records.JobCancelled(job)


def failed(failure: records.Failure) -> JobEnded:
    """Print `failure`, the reason why a job could not be done, on standard error; return the JobEnded to raise.

    For a bug, also write a crash report and print where it is.
    """
    tell(f"{failure.message} {failure.hint}".strip())
    if failure.traceback:
        tell(crash_log.keep(failure.traceback))
    return JobEnded(failure.exit_code)
