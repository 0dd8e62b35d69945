"""The door to the engine: submit a request; cancel, stop, pause or resume a job; close. Nothing else of the engine is for the outside.

Importing this module loads neither torch nor any attack: the worker thread does that once it runs.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from capt_engine.jobs import worker_threads
from capt_engine.jobs.runner import Runner
from capt_engine.records import Event, JobId, Request


class Engine:
    """Three worker threads, each behind a queue: one computes, one reads and draws files, one fetches models and lists.

    In each, short jobs step in front of long ones. Every method may be called from any thread; all but `close` return at once.
    """

    def __init__(self, on_event: Callable[[Event], None], *, device: str = "auto", at_once: bool = True) -> None:
        """Start the worker; with `at_once` False that is left to the first request that needs torch.

        on_event: called on a worker's thread with every event, `EngineReady` before any result of the one that computes.
        device: "auto", "cpu", "cuda" or "mps"; what `EngineReady.device` describes, and what requests with device "auto" run on.
        """
        ids = itertools.count(1)
        self._science = Runner(on_event, lambda tell: worker_threads.science(device, tell), ids=ids)
        self._files = Runner(on_event, lambda _: worker_threads.files(self._science.ask), ids=ids, name="capt-files")
        self._light = Runner(on_event, worker_threads.light, ids=ids, name="capt-downloads")
        self._runners = (self._science, self._files, self._light)
        if at_once:
            self._science.start()

    def submit(self, request: Request) -> JobId:
        """Queue `request` and return the number of its job, which ends in JobFinished, JobFailed or JobCancelled.

        Pictures that are looked for, shown, scanned or divided, reports, charts, lists and downloads do not wait for the
        worker that computes. There, a few pictures do not wait for the end of a folder, nor those for that of a tuning run.
        """
        if isinstance(request, (*worker_threads.LIGHT, *worker_threads.RUN_LISTS)):
            return self._light.submit(request)
        return (self._files if isinstance(request, worker_threads.FILES) else self._science).submit(request)

    def cancel(self, job: JobId) -> None:
        """Ask the job with the number `job` to stop, running or still queued; it ends in JobCancelled.

        A running job stops at its next progress report. Unknown and ended jobs are ignored.
        """
        for runner in self._runners:
            runner.cancel(job)

    def stop(self, job: JobId) -> None:
        """End the tuning job `job` early and keep its best epoch so far: it ends in JobFinished.

        The epoch that is under way is dropped. Before the first epoch has ended, the job ends in JobCancelled with a
        reason; a job of another kind, or one still queued, is cancelled. Unknown and ended jobs are ignored.
        """
        for runner in self._runners:
            runner.stop(job)

    def pause(self, job: JobId) -> None:
        """Let the tuning, evaluation or download job `job` wait at its next step until `resume`, reported by JobPaused.

        Shorter jobs go on meanwhile. A job of another kind is not changed; unknown and ended jobs are ignored.
        """
        for runner in self._runners:
            runner.pause(job)

    def resume(self, job: JobId) -> None:
        """Let the paused job `job` go on, reported by JobContinued; one that is not paused is not changed."""
        for runner in self._runners:
            runner.resume(job)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel all jobs, wait about `timeout_s` seconds for the worker threads, and return True if they ended.

        False means that one was still busy; it ends with the process. A request submitted later is answered with
        JobCancelled.
        """
        ends_s = time.monotonic() + timeout_s
        for runner in self._runners:
            runner.shut()
        ended = [runner.close(max(0.1, ends_s - time.monotonic())) for runner in self._runners]
        return all(ended)
