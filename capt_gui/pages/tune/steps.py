"""The steps of the wizard, in order: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capt_gui.pages.tune.data_step import DataStep
from capt_gui.pages.tune.method_step import MethodStep
from capt_gui.pages.tune.result_step import ResultStep
from capt_gui.pages.tune.run_step import RunStep
from capt_gui.pages.tune.split_step import SplitStep
from capt_gui.pages.tune.step import Step
from capt_gui.translate import later
from capt_gui.view_models.desk import Desk


@dataclass(frozen=True)
class StepInfo:
    """One line of the table: the title of a step, its purpose in a few words, and its class."""

    title: str
    summary: str
    make: Callable[[Desk], Step]


STEPS = (
    StepInfo(later("Data"), later("Pictures of each class"), DataStep),
    StepInfo(later("Split"), later("Training, validation and test pictures"), SplitStep),
    StepInfo(later("Model and method"), later("Which model, how, and what it takes"), MethodStep),
    StepInfo(later("Tune"), later("Live, and in the background"), RunStep),
    StepInfo(later("Result"), later("What it is worth, and saving"), ResultStep),
)
