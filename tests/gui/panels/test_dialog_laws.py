"""Laws of the windows beside the pages: names, Tab to every control, a focus that can be seen, room on small screens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, TWO_SIDES, make_row, picture
from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.panels.help.problem_dialog import ProblemDialog
from capt_gui.panels.help.window_tour import ATTACK, CLASSES, TRIPTYCH
from capt_gui.view_models.help.library import SHORTCUTS, address
from capt_gui.view_models.settings_keeper import SettingsKeeper

SMALL = QSize(910, 480)


@pytest.fixture
def window(bench: Bench, qtbot: QtBot, tmp_path: Path) -> MainWindow:
    """The whole window on a fake engine."""
    made = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(made)
    bench.engine.emit(READY)
    made.show()
    return made


def preferences(window: MainWindow) -> QWidget:
    """The settings, all sections of them found by a letter that each has."""
    window.on_preferences()
    assert window.preferences_dialog is not None
    window.preferences_dialog.search.setText("e")
    return window.preferences_dialog


def help_window(window: MainWindow) -> QWidget:
    """The help at the sheet of shortcuts."""
    window.help_desk.on_shortcuts()
    return window.help_desk.help


def problem(window: MainWindow) -> QWidget:
    """A report of a problem."""
    dialog = ProblemDialog("versions", window)
    dialog.show()
    return dialog


def simple(window: MainWindow) -> QWidget:
    """The window in its simple view."""
    window.preferences.set("view", "simple")
    return window


def tour(window: MainWindow) -> QWidget:
    """The first card of the tour."""
    window.on_tour()
    assert window.tour is not None
    return window.tour


@pytest.fixture(params=[preferences, help_window, problem, simple, tour], ids=lambda make: make.__name__)
def shown(request: pytest.FixtureRequest, window: MainWindow, qtbot: QtBot) -> QWidget:
    """Each of them in turn, in front."""
    make: Callable[[MainWindow], QWidget] = request.param
    made = make(window)
    made.window().activateWindow()
    qtbot.waitUntil(made.window().isActiveWindow)
    return made


def controls(where: QWidget) -> list[QWidget]:
    """What Tab should stop at: visible, enabled, not a part of another control."""
    return [
        one
        for one in where.findChildren(QWidget)
        if one.isVisible()
        and one.isEnabled()
        and one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.focusProxy() is None
        and one.window() is where.window()
        and not isinstance(one, QScrollBar)
        and not (isinstance(one, QLineEdit) and one.objectName().startswith("qt_"))
    ]


def test_what_stands_beside_the_pages_keeps_their_laws(shown: QWidget) -> None:
    """Each control says what it is, Tab reaches it, and its focus can be seen; nothing asks for more than 1366 × 768 at 150 %."""
    # one test for all laws: a window takes a second to make
    least = shown.window().minimumSizeHint()
    assert least.boundedTo(SMALL) == least
    wanted = controls(shown)
    assert wanted
    assert not [
        type(one).__name__
        for one in wanted
        if not (one.accessibleName() or (isinstance(one, QAbstractButton) and one.text()))
    ]
    wanted[0].setFocus(Qt.FocusReason.TabFocusReason)
    reached: set[QWidget] = {wanted[0]}
    for _ in range(3 * len(wanted)):
        QTest.keyClick(QApplication.focusWidget() or shown, Qt.Key.Key_Tab)
        if (focused := QApplication.focusWidget()) is not None:
            reached.add(focused)
    assert not [f"{type(one).__name__} {one.accessibleName()}" for one in wanted if one not in reached]
    same = []
    for one in controls(shown):
        one.clearFocus()
        before = one.grab().toImage()
        one.setFocus(Qt.FocusReason.TabFocusReason)
        if one.hasFocus() and one.grab().toImage() == before:
            same.append(f"{type(one).__name__} {one.accessibleName()}")
    assert same == []
    # the figures of a number stand as far from the edge as letters do
    margins = [one.findChild(QLineEdit).textMargins().left() for one in shown.findChildren(QAbstractSpinBox)]
    assert not [left for left in margins if left < 6]


def test_a_change_in_the_dialog_is_a_change_of_the_window(window: MainWindow, bench: Bench) -> None:
    """The theme changes under the dialog, the menu follows, the way back appears; what waits says from when on it holds."""
    dialog = preferences(window)
    assert window.preferences_dialog is not None
    rows = window.preferences_dialog.rows
    theme = rows["theme"].editor
    assert isinstance(theme, QComboBox)
    theme.setCurrentIndex(theme.findData("dark"))
    theme.activated.emit(theme.currentIndex())
    assert (bench.desk.theme.is_dark, bench.settings.theme) == (True, "dark")
    rows["theme"].on_back()
    assert bench.settings.theme == "system"
    rows["runs_folder"].ask = lambda *_: "/somewhere/else"
    rows["runs_folder"].on_choose_folder()
    assert bench.settings.runs_folder == "/somewhere/else"
    assert bench.desk.preferences.waits(rows["runs_folder"].one)
    dialog.close()


def test_help_follows_keys_and_focus(window: MainWindow) -> None:
    """A change of keys is on the sheet the next time; F1 leads to a term of the glossary, else to the guide of the page in front."""
    browser = window.help_desk.help.browser
    window.help_desk.on_shortcuts()
    assert browser.source().toString() == address(SHORTCUTS)
    command = next(one for one in window.shortcuts.commands if one.title == "About CAPT Explorer")
    assert command.title not in browser.toPlainText()
    window.shortcuts.set_keys(command, "F11")
    window.help_desk.on_shortcuts()
    assert "About CAPT Explorer" in browser.toPlainText()
    assert "F11" in browser.toPlainText()
    assert window.help_desk.topic(window.rail) == "help:/guide/first-look.md"
    window.show_page("tune")
    assert window.help_desk.topic(window.page) == "help:/guide/tuning-wizard.md"
    norm = next(one for one in window.findChildren(QComboBox) if one.accessibleName() == "Norm")
    assert window.help_desk.topic(norm) == "help:/glossary.md#norm"


def test_a_card_of_the_tour_leaves_what_it_speaks_of_in_sight(window: MainWindow, bench: Bench) -> None:
    """Each stop lies inside the window and beside what is lit there, on the smallest window too, with a picture that is answered."""
    bench.engine.emit(TWO_SIDES)
    window.on_tour()
    tour = window.tour
    assert tour is not None
    window.show_page("explore")
    window.open_paths(["/a.png"])
    number = r.JobId(len(bench.engine.requests))
    found = r.PicturesFound(number, ("/a.png",))
    seen = r.PreviewsReady(number, (r.Preview("/a.png", 320, 240, picture(160, 120)),))
    for event in (found, seen, r.JobFinished(number, r.PreviewResult(1, 0))):
        bench.engine.emit(event)
    QCoreApplication.processEvents()
    bench.engine.emit(r.RowsReady(r.JobId(len(bench.engine.requests)), (make_row("/a.png"),) * 2))
    QCoreApplication.processEvents()
    lit = set()
    for size in (QSize(910, 512), QSize(960, 600), QSize(1280, 800)):
        window.resize(size)
        for number, stop in enumerate(tour.stops):
            tour.number = number
            for _ in range(2):
                tour.refresh()
                QCoreApplication.processEvents()
            card, place = tour.card.geometry(), tour.lit_rect()
            assert tour.rect().contains(card), (size, stop.title)
            assert place is None or not card.intersects(place), (size, stop.title)
            lit |= {stop.name} if place is not None else set()
    assert {TRIPTYCH, CLASSES, ATTACK} <= lit
    tour.end()
