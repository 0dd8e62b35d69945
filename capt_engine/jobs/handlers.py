"""From a request to the science and back: one small adapter per kind of job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, get_type_hints

import torch

from capt_engine import records
from capt_engine.data.class_lists import judged_among
from capt_engine.data.class_names import NAME_FOLDERS, wordless
from capt_engine.data.few_shot import half_of_classes
from capt_engine.data.folders import collect
from capt_engine.data.given_labels import given
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.data.labelled_set import LabelledSet, TargetColumn
from capt_engine.data.sources import labelled
from capt_engine.errors import BadImage, BadRequest
from capt_engine.evaluation.analysis import analyze, evaluate
from capt_engine.evaluation.choice import chosen
from capt_engine.evaluation.known import Known
from capt_engine.evaluation.plan import Plan, plan_evaluation
from capt_engine.jobs import catalogue, closer_look, data_jobs, importing, install_jobs, kept_run_jobs, tuning_jobs
from capt_engine.jobs.chart_saving import handle_save_chart
from capt_engine.jobs.comparing import compared
from capt_engine.jobs.context import Gathered, JobContext
from capt_engine.jobs.planning import analysis_plan, beside, variants_of
from capt_engine.jobs.reporting import handle_report
from capt_engine.jobs.run_recording import Rows, recorded, refuse_early, with_pictures
from capt_engine.model.text import count_tokens, split_template, tokens_of


def handle_analyze(job: JobContext, request: records.AnalyzeRequest) -> records.AnalyzeResult:
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


def handle_evaluate(job: JobContext, request: records.EvaluateRequest) -> records.AnalyzeResult:
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


def handle_compare(job: JobContext, request: records.CompareRequest) -> records.CompareResult:
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


def handle_preview(job: JobContext, request: records.PreviewRequest) -> records.PreviewResult:
    """Find the picture files of `request`, send their paths, then a small view of each; return how many can be read.

    Events leave through the job's `on_event`: PicturesFound once, with the labels that came along, then PreviewsReady. A
    file that cannot be read stands there with the reason; the result counts those too.
    """
    paths, labels = given(request.paths)
    found = collect(paths)
    skipped = tuple(records.FailedPicture(path, sentence) for path, sentence in (*found.skipped, *found.left_out))
    known = tuple((file, label) for file in found.files if (label := labels.get(os.path.realpath(file))))
    job.on_event(records.PicturesFound(job.id, found.files, skipped, known))
    small: Gathered[records.Preview | records.FailedPicture] = Gathered(
        lambda previews: job.on_event(records.PreviewsReady(job.id, previews)), data_jobs.GATHER_S
    )
    n_failed = len(skipped)
    for done, path in enumerate(found.files):
        job.progress(done, len(found.files), "reading pictures")
        one = _preview(path, request.size)
        n_failed += isinstance(one, records.FailedPicture)
        small.add(one)
    small.send()
    return records.PreviewResult(len(found.files) + len(skipped) - n_failed, n_failed)


def _preview(path: str, size: int) -> records.Preview | records.FailedPicture:
    try:
        photo = read_photo(path)
    except BadImage as error:
        return records.FailedPicture(path, error.message, error.hint)
    small = thumbnail(photo, size)
    height, width, _ = small.shape
    return records.Preview(
        path, photo.width, photo.height, records.Picture(width, height, small.tobytes()), photo.notes
    )


def handle_check_classes(job: JobContext, request: records.CheckClassesRequest) -> records.ClassesChecked:
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
HANDLERS: dict[type, Callable[[JobContext, Any], records.Result]] = {
    get_type_hints(handler)["request"]: handler
    for handler in (
        install_jobs.handle_verify,
        install_jobs.handle_remove,
        handle_analyze,
        handle_catalogue,
        handle_evaluate,
        handle_compare,
        tuning_jobs.handle_tune,
        tuning_jobs.handle_forecast,
        tuning_jobs.handle_save_tuned,
        handle_report,
        kept_run_jobs.handle_list_runs,
        kept_run_jobs.handle_note_run,
        kept_run_jobs.handle_delete_runs,
        kept_run_jobs.handle_restore_runs,
        kept_run_jobs.handle_empty_trash,
        handle_save_chart,
        handle_preview,
        handle_check_classes,
        closer_look.handle_saliency,
        closer_look.handle_replay,
        data_jobs.handle_scan,
        data_jobs.handle_split,
        importing.handle_describe_prompts,
        importing.handle_import_prompts,
        importing.handle_import_model,
        importing.handle_import_lpips,
        importing.handle_sanity,
    )
}


def handle(job: JobContext, request: records.Request) -> records.Result:
    """Do the job that `request` asks for, by the handler of its type, and return the result.

    job: the context; rows, previews and other events leave through its `on_event`. Raises CaptError where the job
    fails.
    """
    # A job may run at a tick of another, and what holds there (no gradients, say) must not hold in it.
    with torch.inference_mode(False), torch.enable_grad():
        return HANDLERS[type(request)](job, request)
