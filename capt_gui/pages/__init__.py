"""The pages of the window, in the order of the navigation: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.pages.models.page import ModelsPage
from capt_gui.pages.report.page import ReportPage
from capt_gui.pages.tune.page import TunePage
from capt_gui.panels.page import Page
from capt_gui.translate import later
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EVALUATE, EXPLORE, MODELS, REPORT, TUNE


@dataclass(frozen=True)
class PageInfo:
    """One line of the table: the key that requests for the page name, its title and icon on the rail, and its class."""

    key: str
    title: str
    icon: str
    make: Callable[[Desk], Page]


PAGES = (
    PageInfo(EXPLORE, later("Explore"), "explore", ExplorePage),
    PageInfo(EVALUATE, later("Evaluate"), "evaluate", EvaluatePage),
    PageInfo(TUNE, later("Tune"), "tune", TunePage),
    PageInfo(REPORT, later("Report"), "report", ReportPage),
    PageInfo(MODELS, later("Models"), "models", ModelsPage),
)
