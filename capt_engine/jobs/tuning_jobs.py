"""Tuning and what belongs to it, from the door's side: learn prompts, forecast, and put what was learned where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from capt_engine import records
from capt_engine.jobs import catalogue
from capt_engine.jobs.context import Gathered, JobContext, ModelContext
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.store.prompt_store import own_folder
from capt_engine.reports.tuned_prompts import save_tuned
from capt_engine.runs.command_line import command_of
from capt_engine.tuning.callbacks import News
from capt_engine.tuning.run import foresee, tune

# For so many seconds steps wait for others, so that a small model does not flood the window with events.
GATHER_S = 0.25


def handle_tune(job: ModelContext, request: records.TuneRequest) -> records.TuneResult:
    """Load the model of `request`, tune prompts or an image tower for it, write them, and return the result.

    Events leave through the job's `on_event`: optimiser steps in groups, epochs and remarks at once. Raises CaptError.
    """
    job.progress(0, 0, f"loading {request.model}")
    backbone = job.cache.backbone(request.model, request.device)
    gathered: Gathered[News] = Gathered(lambda news: job.on_event(records.TuneNewsReady(job.id, news)), GATHER_S)

    def on_news(news: News) -> None:
        gathered.add(news)
        if not isinstance(news, records.TuneStep):
            gathered.send()

    result = tune(request, backbone, _reference_loader(backbone), on_news, job.progress)
    made_by = replace(request, stop_after=result.stopped_after)
    result = replace(result, command=command_of(made_by))
    if Path(result.out).parent == own_folder():
        job.on_event(records.CatalogueChanged(catalogue.catalogue()))
    return result


def handle_forecast(job: ModelContext, request: records.ForecastRequest) -> records.TuneForecast:
    """Load the model of a tuning request, try a few steps, and return the time and memory that the whole run will take.

    job: the context, with the loaded models. request: holds the tuning request. Nothing is written. Raises CaptError
    where the run itself would.
    """
    job.progress(0, 0, f"loading {request.request.model}")
    backbone = job.cache.backbone(request.request.model, request.request.device)
    return foresee(request.request, backbone, _reference_loader(backbone), job.progress)


def handle_save_tuned(job: JobContext, request: records.SaveTunedRequest) -> records.TunedSaved:
    """Write tuned prompts with the name, notes and licence of `request` to the user's store, a new folder, or both.

    Returns the files that were written; the job's `on_event` gets CatalogueChanged where the store has grown. Raises
    BadRequest where the name is taken, as nothing is written over, and BadCheckpoint where the source holds no prompts.
    """
    saved = save_tuned(request, job.progress)
    if any(Path(file).parent == own_folder() for file in saved.files):
        job.on_event(records.CatalogueChanged(catalogue.catalogue()))
    return saved


def _reference_loader(backbone: Backbone) -> Callable[[str], Backbone]:
    """Loads a model by its id; not through the cache, which keeps one model and would drop the one being tuned."""
    return lambda model: load_backbone(model, backbone.mean.device)
