"""Tuning and what belongs to it, from the door's side: learn prompts, forecast, and put what was learned where it belongs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from capt_engine.jobs import catalogue
from capt_engine.jobs.model_cache import ModelCache
from capt_engine.jobs.stoppable import StoppableProgress
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.store.prompt_store import own_folder
from capt_engine.records import (
    CatalogueChanged,
    Event,
    ForecastRequest,
    JobId,
    SaveTunedRequest,
    TunedSaved,
    TuneForecast,
    TuneRequest,
    TuneResult,
    TuneStep,
    TuneTold,
)
from capt_engine.reports.tuned_prompts import save_tuned
from capt_engine.runs.command_line import command_of
from capt_engine.tuning.callbacks import News
from capt_engine.tuning.run import foresee, tune

OnEvent = Callable[[Event], None]

# Steps travel together for this long, so that a small model does not flood the window with events.
_TELL_EVERY_S = 0.25


def handle_tune(
    cache: ModelCache, job: JobId, request: TuneRequest, on_event: OnEvent, progress: StoppableProgress
) -> TuneResult:
    """Load the model, then learn prompts for it; steps travel together, everything else at once."""
    progress(0, 0, f"loading {request.model}")
    backbone = cache.backbone(request.model, request.device)
    gathered: list[TuneStep] = []
    sent_s = 0.0

    def on_news(news: News) -> None:
        nonlocal sent_s
        is_step = isinstance(news, TuneStep)
        if isinstance(news, TuneStep):
            gathered.append(news)
            if time.monotonic() - sent_s < _TELL_EVERY_S:
                return
        told = (*gathered,) if is_step else (*gathered, news)
        gathered.clear()
        sent_s = time.monotonic()
        on_event(TuneTold(job, told))

    result = tune(request, backbone, _guide_loader(backbone), on_news, progress)
    made_by = replace(request, stop_after=result.stopped_after)
    result = replace(result, command=command_of(made_by))
    if Path(result.out).parent == own_folder():
        on_event(CatalogueChanged(catalogue.catalogue()))
    return result


def handle_forecast(
    cache: ModelCache, job: JobId, request: ForecastRequest, on_event: OnEvent, progress: StoppableProgress
) -> TuneForecast:
    """Load the model and try a few steps of the run; nothing of them is kept."""
    del job, on_event
    progress(0, 0, f"loading {request.request.model}")
    backbone = cache.backbone(request.request.model, request.request.device)
    return foresee(request.request, backbone, _guide_loader(backbone), progress)


def handle_save_tuned(
    cache: ModelCache, job: JobId, request: SaveTunedRequest, on_event: OnEvent, progress: StoppableProgress
) -> TunedSaved:
    """Write the prompts under their name, and say so where there is more to choose from than before."""
    del cache, job
    saved = save_tuned(request, progress)
    if any(Path(file).parent == own_folder() for file in saved.files):
        on_event(CatalogueChanged(catalogue.catalogue()))
    return saved


def _guide_loader(backbone: Backbone) -> Callable[[str], Backbone]:
    """Loads a model by its id; not through the cache, which keeps one model and would drop the one being tuned."""
    return lambda model: load_backbone(model, backbone.mean.device)
