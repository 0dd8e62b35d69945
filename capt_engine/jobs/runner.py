"""One worker thread, one queue: short jobs go first, each ends in exactly one event, and a failing job never kills the thread.

A long job steps aside: at its ticks, the shorter ones that wait run to their own end inside it, on the same thread, and it goes on as if
nothing had happened. Jobs of one length run in the order in which they were asked for. A paused one waits until it is told to go on.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from capt_engine import files, plugins, records
from capt_engine.errors import BadRequest, Cancelled, CaptError, Stopped
from capt_engine.jobs.context import OnEvent
from capt_engine.jobs.lengths import Length, length_of
from capt_engine.jobs.stoppable import StoppableProgress

_log = logging.getLogger(__name__)

# Whoever waits for another runner looks so often whether it is to stop.
_LOOK_EVERY_S = 0.05


@dataclass
class _Job:
    """A job that has not ended. tell: takes its events; length: of the job.

    stop: it is to end at its next tick; keep: likewise, with the best it has; is_paused: it is to wait.
    """

    id: records.JobId
    request: records.Request
    tell: OnEvent
    length: Length
    stop: threading.Event = field(default_factory=threading.Event)
    keep: threading.Event = field(default_factory=threading.Event)
    is_paused: bool = False
    has_started: bool = False

    @property
    def can_pause(self) -> bool:
        """True if it can be told to wait: what may last for hours, and never stands in front of another."""
        return self.length is Length.HOURS

    @property
    def can_keep(self) -> bool:
        """True if it can end early with something worth having."""
        return isinstance(self.request, records.TuneRequest) and self.has_started

    @property
    def is_ending(self) -> bool:
        """True if it has been told to end."""
        return self.stop.is_set() or self.keep.is_set()


# Does what a request asks and returns its result; raises CaptError.
Handler = Callable[[records.JobId, records.Request, OnEvent, StoppableProgress], records.Result]


class Runner:
    """Runs requests one after the other on a thread of its own, and reports how they go to `on_event`, on that thread.

    make: gives the function that does the jobs; it is called once, on the thread, with a function that takes events. ids: the numbers
    of jobs, for engines of several workers. name: of the thread.
    """

    def __init__(
        self,
        on_event: OnEvent,
        make: Callable[[OnEvent], Handler],
        *,
        ids: Iterator[int] | None = None,
        name: str = "capt-engine",
    ) -> None:
        self._listener = on_event
        self._make = make
        self._ids = ids if ids is not None else itertools.count(1)
        self._jobs: dict[records.JobId, _Job] = {}
        self._waiting: deque[_Job] = deque()
        self._closed = False
        # Guards all of the above, and wakes a worker that has nothing to do or is paused.
        self._changed = threading.Condition()
        # A daemon, so that a kernel which cannot be interrupted never keeps the process alive after close() gave up waiting.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the worker thread, which loads what takes long; do nothing if it runs or the runner is closed."""
        with self._changed:
            if not self._thread.ident and not self._closed:
                self._thread.start()

    def submit(self, request: records.Request, tell: OnEvent | None = None) -> records.JobId:
        """Queue `request`, start the thread if need be, and return the number of the job.

        tell: takes the events of this job in place of the runner's listener. After `close` the job is never done:
        JobCancelled is sent at once.
        """
        with self._changed:
            job = _Job(records.JobId(next(self._ids)), request, tell or self._listener, length_of(request))
            closed = self._closed
            if not closed:
                self._jobs[job.id] = job
                self._waiting.append(job)
                self._changed.notify_all()
        self.start()
        if closed:
            _tell(job.tell, records.JobCancelled(job.id))
        return job.id

    def ask(self, request: records.Request, tick: Callable[[], object]) -> records.Result:
        """Have `request` done for a job of another runner, and return its result; the listener hears nothing of it.

        tick: called while that is waited for; what it raises cancels the request. Raises BadRequest where it fails, and
        Cancelled where the runner is closed.
        """
        events: queue.SimpleQueue[records.Event] = queue.SimpleQueue()
        job = self.submit(request, events.put)
        try:
            while True:
                tick()
                try:
                    event = events.get(timeout=_LOOK_EVERY_S)
                except queue.Empty:
                    continue
                match event:
                    case records.JobFinished(result=result):
                        return result
                    case records.JobFailed(failure=failure):
                        raise BadRequest(failure.message, failure.hint)
                    case records.JobCancelled():
                        raise Cancelled
        except Cancelled:
            self.cancel(job)
            raise

    def cancel(self, job: records.JobId) -> None:
        """Ask the job with the number `job` to stop, running or queued; unknown and ended jobs are ignored."""
        self._change(job, lambda one: one.stop.set())

    def stop(self, job: records.JobId) -> None:
        """Ask the running tuning job `job` to end and keep its best; any other job, or one still queued, is cancelled.

        Unknown and ended jobs are ignored.
        """
        self._change(job, lambda one: (one.keep if one.can_keep else one.stop).set())

    def pause(self, job: records.JobId) -> None:
        """Let the tuning, evaluation or download job `job` wait at its next step until `resume`; leave others alone."""
        self._change(job, lambda one: setattr(one, "is_paused", one.can_pause))

    def resume(self, job: records.JobId) -> None:
        """Let the paused job with the number `job` go on; one that is not paused is not changed."""
        self._change(job, lambda one: setattr(one, "is_paused", False))

    def shut(self) -> None:
        """Cancel all jobs, and answer every request that is submitted later with JobCancelled; do not wait."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                job.stop.set()
            self._changed.notify_all()

    def close(self, timeout_s: float) -> bool:
        """Cancel all jobs, wait for the worker thread at most `timeout_s` seconds, and return True if it has ended.

        A request submitted later is answered with JobCancelled.
        """
        self.shut()
        if self._thread.ident and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _change(self, job: records.JobId, change: Callable[[_Job], None]) -> None:
        with self._changed:
            if job in self._jobs:
                change(self._jobs[job])
                self._changed.notify_all()

    def _on_event(self, event: records.Event) -> None:
        _tell(self._listener, event)

    def _run(self) -> None:
        worker = self._warm_up()
        while (job := self._next()) is not None:
            self._do(worker, job)

    def _next(self) -> _Job | None:
        """The job whose turn it is, once there is one; None when all is closed and nobody waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._taken(min(self._waiting, key=_length)) if self._waiting else None

    def _taken(self, job: _Job) -> _Job:
        """Take a job out of the queue and return it."""
        self._waiting.remove(job)
        return job

    def _do(self, worker: Handler | records.Failure, job: _Job) -> None:
        _tell(job.tell, self._ending(worker, job))
        with self._changed:
            del self._jobs[job.id]

    def _warm_up(self) -> Handler | records.Failure:
        try:
            return self._make(self._on_event)
        except Exception as error:
            failure = _failure(error)
            self._on_event(records.EngineFailed(failure))
            return failure

    def _ending(self, worker: Handler | records.Failure, job: _Job) -> records.Event:
        if job.stop.is_set():
            return records.JobCancelled(job.id)
        job.has_started = True
        _tell(job.tell, records.JobStarted(job.id))
        if isinstance(worker, records.Failure):
            return records.JobFailed(job.id, worker)
        progress = StoppableProgress(
            lambda *progress: _tell(job.tell, records.JobProgress(job.id, *progress)),
            job.stop,
            job.keep,
            (lambda: self._step_aside(worker, job)) if job.length > Length.MOMENT else None,
            lambda: job.is_paused,
        )
        try:
            return records.JobFinished(job.id, worker(job.id, job.request, partial(_tell, job.tell), progress))
        except Stopped as stopped:
            return records.JobCancelled(job.id, stopped.message)
        except Cancelled:
            return records.JobCancelled(job.id)
        except Exception as error:
            return records.JobFailed(job.id, _failure(error))

    def _step_aside(self, worker: Handler, job: _Job) -> float:
        """Let shorter ones before that wait, and wait while paused; the seconds that took. Ends soon after `job` is told to end."""
        # Asked at every tick, so without the lock: what comes a moment too late is met at the next one.
        if not job.is_paused and not self._waiting:
            return 0.0
        begun_s, announced = time.monotonic(), False
        while not job.is_ending:
            if job.is_paused != announced:
                announced = not announced
                _tell(job.tell, records.JobPaused(job.id) if announced else records.JobContinued(job.id))
            elif (other := self._passing(job)) is not None:
                self._do(worker, other)
            elif announced:
                with self._changed:
                    self._changed.wait_for(
                        lambda: job.is_ending or not job.is_paused or self._first_passing(job) is not None
                    )
            else:
                break
        return time.monotonic() - begun_s

    def _passing(self, job: _Job) -> _Job | None:
        """The next waiting job that may go before `job`, taken out of the queue."""
        with self._changed:
            found = self._first_passing(job)
            return None if found is None else self._taken(found)

    def _first_passing(self, job: _Job) -> _Job | None:
        found = min(self._waiting, key=_length, default=None)
        return found if found is not None and found.length < job.length else None


def _length(job: _Job) -> Length:
    return job.length


def _tell(listener: OnEvent, event: records.Event) -> None:
    try:
        listener(event)
    except Exception:
        # The listener's own fault: it must not cost the thread, or the jobs that wait.
        _log.exception("the listener failed on %s", type(event).__name__)


def _failure(error: Exception) -> records.Failure:
    if (blamed := plugins.blamed(error)) is not None:
        _log.info("a plug-in failed", exc_info=error)
        error = blamed
    error = files.disk_problem(error) or error
    if isinstance(error, CaptError):
        return records.Failure(type(error).__name__, error.message, error.hint, exit_code=error.exit_code)
    _log.exception("unexpected failure")
    return records.Failure(
        type(error).__name__,
        f"Something went wrong that should not have: {error}",
        "This is a bug in CAPT Explorer; the log holds the details.",
        traceback.format_exc(),
    )
