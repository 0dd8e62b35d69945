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
    """One worker thread behind one queue; a second, light one fetches models and waits for the network meanwhile.

    Every method may be called from any thread; all but `close` return at once.
    """

    def __init__(self, on_event: Callable[[Event], None], *, device: str = "auto", at_once: bool = True) -> None:
        """Start the worker; with `at_once` False that is left to the first request that needs torch.

        on_event: called on a worker's thread with every event, `EngineReady` before any result of the one that computes.
        device: "auto", "cpu", "cuda" or "mps"; what `EngineReady.device` describes, and what requests with device "auto" run on.
        """
        ids = itertools.count(1)
        self._runner = Runner(on_event, lambda tell: worker_threads.science(device, tell), ids=ids)
        self._light = Runner(on_event, worker_threads.light, ids=ids, name="capt-downloads")
        if at_once:
            self._runner.start()

    def submit(self, request: Request) -> JobId:
        """Queue `request` and return the number of its job, which ends in JobFinished, JobFailed or JobCancelled.

        Downloads and the list of models go to a second worker thread, and do not wait for the computing one.
        """
        return (self._light if isinstance(request, worker_threads.LIGHT) else self._runner).submit(request)

    def cancel(self, job: JobId) -> None:
        """Ask the job with the number `job` to stop, running or still queued; it ends in JobCancelled.

        A running job stops at its next progress report. Unknown and ended jobs are ignored.
        """
        self._runner.cancel(job)
        self._light.cancel(job)

    def stop(self, job: JobId) -> None:
        """End the tuning job `job` early and keep its best epoch so far: it ends in JobFinished.

        The epoch that is under way is dropped. Before the first epoch has ended, the job ends in JobCancelled with a
        reason; a job of another kind, or one still queued, is cancelled. Unknown and ended jobs are ignored.
        """
        self._runner.stop(job)
        self._light.stop(job)

    def pause(self, job: JobId) -> None:
        """Let the tuning, evaluation or download job `job` wait at its next step until `resume`, reported by JobPaused.

        Shorter jobs go on meanwhile. A job of another kind is not changed; unknown and ended jobs are ignored.
        """
        self._runner.pause(job)
        self._light.pause(job)

    def resume(self, job: JobId) -> None:
        """Let the paused job `job` go on, reported by JobContinued; one that is not paused is not changed."""
        self._runner.resume(job)
        self._light.resume(job)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel all jobs, wait about `timeout_s` seconds for both worker threads, and return True if they ended.

        False means that one was still busy; it ends with the process. A request submitted later is answered with
        JobCancelled.
        """
        ends_s = time.monotonic() + timeout_s
        ended = self._runner.close(timeout_s)
        return self._light.close(max(0.1, ends_s - time.monotonic())) and ended
