"""From a request to the science and back: one small adapter per kind of job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

import torch

from capt_engine import records
from capt_engine.data.class_lists import judged_among
from capt_engine.data.class_names import NAME_FOLDERS, wordless
from capt_engine.data.few_shot import half_of_classes
from capt_engine.data.labelled_set import LabelledSet, TargetColumn
from capt_engine.data.sources import labelled
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import analyze, evaluate
from capt_engine.evaluation.plan import Variant, chosen, plan_analysis, plan_evaluation
from capt_engine.files import sha256
from capt_engine.jobs import catalogue, importing, install_jobs, tuning_jobs
from capt_engine.jobs.context import JobContext, ModelContext
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.run_recording import Rows, recorded, refuse_early, with_pictures
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.checkpoints import plain_sentence, read_document
from capt_engine.model.classifier import Classifier
from capt_engine.model.store.prompt_store import find
from capt_engine.model.text import count_tokens, split_template, tokens_of


def handle_analyze(job: ModelContext, request: records.AnalyzeRequest) -> records.AnalyzeResult:
    """Predict and attack the unlabelled pictures of `request`, compare two sets of prompts if wanted, return counts.

    Loads the model and prompts first. Rows leave through the job's `on_event`; a run folder is written where the
    request names one. Raises CaptError.
    """
    refuse_early(request)
    perceptual = job.cache.lpips(request)
    job.progress(0, 0, f"loading {request.options.model}")
    # A's come before B's, as in the window
    own = next(filter(None, map(_prompts_of, request.variants)), None)
    classes, template = catalogue.suggestion(request.options.model)
    if own is not None and not request.options.classes:
        document = read_document(own)
        classes, template = document.classes or classes, plain_sentence(document)
    classes, template = request.options.classes or classes, request.options.template or template
    if any(path and read_document(path).shape.n_classes for path in map(_prompts_of, request.variants)):
        # The list that prompts of each class's own were published with may have a name twice.
        classes = records.distinct(classes)
    variants, frozen = _variants(job.cache, request, classes, template)
    wanted = with_pictures(request)
    source, _ = _beside(job.cache, request, classes, template)
    work = plan_analysis(wanted, variants, frozen, source=source, lpips=perceptual)
    return recorded(
        job, request, work, template, lambda emit, done: analyze(work, request.paths, emit, job.progress, done)
    )


def handle_evaluate(job: ModelContext, request: records.EvaluateRequest) -> records.AnalyzeResult:
    """Predict and attack the labelled pictures of `request`, count the right answers, and return the summary.

    Loads the model and prompts first. Rows leave through the job's `on_event`; a run folder is written where the
    request names one. Raises CaptError.
    """
    refuse_early(request)
    perceptual = job.cache.lpips(request)
    job.progress(0, 0, "looking for pictures")
    column = request.options.threat.target_column
    if column and request.subsample_classes != "all":
        raise BadRequest(
            f"The column {column!r} counts in all classes, and {request.subsample_classes!r} takes a half of them.",
            "Leave --target-column or --subsample-classes away.",
        )
    targets = TargetColumn(column, len(request.options.classes)) if column else None
    data, label_source = labelled(request.data, request.split, request.data_root, targets)
    (data,) = half_of_classes(request.subsample_classes, _named(data, request, label_source))
    said = data.notes
    items = chosen(data, request.limit, request.shard, request.options.seed)
    if not items:
        raise BadRequest("There is no picture to evaluate.", "Choose another part of the data, or a larger limit.")
    job.progress(0, 0, f"loading {request.options.model}")
    template = request.options.template or data.template
    variants, frozen = _variants(job.cache, request, data.classes, template)
    wanted = with_pictures(request)
    source, baseline = _beside(job.cache, request, data.classes, template)
    work = plan_evaluation(wanted, variants, frozen, label_source, source=source, baseline=baseline, lpips=perceptual)

    def evaluated(emit: Callable[[Rows], None], finished: Iterable[str]) -> records.AnalyzeResult:
        done = {*request.skip, *finished}
        left = [item for item in items if item.path not in done]
        result = evaluate(work, left, emit, job.progress, probed=items)
        return replace(result, notes=(*said, *result.notes))

    return recorded(job, request, work, template, evaluated)


def _named(data: LabelledSet, request: records.EvaluateRequest, label_source: str) -> LabelledSet:
    """The pictures among the class names of the request, or the data's own; its notes say how they came together."""
    options = request.options
    named = judged_among(
        data, options.classes or data.classes, options.class_folders, of_folders=label_source == "folder"
    )
    if (sentence := wordless(named.classes)) and not options.classes:
        named = replace(named, notes=(*named.notes, f"{sentence} {NAME_FOLDERS}"))
    return named


def _prompts_of(name: str | None) -> Path | None:
    return None if name in (None, "", records.NO_PROMPTS) else find(str(name))


def _variants(
    cache: ModelCache, request: records.RunRequest, classes: Sequence[str], template: str
) -> tuple[list[Variant], Classifier]:
    """A, and B where there is one, and the zero-shot classifier."""
    frozen = cache.classifier(request, classes, template, None)
    wanted = request.variants
    if len(set(wanted)) < len(wanted):
        raise BadRequest(f"A and B are both {wanted[-1]!r}.", "Compare with other prompts, or with none.")
    variants = []
    for name in wanted:
        if (path := _prompts_of(name)) is None:
            variants.append(Variant(name, frozen))
            continue
        document = read_document(path)
        rule = AlphaRule.of(document.method, document.settings)
        variants.append(Variant(name, cache.classifier(request, classes, template, path), sha256(path), rule))
    return variants, frozen


def _beside(
    cache: ModelCache, request: records.RunRequest, classes: Sequence[str], template: str
) -> tuple[Classifier | None, Classifier | None]:
    """The other model that attacks are to be computed on, and the undefended one that checks want; None where there is none.

    Raises BadRequest for attacks computed on the model itself, and what loading raises.
    """
    on = request.options.source_model
    if on == request.options.model and request.options.prompts in (None, "", records.NO_PROMPTS):
        raise BadRequest(
            "The attack would be computed on the very model that is asked.", "Leave --source-model away for that."
        )
    base = cache.backbone(request.options.model, request.options.device).base
    below = base.id if base is not None and request.checks == "full" else ""
    models = [name for name in dict.fromkeys((on, below)) if name and name != request.options.model]
    found = dict(zip(models, cache.beside(models, request, classes, template), strict=True))
    source = cache.classifier(request, classes, template, None) if on == request.options.model else found.get(on)
    return source, found.get(below)


def handle_check_classes(job: ModelContext, request: records.CheckClassesRequest) -> records.ClassesChecked:
    """Count the tokens of each class name of `request` in its template, as its model does; return the counts.

    The result also has the model's limit, and the indices of names that are too long and of names that are repeated.
    job: the context, with the models and the progress. Raises CaptError where the model cannot be loaded.
    """
    job.progress(0, 0, f"loading {request.model}")
    backbone = job.cache.backbone(request.model, "auto")
    names = [name.replace("_", " ").strip() for name in request.classes]
    before, after = split_template(request.template)
    tokens = count_tokens(backbone, [f"{before}{name}{after}" for name in names]) if names else ()
    read = tokens_of(backbone, names)
    return records.ClassesChecked(
        tokens=tokens,
        limit=backbone.context_length,
        too_long=tuple(i for i, count in enumerate(tokens) if count > backbone.context_length),
        repeated=tuple(i for i, name in enumerate(names) if name in names[:i]),
        alike=tuple(i for i, name in enumerate(names) if read[i] in read[:i] and name not in names[:i]),
    )


def handle_count_tokens(job: ModelContext, request: records.CountTokensRequest) -> records.TokensCounted:
    """Count the tokens of each sentence of `request` as its model does, and return them with the model's limit.

    job: the context, with the models and the progress. Raises CaptError where the model cannot be loaded.
    """
    job.progress(0, 0, f"loading {request.model}")
    backbone = job.cache.backbone(request.model, "auto")
    tokens = count_tokens(backbone, request.sentences) if request.sentences else ()
    return records.TokensCounted(tokens, backbone.context_length)


def handle_catalogue(job: JobContext, request: records.CatalogueRequest) -> records.Catalogue:
    """Look up again which models and prompts are installed; send the catalogue in CatalogueChanged and return it.

    job: the context that takes the event. request: holds nothing that is used.
    """
    del request
    job.progress(0, 0, "looking at the models")
    found = catalogue.catalogue()
    job.on_event(records.CatalogueChanged(found))
    return found


# What a handler takes is said by the type of its request.
HANDLERS: dict[type, Callable[[ModelContext, Any], records.Result]] = {
    get_type_hints(handler)["request"]: handler
    for handler in (
        install_jobs.handle_verify,
        install_jobs.handle_remove,
        handle_analyze,
        handle_catalogue,
        handle_evaluate,
        tuning_jobs.handle_tune,
        tuning_jobs.handle_forecast,
        tuning_jobs.handle_save_tuned,
        handle_check_classes,
        handle_count_tokens,
        importing.handle_describe_prompts,
        importing.handle_import_prompts,
        importing.handle_import_model,
        importing.handle_import_lpips,
        importing.handle_sanity,
    )
}


def handle(job: ModelContext, request: records.Request) -> records.Result:
    """Do the job that `request` asks for, by the handler of its type, and return the result.

    job: the context; rows, previews and other events leave through its `on_event`. Raises CaptError where the job
    fails.
    """
    # A job may run at a tick of another, and what holds there (no gradients, say) must not hold in it.
    with torch.inference_mode(False), torch.enable_grad():
        return HANDLERS[type(request)](job, request)
