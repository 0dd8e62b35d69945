"""Everything a page works with, made once and handed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.chart_file import ChartFile
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.evaluate.desk import EvaluateDesk, lay_out_evaluation
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.token_check import TokenCheck
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.models.models_model import ModelsModel
from capt_gui.view_models.navigation import Navigation
from capt_gui.view_models.report.report_job import ReportJob
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.run_store import RunStore
from capt_gui.view_models.runs_model import RunsModel
from capt_gui.view_models.tune.desk import TuneDesk, lay_out_tuning


@dataclass(frozen=True)
class Desk:
    """The view models of one window, and what they share."""

    bridge: Bridge
    settings: Settings
    theme: Theme
    engine: EngineState
    model: ModelChoice
    choices: Choices
    gallery: GalleryModel
    analysis: AnalysisModel
    tokens: TokenCheck
    navigation: Navigation
    store: RunStore
    reports: ReportsModel
    # the results of the last run, written beside the page that shows them
    results_file: ReportJob
    # a chart of whatever page, on its way to a file
    chart_file: ChartFile
    tuning: TuneDesk
    models: ModelsModel
    evaluation: EvaluateDesk


def lay_out(
    bridge: Bridge,
    settings: Settings,
    theme: Theme,
    runs_folder: Path | None = None,
    projects_folder: Path | None = None,
) -> Desk:
    """Make the view models, children of the bridge; without folders nothing is kept."""
    engine = EngineState(bridge, bridge)
    model = ModelChoice(settings, bridge)
    choices = Choices(model, bridge)
    gallery = GalleryModel(bridge)
    store = RunStore(settings, runs_folder, bridge)
    analysis = AnalysisModel(bridge, gallery, choices, store, bridge)
    tokens = TokenCheck(bridge, choices, bridge)
    engine.ready.connect(model.on_ready)
    reports = ReportsModel(bridge, settings, RunsModel(bridge, runs_folder, bridge), bridge)
    return Desk(
        bridge, settings, theme, engine, model, choices, gallery, analysis, tokens,
        Navigation(bridge), store, reports, ReportJob(bridge, bridge),
        ChartFile(bridge, bridge),
        lay_out_tuning(bridge, settings, engine, store, projects_folder, bridge),
        ModelsModel(bridge, bridge),
        lay_out_evaluation(bridge, model, store, bridge),
    )  # fmt: skip
