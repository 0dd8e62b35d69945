"""The engine's workers: one that loads torch and computes, one for files, one that only fetches and lists. Light to import."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from capt_engine.jobs.context import Ask, JobContext, ModelContext, OnEvent
from capt_engine.jobs.runner import Handler
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.records import (
    CheckWordsRequest,
    DeleteRunsRequest,
    DownloadRequest,
    EmptyTrashRequest,
    EngineNote,
    EngineReady,
    JobId,
    LedgerRequest,
    ListModelsRequest,
    ListRunsRequest,
    NoteRunRequest,
    OfflineRequest,
    PreviewRequest,
    ReportRequest,
    Request,
    RestoreRunsRequest,
    Result,
    SaveChartRequest,
    ScanRequest,
    SplitRequest,
    StoredAnswersRequest,
    StoredPicturesRequest,
    StoreRequest,
    ToyWorldRequest,
)

# What needs no torch: it is answered while torch loads, and while a model computes.
LIGHT = (
    CheckWordsRequest,
    DownloadRequest,
    ListModelsRequest,
    LedgerRequest,
    OfflineRequest,
    StoredAnswersRequest,
    StoredPicturesRequest,
    StoreRequest,
)
# Lists of kept runs come from the same worker, which loads torch for them: the metrics name their columns.
RUN_LISTS = (ListRunsRequest, NoteRunRequest, DeleteRunsRequest, RestoreRunsRequest, EmptyTrashRequest)
# What reads and draws many files needs a worker of its own, so that lists come meanwhile.
FILES = (PreviewRequest, ScanRequest, SplitRequest, ToyWorldRequest, ReportRequest, SaveChartRequest)


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


def science(device: str, on_event: OnEvent) -> Handler:
    """Load torch and the models' code, send EngineReady with the catalogue, and return the function that does requests.

    device: the device for requests that say "auto". on_event: takes the events of loading. Raises DeviceProblem where
    the device cannot be used.
    """
    # Imported here, as it is the worker's thread that waits for it. What the other workers need comes first: a thread that imports a
    # compiled module while torch's libraries are loaded waits for the system's loader, and the window for that thread, which
    # holds Python's lock meanwhile.
    from capt_engine.jobs import download_jobs, file_jobs  # noqa: F401
    from capt_engine.model import imports

    with _garbage_left_alone():
        on_event(EngineNote("Loading torch"))
        imports.preload_torch()
        import torch  # noqa: F401 - loaded here, between the two notes

        on_event(EngineNote("Loading open_clip"))
        from capt_engine.jobs import catalogue, handlers, model_cache
    cache = model_cache.ModelCache(device)
    on_event(EngineReady(catalogue.catalogue(), cache.device_info))
    return lambda job, request, on_event, progress: handlers.handle(
        ModelContext(job, on_event, progress, cache), request
    )


def files(ask: Ask) -> Handler:
    """Return the function that does requests about pictures, reports and charts on disk, without a model.

    ask: has a request done by the worker that computes.
    """
    # Imported here, as it is the worker's thread that waits for it.
    from capt_engine.jobs import file_jobs

    return file_jobs.worker(ask)


def light(_: OnEvent) -> Handler:
    """Return the function that does requests without a model, such as downloads and lists; the argument is not used."""
    from capt_engine.jobs import download_jobs

    def handle(job: JobId, request: Request, on_event: OnEvent, progress: StoppableProgress) -> Result:
        if isinstance(request, RUN_LISTS):
            # Here, as runs know the metrics and these torch, for which no download should wait.
            from capt_engine.jobs import kept_run_jobs

            return kept_run_jobs.HANDLERS[type(request)](JobContext(job, on_event, progress), request)
        return download_jobs.handle(job, request, on_event, progress)

    return handle
