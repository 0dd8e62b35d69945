"""Menus that are filled whenever they are shown leave nothing behind: a day of work opens them thousands of times."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Bench
from fakes import TWO_SIDES, make_row
from PySide6.QtCore import QCoreApplication, QEvent, QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES
from capt_gui.pages.explore.gallery_column import GalleryColumn
from capt_gui.pages.explore.gallery_menus import GalleryMenus
from capt_gui.pages.explore.picture_actions import PictureActions
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.settings_keeper import SettingsKeeper

# The platform without a screen says at each menu that it cannot raise it.
pytestmark = pytest.mark.qt_log_level_fail("CRITICAL")


def test_a_menu_opened_again_holds_no_more(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Every menu of every page, and the context menus of a picture and of a column; the inner menus too."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    bench.engine.emit(TWO_SIDES)
    path = str(tmp_path / "a.png")
    bench.desk.gallery.add([path], [])
    bench.desk.gallery.put_rows([make_row(path)], r.AnalyzeRequest((path,)))
    for page in PAGES:
        window.show_page(page.key)
    (columns,), (pictures,) = window.findChildren(GalleryMenus), window.findChildren(PictureActions)
    window.show_page(EXPLORE)
    window.findChild(GalleryColumn).view.select_path(path)
    counts = []
    for _ in range(4):
        for menu in {one for one in window.findChildren(QMenu) if not isinstance(one.parent(), QMenu)}:
            menu.aboutToShow.emit()
        for open_it in (lambda: columns.open_header(0, QPoint()), lambda: pictures.open_menu(QPoint())):
            before = set(window.findChildren(QMenu))
            open_it()
            for menu in set(window.findChildren(QMenu)) - before:
                menu.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        counts.append((len(window.findChildren(QAction)), len(window.findChildren(QMenu))))
    assert counts[0][1] > 10
    assert counts[1:] == [counts[1]] * 3
