"""Jobs on installed models and prompts: compare them with what they were, take them away."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.jobs import catalogue
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model.checkpoints import read
from capt_engine.model.store import install_record, model_store, prompt_store
from capt_engine.records import CatalogueChanged, Event, JobId, Removed, RemoveRequest, Verified, VerifyRequest

OnEvent = Callable[[Event], None]


def handle_verify(
    cache: ModelCache, job: JobId, request: VerifyRequest, on_event: OnEvent, progress: StoppableProgress
) -> Verified:
    """Hash the files again; raises BadCheckpoint where one has changed."""
    del cache, job, on_event
    progress(0, 0, f"reading {request.name}")
    if _kind(request.kind) == "model":
        return Verified("model", request.name, len(model_store.verified(request.name)))
    path = prompt_store.find(request.name)
    read(path)
    note = prompt_store.note_of(path)
    if note.is_file() and install_record.changed(note):
        raise BadCheckpoint(
            f"{request.name!r} was changed since it was installed.",
            "If that was not you, remove it and import it again.",
        )
    return Verified("prompts", request.name, 1)


def handle_remove(
    cache: ModelCache, job: JobId, request: RemoveRequest, on_event: OnEvent, progress: StoppableProgress
) -> Removed:
    """Delete what the user has installed; raises BadRequest for what ships."""
    del cache, job
    progress(0, 0, f"removing {request.name}")
    (model_store.remove if _kind(request.kind) == "model" else prompt_store.remove)(request.name)
    on_event(CatalogueChanged(catalogue.catalogue()))
    return Removed(request.kind, request.name)


def _kind(kind: str) -> str:
    if kind not in ("model", "prompts"):
        raise BadRequest(f"There is no store of {kind!r}.", "Known: model, prompts.")
    return kind
