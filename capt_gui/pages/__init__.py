"""The pages of the window, in the order of the navigation: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capt_gui.panels.page import Page
from capt_gui.translate import later
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EVALUATE, EXPLORE, MODELS, REPORT, TUNE

# A page is imported when it is made: a window opens with one of them, and the others may never be looked at.


def _explore(desk: Desk) -> Page:
    from capt_gui.pages.explore.page import ExplorePage

    return ExplorePage(desk)


def _evaluate(desk: Desk) -> Page:
    from capt_gui.pages.evaluate.page import EvaluatePage

    return EvaluatePage(desk)


def _tune(desk: Desk) -> Page:
    from capt_gui.pages.tune.page import TunePage

    return TunePage(desk)


def _report(desk: Desk) -> Page:
    from capt_gui.pages.report.page import ReportPage

    return ReportPage(desk)


def _models(desk: Desk) -> Page:
    from capt_gui.pages.models.page import ModelsPage

    return ModelsPage(desk)


@dataclass(frozen=True)
class PageInfo:
    """One line of the table: the key that requests for the page name, its title and icon on the rail, and what makes it."""

    key: str
    title: str
    icon: str
    make: Callable[[Desk], Page]


PAGES = (
    PageInfo(EXPLORE, later("Explore"), "explore", _explore),
    PageInfo(EVALUATE, later("Evaluate"), "evaluate", _evaluate),
    PageInfo(TUNE, later("Tune"), "tune", _tune),
    PageInfo(REPORT, later("Report"), "report", _report),
    PageInfo(MODELS, later("Models"), "models", _models),
)
