"""The door to the engine: submit a request; cancel, stop, pause or resume a job; close. Nothing else of the engine is for the outside.

Importing this module loads neither torch nor any attack: the worker thread does that once it runs.
"""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.jobs.runner import Runner
from capt_engine.records import Event, JobId, Request


class Engine:
    """One worker thread behind one queue. Every method may be called from any thread; all but `close` return at once."""

    def __init__(self, on_event: Callable[[Event], None], *, device: str = "auto") -> None:
        """Start the worker. `on_event` is called on the worker's thread with every event, `EngineReady` before any other result.

        device: "auto", "cpu", "cuda" or "mps"; what `EngineReady.device` describes, and what requests with device "auto" run on.
        """
        self._runner = Runner(on_event, device=device)

    def submit(self, request: Request) -> JobId:
        """Queue a request; its job ends in exactly one of JobFinished, JobFailed, JobCancelled."""
        return self._runner.submit(request)

    def cancel(self, job: JobId) -> None:
        """Ask a job to stop, running or still queued; it stops at its next tick. Unknown and ended jobs are ignored."""
        self._runner.cancel(job)

    def stop(self, job: JobId) -> None:
        """End a running tuning job after its last whole epoch, with the best one so far: it finishes. Before the first epoch has ended
        it is cancelled with a reason; a job of another kind is cancelled."""
        self._runner.stop(job)

    def pause(self, job: JobId) -> None:
        """Let a tuning job wait at its next tick, told by JobPaused, while others go on; a job of another kind goes on itself."""
        self._runner.pause(job)

    def resume(self, job: JobId) -> None:
        """Let a paused job go on, told by JobContinued."""
        self._runner.resume(job)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel everything and wait for the worker, at most `timeout_s`; False if it was still busy by then."""
        return self._runner.close(timeout_s)
