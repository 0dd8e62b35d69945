"""Importing published models and prompts, from the door's side: convert, install, remember hashes, and see whether the result works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from capt_engine import records
from capt_engine.data.labelled_set import Item
from capt_engine.data.sources import labelled
from capt_engine.demo.world import TASKS
from capt_engine.errors import CaptError
from capt_engine.evaluation.sanity import few, sanity, unscored
from capt_engine.jobs import catalogue
from capt_engine.jobs.context import JobContext, ModelContext
from capt_engine.model.checkpoints import read_document
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.importers import lpips, models
from capt_engine.model.importers.base import ImportOptions
from capt_engine.model.importers.conversion import Converted, converted
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.model.store import install_record, lpips_store, prompt_store
from capt_engine.progress import Progress
from capt_engine.resources import resource

DEMO_PICTURES = "the demo pictures"


def handle_import_prompts(job: ModelContext, request: records.ImportPromptsRequest) -> records.PromptsImported:
    """Convert the published prompts in the file of `request` for its model, install them, and return name and score.

    The score of the model without prompts stands beside it, on the same few pictures. The job's `on_event` gets
    CatalogueChanged. Raises CaptError where the file cannot be used; where only the scoring fails, the score says why.
    """
    job.progress(0, 0, f"loading {request.model}")
    backbone = job.cache.backbone(request.model, request.device)
    job.progress(0, 0, f"reading {Path(request.file).name}")
    options = ImportOptions(request.template, request.classes, request.position, request.family)
    path = Path(request.file)
    found = converted(
        path, backbone, options, eps=request.eps, any_model=request.any_model, progress=_beat(job.progress, path)
    )
    digest = str(found.document.settings["imported_sha256"])
    name = prompt_store.install(request.name or f"{found.document.method}-{digest[:8]}", found.prompts, found.document)
    job.on_event(records.CatalogueChanged(catalogue.catalogue()))
    shelved = prompt_store.own_folder() / f"{name}{prompt_store.SUFFIX}"
    score, plain = _scores(request, found, backbone, job.progress)
    return records.PromptsImported(
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


def handle_describe_prompts(job: JobContext, request: records.DescribePromptsRequest) -> records.PromptsDescribed:
    """Return what the prompts file of `request` says of itself. Raises BadCheckpoint where it is no sound prompts file."""
    path = Path(request.file)
    job.progress(0, 0, f"reading {path.name}")
    info = prompt_store.described(request.file, read_document(path))
    return records.PromptsDescribed(replace(info, label=path.stem, model=""))


def handle_import_model(job: JobContext, request: records.ImportModelRequest) -> records.ModelImported:
    """Convert the published weights that `request` names, install the model, and return it with its zero-shot score.

    The job's `on_event` gets CatalogueChanged. Raises CaptError where the weights cannot be used; where only the
    scoring fails, the score says why.
    """
    job.progress(0, 0, f"reading {Path(request.path).name}")
    path = Path(request.path)
    brought = models.install(
        path,
        request.name,
        base=request.base,
        activation=request.activation,
        head_width=request.head_width,
        progress=_beat(job.progress, path),
    )
    job.on_event(records.CatalogueChanged(catalogue.catalogue()))
    backbone = load_backbone(request.name, torch.device("cpu"))
    return records.ModelImported(
        name=brought.name,
        folder=str(brought.folder),
        form=brought.form,
        sha256=backbone.sha256,
        said=brought.said,
        assumed=brought.assumed,
        score=_score(request.pictures, backbone, None, job.progress),
    )


def handle_import_lpips(job: JobContext, request: records.ImportLpipsRequest) -> records.LpipsImported:
    """Install the weights of LPIPS (a measure of visual distance) from the two files of `request`; return their place.

    The job's `on_event` gets CatalogueChanged. Raises CaptError where the files cannot be used.
    """
    one, other = Path(request.one), Path(request.other)
    job.progress(0, 0, f"reading {one.name} and {other.name}")
    found = lpips_store.install(lpips.read_lpips(one, other, _beat(job.progress, one)))
    job.on_event(records.CatalogueChanged(catalogue.catalogue()))
    facts = {name: value for name, value in found.facts.items() if name != "format"}
    return records.LpipsImported(label=found.net.label, path=str(found.path), **facts)


def handle_sanity(job: ModelContext, request: records.SanityRequest) -> records.SanityScore:
    """Let the installed model of `request` label a few pictures, and return how many it got right.

    job: the context, with the loaded models. Where the pictures cannot be scored, the result's warning says why. Raises
    CaptError where the model cannot be loaded.
    """
    job.progress(0, 0, f"loading {request.model}")
    return _score(request.pictures, job.cache.backbone(request.model, "auto"), None, job.progress)


def _beat(progress: Progress, path: Path) -> Callable[[], None]:
    """While another process reads a large file, the user can cancel."""
    return lambda: progress(0, 0, f"reading {path.name}")


def _scores(
    request: records.ImportPromptsRequest, found: Converted, backbone: Backbone, progress: Progress
) -> tuple[records.SanityScore, records.SanityScore]:
    plain = _score(request.pictures, backbone, None, progress)
    if found.document.shape.n_classes and not request.pictures:
        why = "These prompts know their own classes only, and the demo pictures show others. Name a folder with --pictures."
        return unscored(DEMO_PICTURES, why), plain
    return _score(request.pictures, backbone, found, progress), plain


def _score(pictures: str, backbone: Backbone, found: Converted | None, progress: Progress) -> records.SanityScore:
    """Never fails an import: where the pictures cannot be scored, the reason stands in the score's place."""
    try:
        classes, items, name, usual = _pictures(pictures)
        learned = None if found is None else LearnedPrompts(found.prompts, found.document)
        classifier = Classifier(backbone, classes, usual, prompts=learned)
        return sanity(classifier, items, name, progress)
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
