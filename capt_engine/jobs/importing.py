"""Importing published models and prompts, from the door's side: convert, install, remember hashes, and see whether the result works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from capt_engine.data.labelled import Item
from capt_engine.data.sources import labelled
from capt_engine.demo.world import TASKS
from capt_engine.errors import CaptError
from capt_engine.evaluation.sanity import few, sanity, unscored
from capt_engine.jobs import catalogue
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model.checkpoints import sentence_in
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.importers import lpips, models
from capt_engine.model.importers.base import ImportOptions
from capt_engine.model.importers.conversion import Converted, converted
from capt_engine.model.store import install_record, lpips_store, prompt_store
from capt_engine.records import (
    CatalogueChanged,
    Event,
    ImportLpipsRequest,
    ImportModelRequest,
    ImportPromptsRequest,
    JobId,
    LpipsImported,
    ModelImported,
    PromptsImported,
    SanityRequest,
    SanityScore,
)
from capt_engine.resources import resource

OnEvent = Callable[[Event], None]

DEMO_PICTURES = "the demo pictures"


def handle_import_prompts(
    cache: ModelCache, job: JobId, request: ImportPromptsRequest, on_event: OnEvent, progress: StoppableProgress
) -> PromptsImported:
    """Read a published file, convert it for the model, put it on the store, and score it beside the plain model."""
    del job
    progress(0, 0, f"loading {request.model}")
    backbone = cache.backbone(request.model, request.device)
    progress(0, 0, f"reading {Path(request.file).name}")
    options = ImportOptions(request.template, request.classes, request.position)
    path = Path(request.file)
    found = converted(
        path, backbone, options, eps=request.eps, any_model=request.any_model, progress=_beat(progress, path)
    )
    digest = str(found.document.settings["imported_sha256"])
    name = prompt_store.install(request.name or f"{found.document.method}-{digest[:8]}", found.prompts, found.document)
    on_event(CatalogueChanged(catalogue.catalogue()))
    shelved = prompt_store.own_folder() / f"{name}{prompt_store.SUFFIX}"
    score, plain = _scores(request, found, backbone, progress)
    return PromptsImported(
        name=name,
        path=str(shelved),
        sha256=install_record.sha256(shelved),
        family=found.family,
        model=backbone.id,
        template=found.document.template,
        classes=found.document.classes,
        said=found.said,
        assumed=found.assumed,
        score=score,
        plain=plain,
    )


def handle_import_model(
    cache: ModelCache, job: JobId, request: ImportModelRequest, on_event: OnEvent, progress: StoppableProgress
) -> ModelImported:
    """Convert and install weights, and score the model zero-shot."""
    del cache, job
    progress(0, 0, f"reading {Path(request.path).name}")
    path = Path(request.path)
    brought = models.install(
        path, request.name, base=request.base, activation=request.activation, progress=_beat(progress, path)
    )
    on_event(CatalogueChanged(catalogue.catalogue()))
    backbone = load_backbone(request.name, torch.device("cpu"))
    return ModelImported(
        name=brought.name,
        folder=str(brought.folder),
        form=brought.form,
        sha256=backbone.sha256,
        said=brought.said,
        assumed=brought.assumed,
        score=_score(request.pictures, backbone, None, progress),
    )


def handle_import_lpips(
    cache: ModelCache, job: JobId, request: ImportLpipsRequest, on_event: OnEvent, progress: StoppableProgress
) -> LpipsImported:
    """Read the two files that LPIPS is made of, and keep what is needed of them."""
    del cache, job
    one, other = Path(request.one), Path(request.other)
    progress(0, 0, f"reading {one.name} and {other.name}")
    found = lpips_store.install(lpips.read_lpips(one, other, _beat(progress, one)))
    on_event(CatalogueChanged(catalogue.catalogue()))
    told = {name: value for name, value in found.facts.items() if name != "format"}
    return LpipsImported(label=found.net.label, path=str(found.path), **told)


def handle_sanity(
    cache: ModelCache, job: JobId, request: SanityRequest, on_event: OnEvent, progress: StoppableProgress
) -> SanityScore:
    """Ask an installed model about a few pictures."""
    del job, on_event
    progress(0, 0, f"loading {request.model}")
    return _score(request.pictures, cache.backbone(request.model, "auto"), None, progress)


def _beat(progress: StoppableProgress, path: Path) -> Callable[[], None]:
    """While another process reads a large file, the user can cancel."""
    return lambda: progress(0, 0, f"reading {path.name}")


def _scores(
    request: ImportPromptsRequest, found: Converted, backbone: Backbone, progress: StoppableProgress
) -> tuple[SanityScore, SanityScore]:
    plain = _score(request.pictures, backbone, None, progress)
    if found.document.shape.n_classes and not request.pictures:
        why = "These prompts know their own classes only, and the demo pictures show others. Name a folder with --pictures."
        return unscored(DEMO_PICTURES, why), plain
    return _score(request.pictures, backbone, found, progress), plain


def _score(pictures: str, backbone: Backbone, found: Converted | None, progress: StoppableProgress) -> SanityScore:
    """Never fails an import: where the pictures cannot be scored, the reason stands in the score's place."""
    try:
        classes, items, words, usual = _pictures(pictures)
        template = usual if found is None else sentence_in(found.document, usual)
        classifier = Classifier(backbone, classes, template, prompts=None if found is None else found.prompts)
        return sanity(classifier, items, words, lambda done, total, note: progress(done, total, note))
    except CaptError as error:
        return unscored(pictures or DEMO_PICTURES, f"It could not be scored: {error}")


def _pictures(folder: str) -> tuple[tuple[str, ...], tuple[Item, ...], str, str]:
    """Classes, labelled pictures, what they are, and their template."""
    if folder:
        data, _ = labelled(folder)
        return data.classes, few(data), folder, data.template
    task = TASKS["shapes"]
    named = [(path, path.stem.rsplit("-", 1)[-1]) for path in sorted(resource("samples").glob("*.png"))]
    items = tuple(Item(str(path), task.classes.index(shape)) for path, shape in named if shape in task.classes)
    return task.classes, items, DEMO_PICTURES, task.template
