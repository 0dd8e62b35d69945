"""From a request to the science and back: one small adapter per kind of job."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
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
from capt_engine.evaluation.choice import chosen
from capt_engine.evaluation.known import Known
from capt_engine.evaluation.plan import Plan, plan_evaluation
from capt_engine.jobs import catalogue, closer_look, importing, install_jobs, tuning_jobs
from capt_engine.jobs.comparing import compared
from capt_engine.jobs.context import JobContext, ModelContext
from capt_engine.jobs.planning import analysis_plan, beside, variants_of
from capt_engine.jobs.run_recording import Rows, recorded, refuse_early, with_pictures
from capt_engine.model.numerics import repeatable
from capt_engine.model.text import count_tokens, split_template, tokens_of


def handle_analyze(job: ModelContext, request: records.AnalyzeRequest) -> records.AnalyzeResult:
    """Predict and attack the unlabelled pictures of `request`, compare two sets of prompts if wanted, return counts.

    Loads the model and prompts first. Rows leave through the job's `on_event`; a run folder is written where the
    request names one. Raises CaptError.
    """
    work, template = analysis_plan(job, request)

    def analyzed(
        plan: Plan, emit: Callable[[Rows], None], finished: Iterable[str], known: Known | None
    ) -> records.AnalyzeResult:
        return analyze(plan, request.paths, emit, job.progress, finished, known)

    return recorded(job, request, work, template, analyzed)


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
    variants, frozen = variants_of(job.cache, request, data.classes, template)
    wanted = with_pictures(request)
    source, baseline = beside(job.cache, request, data.classes, template)
    work = plan_evaluation(wanted, variants, frozen, label_source, source=source, baseline=baseline, lpips=perceptual)

    def evaluated(
        plan: Plan, emit: Callable[[Rows], None], finished: Iterable[str], known: Known | None
    ) -> records.AnalyzeResult:
        done = {*request.skip, *finished}
        left = [item for item in items if item.path not in done]
        result = evaluate(plan, left, emit, job.progress, probed=items, known=known)
        return replace(result, notes=(*said, *result.notes))

    return recorded(job, request, work, template, evaluated)


def handle_compare(job: ModelContext, request: records.CompareRequest) -> records.CompareResult:
    """Evaluate each variant of `request` on the same pictures, and return them ranked, the best first.

    Rows leave through the job's `on_event`. Raises BadRequest for fewer than two or too many variants, and what an
    evaluation raises.
    """
    return compared(job, request, handle_evaluate)


def _named(data: LabelledSet, request: records.EvaluateRequest, label_source: str) -> LabelledSet:
    """The pictures among the class names of the request, or the data's own; its notes say how they came together."""
    options = request.options
    named = judged_among(
        data, options.classes or data.classes, options.class_folders, of_folders=label_source == "folder"
    )
    if (sentence := wordless(named.classes)) and not options.classes:
        named = replace(named, notes=(*named.notes, f"{sentence} {NAME_FOLDERS}"))
    return named


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
        install_jobs.handle_put_back,
        handle_analyze,
        handle_catalogue,
        handle_evaluate,
        handle_compare,
        tuning_jobs.handle_tune,
        tuning_jobs.handle_forecast,
        tuning_jobs.handle_save_tuned,
        handle_check_classes,
        handle_count_tokens,
        closer_look.handle_saliency,
        closer_look.handle_replay,
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
    with torch.inference_mode(False), torch.enable_grad(), repeatable(_is_deterministic(request)):
        return HANDLERS[type(request)](job, request)


def _is_deterministic(request: records.Request) -> bool:
    """True where a request asks for repeatable algorithms: of the runs over pictures and the tunings that do."""
    asked = request.options if isinstance(request, records.RunRequest) else request
    return bool(getattr(asked, "deterministic", False))
