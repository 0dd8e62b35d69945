"""Jobs on installed models and prompts: compare them with what they were, take them away, bring them back."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from capt_engine import trash
from capt_engine.errors import BadRequest
from capt_engine.jobs import catalogue
from capt_engine.jobs.context import JobContext
from capt_engine.model.store import model_store, prompt_store
from capt_engine.records import (
    CatalogueChanged,
    PutBack,
    PutBackRequest,
    Removed,
    RemoveRequest,
    Verified,
    VerifyRequest,
)
from capt_engine.runs import kept_runs


def handle_verify(job: JobContext, request: VerifyRequest) -> Verified:
    """Hash again the files of the installed model or prompts that `request` names, and return how many there are.

    job: the context, whose progress is reported. Raises BadCheckpoint where a file is not what was installed,
    BadRequest where there is no such model or prompts.
    """
    job.progress(0, 0, f"reading {request.name}")
    return Verified(request.kind, request.name, len(_store(request.kind).verified(request.name)))


def handle_remove(job: JobContext, request: RemoveRequest) -> Removed:
    """Move the model or prompts that `request` names from the user's folder to its trash, and return the name.

    What the trash holds too long or too much of goes for good, which may be what was just removed where the disk is nearly
    full. The job's `on_event` gets CatalogueChanged. Raises BadRequest for one that comes with the program or is not installed.
    """
    job.progress(0, 0, f"removing {request.name}")
    place: Path = _store(request.kind).discard(request.name)
    what = "model" if request.kind == "model" else "prompt file"
    emptied = trash.empty(place.parent.parent, kept_runs.trash_rules(), what=what)
    job.on_event(CatalogueChanged(catalogue.catalogue()))
    return Removed(request.kind, request.name, emptied, place.exists())


def handle_put_back(job: JobContext, request: PutBackRequest) -> PutBack:
    """Bring the model or prompts that `request` names back from the trash, and return the name.

    The job's `on_event` gets CatalogueChanged. Raises BadRequest where the trash does not hold it any more, or another has
    taken its name.
    """
    job.progress(0, 0, f"bringing back {request.name}")
    _store(request.kind).put_back(request.name)
    job.on_event(CatalogueChanged(catalogue.catalogue()))
    return PutBack(request.kind, request.name)


def _store(kind: str) -> ModuleType:
    stores = {"model": model_store, "prompts": prompt_store}
    if kind not in stores:
        raise BadRequest(f"There is no store of {kind!r}.", "Known: model, prompts.")
    return stores[kind]
