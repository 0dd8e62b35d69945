"""The page of the help that belongs to a part of the window."""

from __future__ import annotations

from capt_gui.view_models.help.library import FIRST, address
from capt_gui.view_models.navigation import EVALUATE, EXPLORE, MODELS, REPORT, TUNE

PROPERTY = "helpPage"
"""The dynamic property of a widget that names its place in the help; it holds for all widgets inside."""

_OF_PAGES = {
    EXPLORE: FIRST,
    EVALUATE: "guide/evaluate.md",
    TUNE: "guide/tuning-wizard.md",
    REPORT: "guide/report.md",
    MODELS: "importing.md",
}


def page_topic(key: str) -> str:
    """Return the address of the help for a page of the window, by its key; that of the first minute for an unknown key."""
    return address(_OF_PAGES.get(key, FIRST))
