"""The pages of the window, in the order of the navigation: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QAction

from capt_gui.pages.evaluate.page import EvaluatePage
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.pages.models.page import ModelsPage
from capt_gui.pages.report.page import ReportPage
from capt_gui.pages.tune.page import TunePage
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import EVALUATE, EXPLORE, MODELS, REPORT, TUNE


class Page(Protocol):
    """The interface of a page; every page is a QWidget as well."""

    def menus(self) -> dict[str, list[QAction | None]]:
        """The page's own actions by menu title; None stands for a separator."""

    def take(self, mime: QMimeData) -> bool:
        """Take what was dropped on the window or pasted; False when the page has no use for it."""

    def open_paths(self, paths: list[str]) -> None:
        """Take the paths of the command line."""

    def tell(self, message: str) -> None:
        """Show a sentence that belongs to no control."""

    def prepare(self) -> None:
        """Make what is slow to make: the window is on the screen and nothing else runs yet."""

    def leave(self) -> None:
        """The window closes: put what should be remembered into the settings, and clean up."""


@dataclass(frozen=True)
class PageInfo:
    """One line of the table: the key it is asked for by, its name and symbol on the rail, and how it is made."""

    key: str
    title: str
    icon: str
    make: Callable[[Desk], Page]


PAGES = (
    PageInfo(EXPLORE, "Explore", "explore", ExplorePage),
    PageInfo(EVALUATE, "Evaluate", "evaluate", EvaluatePage),
    PageInfo(TUNE, "Tune", "tune", TunePage),
    PageInfo(REPORT, "Report", "report", ReportPage),
    PageInfo(MODELS, "Models", "models", ModelsPage),
)
