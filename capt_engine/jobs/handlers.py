"""From a request to the science and back: one small adapter per kind of job."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from capt_engine.data.class_lists import judged_among
from capt_engine.data.few_shot import half_of_classes
from capt_engine.data.folders import collect
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.data.sources import labelled
from capt_engine.errors import BadImage, BadRequest
from capt_engine.evaluation.analysis import analyze, evaluate
from capt_engine.evaluation.plan import Variant, chosen, plan_analysis, plan_evaluation
from capt_engine.files import sha256
from capt_engine.jobs import catalogue, data_jobs, importing, reporting, run_recording
from capt_engine.jobs.chart_saving import handle_save_chart
from capt_engine.jobs.install_jobs import handle_remove, handle_verify
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.jobs.tuning_jobs import handle_forecast, handle_save_tuned, handle_tune
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.checkpoints import plain_sentence, read_document
from capt_engine.model.classifier import Classifier
from capt_engine.model.store.prompt_store import find
from capt_engine.model.text import count_tokens, split_template
from capt_engine.records import (
    NO_PROMPTS,
    AnalyzeRequest,
    AnalyzeResult,
    Catalogue,
    CatalogueChanged,
    CatalogueRequest,
    CheckClassesRequest,
    ClassesChecked,
    EvaluateRequest,
    Event,
    FailedPicture,
    ForecastRequest,
    ImportLpipsRequest,
    ImportModelRequest,
    ImportPromptsRequest,
    JobId,
    ListRunsRequest,
    PagesReady,
    Picture,
    PicturesFound,
    Preview,
    PreviewRequest,
    PreviewResult,
    PreviewsReady,
    RemoveRequest,
    ReportRequest,
    ReportResult,
    Request,
    Result,
    RowsReady,
    RunRequest,
    RunsListed,
    SanityRequest,
    SaveChartRequest,
    SaveTunedRequest,
    ScanRequest,
    SplitRequest,
    TuneRequest,
    VerifyRequest,
)
from capt_engine.runs.kept_runs import kept_runs
from capt_engine.runs.kept_runs import own_folder as own_runs

OnEvent = Callable[[Event], None]
R = TypeVar("R")
Handler = Callable[[ModelCache, JobId, Request, OnEvent, StoppableProgress], Result]

# Previews travel together for this long, so that a folder of thousands does not flood the window with events.
_GATHER_S = 0.1


def handle_analyze(
    cache: ModelCache, job: JobId, request: AnalyzeRequest, on_event: OnEvent, progress: StoppableProgress
) -> AnalyzeResult:
    """Load what the request names, then predict, attack and compare."""
    run_recording.refuse_early(request)
    perceptual = cache.lpips(request)
    progress(0, 0, f"loading {request.options.model}")
    own = _prompts_of(request.options.prompts)
    classes, template = catalogue.suggestion(request.options.model)
    if own is not None and not request.options.classes:
        document = read_document(own)
        classes, template = document.classes or classes, plain_sentence(document)
    classes, template = request.options.classes or classes, request.options.template or template
    variants, frozen = _variants(cache, request, classes, template)
    wanted = run_recording.with_pictures(request)
    source, _ = _beside(cache, request, classes, template)
    work = plan_analysis(wanted, variants, frozen, source=source, lpips=perceptual)
    if request.options.resume:
        raise BadRequest("An analysis cannot be gone on with.", "Start it again in a new folder.")
    with run_recording.opened(request, work, template) as folder:
        emit = run_recording.passing(request, folder, lambda rows: on_event(RowsReady(job, tuple(rows))))
        return run_recording.closed(request, folder, analyze(work, request.paths, emit, progress))


def handle_evaluate(
    cache: ModelCache, job: JobId, request: EvaluateRequest, on_event: OnEvent, progress: StoppableProgress
) -> AnalyzeResult:
    """Load the labelled pictures and what else the request names, then predict, attack and count."""
    run_recording.refuse_early(request)
    perceptual = cache.lpips(request)
    progress(0, 0, "looking for pictures")
    data, label_source = labelled(request.data, request.split, request.data_root)
    (data,) = half_of_classes(request.subsample_classes, judged_among(data, request.options.classes or data.classes))
    items = chosen(data, request.limit, request.shard, request.options.seed)
    if not items:
        raise BadRequest("There is no picture to evaluate.", "Choose another part of the data, or a larger limit.")
    progress(0, 0, f"loading {request.options.model}")
    template = request.options.template or data.template
    variants, frozen = _variants(cache, request, data.classes, template)
    wanted = run_recording.with_pictures(request)
    source, baseline = _beside(cache, request, data.classes, template)
    work = plan_evaluation(wanted, variants, frozen, label_source, source=source, baseline=baseline, lpips=perceptual)
    with run_recording.opened(request, work, template) as folder:
        done = frozenset((*request.skip, *(folder.done if folder else ())))
        left = [item for item in items if item.path not in done]
        emit = run_recording.passing(request, folder, lambda rows: on_event(RowsReady(job, tuple(rows))))
        return run_recording.closed(request, folder, evaluate(work, left, emit, progress, probed=items))


def _prompts_of(name: str | None) -> Path | None:
    return None if name in (None, "", NO_PROMPTS) else find(str(name))


def _variants(
    cache: ModelCache, request: RunRequest, classes: Sequence[str], template: str
) -> tuple[list[Variant], Classifier]:
    """A, and B where there is one, and the zero-shot classifier."""
    frozen = cache.classifier(request, classes, template, None)
    wanted = request.variants
    if len(set(wanted)) < len(wanted):
        raise BadRequest(f"A and B are both {wanted[-1]!r}.", "Compare with other prompts, or with none.")
    variants = []
    for name in wanted:
        path = _prompts_of(name)
        classifier = frozen if path is None else cache.classifier(request, classes, template, path)
        variants.append(Variant(name, classifier) if path is None else _tuned_variant(name, classifier, path))
    return variants, frozen


def _tuned_variant(name: str, classifier: Classifier, path: Path) -> Variant:
    document = read_document(path)
    return Variant(name, classifier, sha256(path), AlphaRule.of(document.method, document.settings))


def _beside(
    cache: ModelCache, request: RunRequest, classes: Sequence[str], template: str
) -> tuple[Classifier | None, Classifier | None]:
    """The other model that attacks are to be computed on, and the undefended one that checks want; None where there is none.

    Raises BadRequest for attacks computed on the model itself, and what loading raises.
    """
    on = request.options.source_model
    if on == request.options.model and request.options.prompts in (None, "", NO_PROMPTS):
        raise BadRequest(
            "The attack would be computed on the very model that is asked.", "Leave --source-model away for that."
        )
    base = cache.backbone(request.options.model, request.options.device).base
    wants_base = request.checks == "full"
    below = base.id if base is not None and wants_base else ""
    models = [name for name in dict.fromkeys((on, below)) if name and name != request.options.model]
    found = dict(zip(models, cache.beside(models, request, classes, template), strict=True))
    source = cache.classifier(request, classes, template, None) if on == request.options.model else found.get(on)
    return source, found.get(below)


def handle_preview(
    cache: ModelCache, job: JobId, request: PreviewRequest, on_event: OnEvent, progress: StoppableProgress
) -> PreviewResult:
    """Find the pictures, name them all at once, then send their small views as they become ready."""
    del cache
    found = collect(request.paths)
    skipped = tuple(FailedPicture(path, sentence) for path, sentence in found.skipped)
    on_event(PicturesFound(job, found.files, skipped))
    ready: list[Preview | FailedPicture] = []
    sent_s, n_failed = time.monotonic(), len(skipped)
    for done, path in enumerate(found.files):
        progress(done, len(found.files), "reading pictures")
        one = _preview(path, request.size)
        n_failed += isinstance(one, FailedPicture)
        ready.append(one)
        if time.monotonic() - sent_s >= _GATHER_S:
            on_event(PreviewsReady(job, tuple(ready)))
            ready, sent_s = [], time.monotonic()
    if ready:
        on_event(PreviewsReady(job, tuple(ready)))
    return PreviewResult(len(found.files) + len(skipped) - n_failed, n_failed)


def _preview(path: str, size: int) -> Preview | FailedPicture:
    try:
        photo = read_photo(path)
    except BadImage as error:
        return FailedPicture(path, error.message, error.hint)
    small = thumbnail(photo, size)
    height, width, _ = small.shape
    return Preview(path, photo.width, photo.height, Picture(width, height, small.tobytes()), photo.notes)


def handle_check_classes(
    cache: ModelCache, job: JobId, request: CheckClassesRequest, on_event: OnEvent, progress: StoppableProgress
) -> ClassesChecked:
    """Count tokens as the model would, without encoding anything."""
    del job, on_event
    progress(0, 0, f"loading {request.model}")
    backbone = cache.backbone(request.model, "auto")
    names = [name.replace("_", " ").strip() for name in request.classes]
    before, after = split_template(request.template)
    tokens = count_tokens(backbone, [f"{before}{name}{after}" for name in names]) if names else ()
    return ClassesChecked(
        tokens=tokens,
        limit=backbone.context_length,
        too_long=tuple(i for i, count in enumerate(tokens) if count > backbone.context_length),
        repeated=tuple(i for i, name in enumerate(names) if name in names[:i]),
    )


def handle_report(
    cache: ModelCache, job: JobId, request: ReportRequest, on_event: OnEvent, progress: StoppableProgress
) -> ReportResult:
    """Write a report of kept runs, or draw its pages."""
    del cache
    return reporting.made(request, lambda first, total, pages: on_event(PagesReady(job, first, total, pages)), progress)


def handle_list_runs(
    cache: ModelCache, job: JobId, request: ListRunsRequest, on_event: OnEvent, progress: StoppableProgress
) -> RunsListed:
    """Look for kept runs."""
    del cache, job, on_event
    progress(0, 0, "looking for runs")
    return RunsListed(kept_runs(Path(request.folder) if request.folder else own_runs()))


def handle_catalogue(
    cache: ModelCache, job: JobId, request: CatalogueRequest, on_event: OnEvent, progress: StoppableProgress
) -> Catalogue:
    """Look at the shelves again."""
    del cache, job, request
    progress(0, 0, "looking at the models")
    found = catalogue.catalogue()
    on_event(CatalogueChanged(found))
    return found


def _on(
    kind: type[R], do: Callable[[ModelCache, JobId, R, OnEvent, StoppableProgress], Result]
) -> tuple[type, Handler]:
    """A row of the table; the types of the request and of what is done with it have to fit."""

    def checked(
        cache: ModelCache, job: JobId, request: Request, on_event: OnEvent, progress: StoppableProgress
    ) -> Result:
        if not isinstance(request, kind):
            raise TypeError(f"{type(request).__name__} is no {kind.__name__}.")
        return do(cache, job, request, on_event, progress)

    return kind, checked


HANDLERS: dict[type, Handler] = dict(
    (
        _on(VerifyRequest, handle_verify),
        _on(RemoveRequest, handle_remove),
        _on(AnalyzeRequest, handle_analyze),
        _on(CatalogueRequest, handle_catalogue),
        _on(EvaluateRequest, handle_evaluate),
        _on(TuneRequest, handle_tune),
        _on(ForecastRequest, handle_forecast),
        _on(SaveTunedRequest, handle_save_tuned),
        _on(ReportRequest, handle_report),
        _on(ListRunsRequest, handle_list_runs),
        _on(SaveChartRequest, handle_save_chart),
        _on(PreviewRequest, handle_preview),
        _on(CheckClassesRequest, handle_check_classes),
        _on(ScanRequest, data_jobs.handle_scan),
        _on(SplitRequest, data_jobs.handle_split),
        _on(ImportPromptsRequest, importing.handle_import_prompts),
        _on(ImportModelRequest, importing.handle_import_model),
        _on(ImportLpipsRequest, importing.handle_import_lpips),
        _on(SanityRequest, importing.handle_sanity),
    )
)


def handle(cache: ModelCache, job: JobId, request: Request, on_event: OnEvent, progress: StoppableProgress) -> Result:
    """Do what a request asks; its rows and previews leave through `on_event`. Raises CaptError."""
    # A job may run at a tick of another, and what holds there (no gradients, say) must not hold in it.
    with torch.inference_mode(False), torch.enable_grad():
        return HANDLERS[type(request)](cache, job, request, on_event, progress)
