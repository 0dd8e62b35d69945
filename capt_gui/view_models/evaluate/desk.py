"""The view models of the Evaluate page: a part of the desk."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject

from capt_gui.bridge import Bridge
from capt_gui.view_models.evaluate.choices import EvaluateChoices
from capt_gui.view_models.evaluate.data import EvaluateData
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.run_store import RunStore


@dataclass(frozen=True)
class EvaluateDesk:
    """The pictures, what is asked about them, and the run."""

    data: EvaluateData
    choices: EvaluateChoices
    run: EvaluateRun


def lay_out_evaluation(
    bridge: Bridge, model: ModelChoice, store: RunStore, parent: QObject | None = None
) -> EvaluateDesk:
    """Make them; each hears the engine by itself."""
    data = EvaluateData(bridge, model.settings, parent)
    choices = EvaluateChoices(model, data, parent)
    return EvaluateDesk(data, choices, EvaluateRun(bridge, choices, store, parent))
