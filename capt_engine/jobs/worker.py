"""The worker's side of the door: load torch once, then answer requests. Light to import; `Worker()` loads torch."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from capt_engine.jobs.context import JobContext, OnEvent
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model import imports
from capt_engine.records import EngineReady, JobId, Request, Result


@contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Collecting garbage stops every thread, the window's too, for as long as it takes to look at each object there is.

    Importing makes half a million objects that stay, and would be interrupted to look at them all again and again; afterwards they
    are set aside, so that a collection while a model loads has only what is new to look at.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class Worker:
    """The models of one thread, and the function that does its requests. ready: the event that says what there is to choose from."""

    def __init__(self, device: str, note: Callable[[str], None]) -> None:
        """Load torch and all that is built on it; `note` hears what is being loaded. Raises DeviceProblem."""
        with _garbage_left_alone():
            note("Loading torch")
            imports.preload_torch()
            import torch  # noqa: F401 - loaded here, between the two notes

            note("Loading open_clip")
            from capt_engine.jobs import catalogue, handlers, model_cache
        self._handle, self._cache = handlers.handle, model_cache.ModelCache(device)
        self.ready = EngineReady(catalogue.catalogue(), self._cache.device_info)

    def handle(self, job: JobId, request: Request, on_event: OnEvent, progress: StoppableProgress) -> Result:
        """Do what a request asks and return its result; rows and previews leave through `on_event`. Raises CaptError."""
        return self._handle(JobContext(job, self._cache, on_event, progress), request)
