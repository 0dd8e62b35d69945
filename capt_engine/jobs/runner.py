"""One worker thread, one queue: jobs run in order, each ends in exactly one event, and a failing job never kills the thread."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from capt_engine.errors import Cancelled, CaptError
from capt_engine.jobs.tick import Tick
from capt_engine.records import (
    EngineFailed,
    EngineNote,
    EngineReady,
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    Request,
)

if TYPE_CHECKING:
    from capt_engine.jobs.session import Session

_log = logging.getLogger(__name__)


class Runner:
    """Runs requests one after the other on a thread of its own, and tells `on_event` (on that thread) how they go."""

    def __init__(self, on_event: Callable[[Event], None], *, device: str = "auto") -> None:
        self._listener = on_event
        self._device = device
        self._ids = itertools.count(1)
        self._stops: dict[JobId, threading.Event] = {}
        self._queue: queue.SimpleQueue[tuple[JobId, Request] | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        # A daemon, so that a kernel which cannot be interrupted never keeps the process alive after close() gave up waiting.
        self._thread = threading.Thread(target=self._run, name="capt-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> JobId:
        """Queue a request. After close() the job is answered with JobCancelled at once."""
        with self._lock:
            job = JobId(next(self._ids))
            closed = self._closed
            if not closed:
                self._stops[job] = threading.Event()
                self._queue.put((job, request))
        if closed:
            self._on_event(JobCancelled(job))
        return job

    def cancel(self, job: JobId) -> None:
        """Set the job's stop flag; unknown and ended jobs are ignored."""
        with self._lock:
            stop = self._stops.get(job)
        if stop is not None:
            stop.set()

    def close(self, timeout_s: float) -> bool:
        """Stop everything, wait for the thread at most `timeout_s`, and say whether it has ended."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
            for stop in self._stops.values():
                stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _on_event(self, event: Event) -> None:
        try:
            self._listener(event)
        except Exception:
            # The listener's own fault: it must not cost the thread, or the jobs that wait.
            _log.exception("the listener failed on %s", type(event).__name__)

    def _run(self) -> None:
        session = self._warm_up()
        while (item := self._queue.get()) is not None:
            job, request = item
            self._on_event(self._ending(session, job, request))
            with self._lock:
                del self._stops[job]

    def _warm_up(self) -> Session | Failure:
        try:
            # Imported here, on the worker: this is what loads torch.
            from capt_engine.jobs.session import Session

            session = Session(self._device, note=lambda text: self._on_event(EngineNote(text)))
            self._on_event(EngineReady(session.catalogue(), session.device_info()))
        except Exception as error:
            failure = _failure(error)
            self._on_event(EngineFailed(failure))
            return failure
        return session

    def _ending(self, session: Session | Failure, job: JobId, request: Request) -> Event:
        stop = self._stops[job]
        if stop.is_set():
            return JobCancelled(job)
        self._on_event(JobStarted(job))
        if isinstance(session, Failure):
            return JobFailed(job, session)
        tick = Tick(lambda *progress: self._on_event(JobProgress(job, *progress)), stop)
        try:
            return JobFinished(job, session.handle(job, request, self._on_event, tick))
        except Cancelled:
            return JobCancelled(job)
        except Exception as error:
            return JobFailed(job, _failure(error))


def _failure(error: Exception) -> Failure:
    if isinstance(error, CaptError):
        return Failure(type(error).__name__, error.message, error.hint)
    _log.exception("unexpected failure")
    return Failure(
        type(error).__name__,
        f"Something went wrong that should not have: {error}",
        "This is a bug in CAPT Explorer; the log holds the details.",
        traceback.format_exc(),
    )
