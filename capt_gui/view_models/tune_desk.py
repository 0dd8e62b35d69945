"""What the tuning wizard works with: a part of the desk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from capt_gui.bridge import Bridge
from capt_gui.view_models.tune_project import TuneProject


@dataclass(frozen=True)
class TuneDesk:
    """The view models of the five steps; each is made once and hears the engine by itself."""

    project: TuneProject


def lay_out_tuning(bridge: Bridge, home: Path | None, parent: QObject | None = None) -> TuneDesk:
    """Make them; home: where projects are kept, None for nowhere."""
    project = TuneProject(home, parent)
    bridge.closing.connect(project.close)
    return TuneDesk(project)
