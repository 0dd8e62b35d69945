"""Everything a page works with, made once and handed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.chart_file import ChartFile
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.view_models.evaluate.ranking_run import RankingRun
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.explore.analysis_model import AnalysisModel
from capt_gui.view_models.explore.changes import ExploreChanges
from capt_gui.view_models.explore.choices import Choices
from capt_gui.view_models.explore.class_check import TokenCheck, WordCheck
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.view_models.explore.gallery_rows import GalleryRows
from capt_gui.view_models.explore.margin_curve import MarginCurve
from capt_gui.view_models.explore.picture_export import PictureExport
from capt_gui.view_models.explore.replay_model import ReplayModel
from capt_gui.view_models.explore.saliency_model import SaliencyModel
from capt_gui.view_models.explore.tour import Tour
from capt_gui.view_models.jobs_model import JobsModel
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.models.models_model import ModelsModel
from capt_gui.view_models.navigation import Navigation
from capt_gui.view_models.preferences.model import Preferences
from capt_gui.view_models.prompt_files import PromptFiles
from capt_gui.view_models.report.report_job import ReportJob
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.run_store import RunStore
from capt_gui.view_models.runs_model import RunsModel
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.view_models.toy_pictures import ToyPictures
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.view_models.tune.scan_model import ScanModel
from capt_gui.view_models.tune.split_model import SplitModel


@dataclass(frozen=True)
class TuneDesk:
    """The view models of the five steps of the wizard; each is made once and hears the engine by itself."""

    project: TuneProject
    thumbnails: ThumbnailLoader
    scan: ScanModel
    # the toy world's pictures, for who has none at hand
    toys: ToyPictures
    split: SplitModel
    method: MethodModel
    run: TuneRun
    result: TuneResultModel


@dataclass(frozen=True)
class EvaluateDesk:
    """The pictures that are evaluated, what is asked about them and in which words, and the run."""

    data: EvaluateData
    choices: EvaluateChoices
    words: WordCheck
    run: EvaluateRun
    ranking: RankingRun
    # the toy world's pictures, for who has none at hand
    toys: ToyPictures


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
    # its pictures filtered and in order, for cards and table
    rows: GalleryRows
    # removals and edits on Explore, which can be undone
    changes: ExploreChanges
    analysis: AnalysisModel
    # what looks closer at the picture that is chosen
    saliency: SaliencyModel
    margins: MarginCurve
    replay: ReplayModel
    # the toy world as a first look
    tour: Tour
    tokens: TokenCheck
    words: WordCheck
    navigation: Navigation
    jobs: JobsModel
    store: RunStore
    reports: ReportsModel
    # the results of the last run, written beside the page that shows them
    results_file: ReportJob
    # a chart of whatever page, on its way to a file
    chart_file: ChartFile
    # pictures of results, on their way to a folder
    picture_export: PictureExport
    tuning: TuneDesk
    models: ModelsModel
    evaluation: EvaluateDesk
    preferences: Preferences


def lay_out(
    bridge: Bridge,
    settings: Settings,
    theme: Theme,
    runs_folder: Path | None = None,
    projects_folder: Path | None = None,
) -> Desk:
    """Make all view models of one window, as children of the bridge to the engine, and return them as a Desk.

    runs_folder: keeps analyses and evaluations; with None none are kept. projects_folder: keeps the tuning wizard's
    projects; with None they live in a temporary folder.
    """
    engine = EngineState(bridge, bridge)
    model = ModelChoice(settings, bridge)
    navigation = Navigation(bridge)
    # before all others, so that no job is missed
    jobs = JobsModel(bridge, navigation, model, bridge)
    PromptFiles(bridge, model, bridge)
    choices = Choices(model, bridge)
    gallery = GalleryModel(bridge)
    rows = GalleryRows(gallery, lambda: engine.catalogue.metrics, bridge)
    engine.ready.connect(rows.refresh_columns)
    changes = ExploreChanges(choices, gallery, bridge)
    store = RunStore(settings, runs_folder, bridge)
    analysis = AnalysisModel(bridge, gallery, choices, store, bridge)
    tour = Tour(choices, gallery, analysis, bridge)
    tokens, words = TokenCheck(bridge, choices, bridge), WordCheck(bridge, choices, bridge)
    engine.ready.connect(model.on_ready)
    reports = ReportsModel(bridge, settings, RunsModel(bridge, runs_folder, bridge), bridge)
    data = EvaluateData(bridge, settings, bridge)
    evaluated = EvaluateChoices(model, data, bridge)
    toys = projects_folder.parent / "toy world" if projects_folder is not None else None
    return Desk(
        bridge, settings, theme, engine, model, choices, gallery, rows, changes, analysis,
        SaliencyModel(bridge, bridge), MarginCurve(bridge, bridge), ReplayModel(bridge, bridge), tour, tokens, words,
        navigation, jobs, store, reports, ReportJob(bridge, bridge),
        ChartFile(bridge, bridge), PictureExport(bridge, gallery, bridge),
        _lay_out_tuning(bridge, settings, engine, store, projects_folder, ToyPictures(bridge, model, toys, "train", 24, bridge)),
        ModelsModel(bridge, bridge),
        EvaluateDesk(
            data, evaluated, WordCheck(bridge, evaluated, bridge), EvaluateRun(bridge, evaluated, store, bridge),
            RankingRun(bridge, evaluated, store, bridge),
            ToyPictures(bridge, model, toys, "test", 10, bridge),
        ),
        Preferences(settings, bridge),
    )  # fmt: skip


def _lay_out_tuning(
    bridge: Bridge, settings: Settings, engine: EngineState, store: RunStore, home: Path | None, toys: ToyPictures
) -> TuneDesk:
    project = TuneProject(home, bridge, lambda: settings.model)
    bridge.closing.connect(project.close)
    scan = ScanModel(bridge, settings, project, bridge)
    split = SplitModel(bridge, project, scan, bridge)
    method = MethodModel(bridge, engine, project, bridge)
    run = TuneRun(bridge, project, method.request, bridge)
    result = TuneResultModel(bridge, project, method, run, store, bridge)
    return TuneDesk(project, scan.thumbnails, scan, toys, split, method, run, result)
