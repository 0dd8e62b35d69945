"""The engine's two workers: one that loads torch and computes, one that only fetches and lists. Light to import."""

from __future__ import annotations

from capt_engine.jobs.context import OnEvent
from capt_engine.jobs.runner import Handler
from capt_engine.records import (
    DownloadRequest,
    EngineNote,
    LedgerRequest,
    ListModelsRequest,
    OfflineRequest,
)

LIGHT = (DownloadRequest, ListModelsRequest, LedgerRequest, OfflineRequest)
"""What needs no torch: it is answered while torch loads, and while a model computes."""


def science(device: str, on_event: OnEvent) -> Handler:
    """Load torch and everything that is built on it, send what there is to choose from, and return the function that does requests."""
    # Imported here, as tests put a worker that loads nothing in its place.
    from capt_engine.jobs.worker import Worker

    worker = Worker(device, note=lambda text: on_event(EngineNote(text)))
    on_event(worker.ready)
    return worker.handle


def light(_: OnEvent) -> Handler:
    """Return the function that does requests which need no torch, such as downloads."""
    from capt_engine.jobs.download_jobs import handle

    return handle
