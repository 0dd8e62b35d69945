"""The view models of the tuning wizard: a part of the desk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.view_models.engine_state import EngineState
from capt_gui.view_models.run_store import RunStore
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.view_models.tune.method_model import MethodModel
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.view_models.tune.scan_model import ScanModel
from capt_gui.view_models.tune.split_model import SplitModel


@dataclass(frozen=True)
class TuneDesk:
    """The view models of the five steps; each is made once and hears the engine by itself."""

    project: TuneProject
    thumbnails: ThumbnailLoader
    scan: ScanModel
    split: SplitModel
    method: MethodModel
    run: TuneRun
    result: TuneResultModel


def lay_out_tuning(
    bridge: Bridge,
    settings: Settings,
    engine: EngineState,
    store: RunStore,
    home: Path | None,
    parent: QObject | None = None,
) -> TuneDesk:
    """Make them; home: where projects are kept, None for nowhere."""
    project = TuneProject(home, parent)
    bridge.closing.connect(project.close)
    scan = ScanModel(bridge, settings, project, parent)
    split = SplitModel(bridge, project, scan, parent)
    method = MethodModel(bridge, engine, project, parent)
    run = TuneRun(bridge, project, method.request, parent)
    result = TuneResultModel(bridge, project, method, run, store, parent)
    return TuneDesk(project, scan.thumbnails, scan, split, method, run, result)
