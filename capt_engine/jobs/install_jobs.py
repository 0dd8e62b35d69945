"""Jobs on installed models and prompts: compare them with what they were, take them away."""

from __future__ import annotations

from types import ModuleType

from capt_engine.errors import BadRequest
from capt_engine.jobs import catalogue
from capt_engine.jobs.context import JobContext
from capt_engine.model.store import model_store, prompt_store
from capt_engine.records import CatalogueChanged, Removed, RemoveRequest, Verified, VerifyRequest


def handle_verify(job: JobContext, request: VerifyRequest) -> Verified:
    """Hash again the files of the installed model or prompts that `request` names, and return how many there are.

    job: the context, whose progress is reported. Raises BadCheckpoint where a file is not what was installed,
    BadRequest where there is no such model or prompts.
    """
    job.progress(0, 0, f"reading {request.name}")
    return Verified(request.kind, request.name, len(_store(request.kind).verified(request.name)))


def handle_remove(job: JobContext, request: RemoveRequest) -> Removed:
    """Delete the model or prompts that `request` names from the user's folder, and return the name.

    The job's `on_event` gets CatalogueChanged. Raises BadRequest for one that comes with the program or is not
    installed.
    """
    job.progress(0, 0, f"removing {request.name}")
    _store(request.kind).remove(request.name)
    job.on_event(CatalogueChanged(catalogue.catalogue()))
    return Removed(request.kind, request.name)


def _store(kind: str) -> ModuleType:
    stores = {"model": model_store, "prompts": prompt_store}
    if kind not in stores:
        raise BadRequest(f"There is no store of {kind!r}.", "Known: model, prompts.")
    return stores[kind]
