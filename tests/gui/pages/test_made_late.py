"""Pages that are made when first shown: they show what they would have shown had they been there all along."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import acted_data
import acted_evaluation as acted
import acted_reports
import pytest
from conftest import Bench
from evaluating import finished, last, play
from fakes import READY, make_row
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QMenu, QStackedWidget, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import JobFinished, RunsListed
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES, PageInfo
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.panels.page import Page
from capt_gui.settings import FULL, SIMPLE
from capt_gui.view_models.settings_keeper import SettingsKeeper

# Counted where this was written: 258, of which 93 are in sight, and 294. Each takes 0.2 ms or more until the window is painted: a new
# one that is not in sight can wait.
MOST_IN_FULL, MOST_IN_SIMPLE = 265, 300


def shown(page: Page) -> list[tuple[object, ...]]:
    """All that can be read and pressed on a page, in the order of its parts."""
    return [
        (type(one).__name__, one.accessibleName(), one.isEnabled(), said(one))
        for one in page.findChildren(QWidget)
        if one.isVisibleTo(page)
    ]


def said(widget: QObject) -> object:
    """The words and the state of a control."""
    match widget:
        case QAbstractButton():
            return widget.text(), widget.isChecked()
        case QComboBox():
            return widget.currentText(), widget.count()
        case QLabel() | QLineEdit():
            return widget.text()
        case QStackedWidget():
            return widget.currentIndex()
    return None


def live(bench: Bench, runs: Path, pictures: Path) -> None:
    """The engine is ready, pictures with labels are evaluated, a picture is analysed, and a run is kept."""
    bench.desk.store.folder = runs
    play(bench, READY)
    bench.desk.evaluation.data.take([str(pictures)])
    play(bench, JobFinished(last(bench), acted_data.found({"cat": 2, "dog": 1, "emu": 1})))
    finished(bench, acted.result())
    bench.desk.gallery.add(["a.png"])
    bench.desk.gallery.put_rows([make_row("a.png")], bench.desk.choices.request(()))
    bench.desk.reports.runs.refresh()
    play(bench, JobFinished(last(bench), RunsListed((acted_reports.kept(str(runs / "one"), "Two pictures", 2),), ())))


@pytest.mark.parametrize("info", PAGES[1:], ids=lambda info: info.key)
def test_a_page_made_late_shows_what_one_made_early_does(
    bench: Bench, qtbot: QtBot, tmp_path: Path, info: PageInfo
) -> None:
    """Nothing that went on before a page was made is missing on it."""
    early = info.make(bench.desk)
    live(bench, tmp_path / "runs", acted_data.write_folders(tmp_path / "toys", {"cat": 2, "dog": 1, "emu": 1}))
    # a welcome lists recent folders as they were when it was made
    bench.settings.evaluate.recent.clear()
    late = info.make(bench.desk)
    for page in (early, late):
        qtbot.addWidget(page)
        page.show()
    QCoreApplication.processEvents()
    assert shown(late) == shown(early)


def test_a_result_made_late_shows_what_one_made_early_does(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Explore opens without the view of its results; it shows the same as one that was there before the engine."""
    early, late = ExplorePage(bench.desk), ExplorePage(bench.desk)
    assert not early.result.isVisible()
    live(bench, tmp_path / "runs", acted_data.write_folders(tmp_path / "toys", {"cat": 2, "dog": 1, "emu": 1}))
    for page in (early, late):
        qtbot.addWidget(page)
        page.show()
        page.show_view({"picture": "a.png"})
    QCoreApplication.processEvents()
    assert shown(late.result)
    assert shown(late.result) == shown(early.result)


def test_tab_comes_to_a_late_result_before_the_settings(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Nothing changes for who goes from control to control: the pictures come before the settings beside them, and the rail is last."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    page = window.page
    assert isinstance(page, ExplorePage)
    assert page.result
    chain: list[QWidget] = [page.welcome]
    while (following := chain[-1].nextInFocusChain()) is not page.welcome:
        chain.append(following)
    focusable = [one for one in chain if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    parts = [page.welcome, page.result, page.settings_column, window.rail]
    places = [[at for at, one in enumerate(focusable) if part.isAncestorOf(one)] for part in parts]
    assert all(places)
    assert all(max(before) < min(after) for before, after in pairwise(places))


@pytest.mark.parametrize(("view", "most"), [(FULL, MOST_IN_FULL), (SIMPLE, MOST_IN_SIMPLE)])
def test_few_widgets_are_made_before_the_first_paint(
    bench: Bench, qtbot: QtBot, tmp_path: Path, view: str, most: int
) -> None:
    """A window that opens is made of little more than what it shows; what is not in sight comes when it is needed."""
    bench.settings.view = view
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    window.show()
    assert len(window.findChildren(QWidget)) <= most


def test_a_window_opens_with_one_page_and_knows_the_keys_of_all(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """A page is made when it is shown, with the keys that the user chose for it; who asks for all keys has all pages made."""
    bench.settings.shortcuts = {"report: Ctrl+P": "Ctrl+Alt+P"}
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    assert len(window.findChildren(Page)) == 1
    window.show_views({"report": {"nobody": "knows"}, "no page": {}})
    assert window.views().keys() == {"explore", "report"}
    window.show_page("report")
    assert len(window.findChildren(Page)) == 2
    keys = {one.id: one.keys for one in window.shortcuts.commands}
    assert keys["report: Ctrl+P"] == ("Ctrl+Alt+P",)
    assert {one.page for one in window.shortcuts.commands} == {"", *(info.key for info in PAGES)}
    assert len(window.findChildren(Page)) == len(PAGES)
    file = window.menuBar().actions()[0].menu()
    assert isinstance(file, QMenu)
    assert file.actions()[-1].text() == "&Quit"
