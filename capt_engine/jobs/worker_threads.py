"""The engine's two workers: one that loads torch and computes, one that only fetches and lists. Light to import."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.jobs.runner import Handles
from capt_engine.records import (
    DownloadRequest,
    EngineNote,
    EngineReady,
    Event,
    LedgerRequest,
    ListModelsRequest,
    OfflineRequest,
)

LIGHT = (DownloadRequest, ListModelsRequest, LedgerRequest, OfflineRequest)
"""What needs no torch: it is answered while torch loads, and while a model computes."""


def science(device: str, tell: Callable[[Event], None]) -> Handles:
    """Load torch and everything that is built on it, and say what there is to choose from."""
    # Imported here, as tests put a worker that loads nothing in its place.
    from capt_engine.jobs.worker import Worker

    worker = Worker(device, note=lambda text: tell(EngineNote(text)))
    tell(EngineReady(worker.catalogue(), worker.device_info()))
    return worker


def light(tell: Callable[[Event], None]) -> Handles:
    """Make the handler of downloads, which needs no torch."""
    del tell
    from capt_engine.jobs.download_jobs import Fetcher

    return Fetcher()
