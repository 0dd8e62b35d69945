"""Laws every page obeys: it opens, fits, can be reached by keyboard, speaks to a screen reader, and closes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, TWO_SIDES
from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import EngineReady
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES, PageInfo
from capt_gui.panels.page import Page
from capt_gui.view_models.settings_keeper import SettingsKeeper

SIZES = [QSize(1280, 800), QSize(1920, 1080)]


def make_page(info: PageInfo, bench: Bench) -> QWidget:
    """The page as a widget of its own."""
    page = info.make(bench.desk)
    assert isinstance(page, QWidget)
    return page


@pytest.fixture(params=[READY, TWO_SIDES], ids=["without prompts", "with prompts"])
def ready(request: pytest.FixtureRequest) -> EngineReady:
    """A catalogue without prompts, and one where two sets of them are compared."""
    answer: EngineReady = request.param
    return answer


@pytest.fixture(params=PAGES, ids=lambda info: info.title)
def page(request: pytest.FixtureRequest, bench: Bench, qtbot: QtBot, ready: EngineReady) -> Iterator[QWidget]:
    """Each page of the table, shown, with the catalogue there."""
    page = make_page(request.param, bench)
    qtbot.addWidget(page)
    bench.engine.emit(ready)
    page.resize(SIZES[0])
    page.show()
    qtbot.waitExposed(page)
    yield page
    page.close()


def focusable(page: QWidget) -> list[QWidget]:
    """Every visible control that Tab should stop at."""
    return [
        widget
        for widget in page.findChildren(QWidget)
        if widget.isVisibleTo(page) and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size.width()}x{size.height()}")
def test_every_page_fits(page: QWidget, size: QSize) -> None:
    """A page takes the size it is given; it does not ask for more than the smaller screen has."""
    page.resize(size)
    QCoreApplication.processEvents()
    assert page.size() == size
    assert page.minimumSizeHint().width() <= SIZES[0].width()
    assert page.minimumSizeHint().height() <= SIZES[0].height() - 60


def test_every_control_has_a_name(page: QWidget) -> None:
    """What can have the focus has something a screen reader can say."""
    silent = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in focusable(page)
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not silent


def test_tab_reaches_every_control(page: QWidget) -> None:
    """Pressing Tab walks through all controls and comes back."""
    page.activateWindow()
    wanted = set(focusable(page))
    reached: set[QWidget] = set()
    for _ in range(2 * len(wanted)):
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.add(focused)
    assert not [f"{type(widget).__name__} {widget.accessibleName()}" for widget in wanted - reached]


def test_a_message_moves_nothing(page: QWidget) -> None:
    """A banner lies inside the page and over it: what stood there before stays where it was, at the smaller size too."""
    assert isinstance(page, Page)
    page.resize(SIZES[0].width() - 70, SIZES[0].height() - 60)
    QCoreApplication.processEvents()
    parts = [one for one in page.findChildren(QWidget) if not page.banner_room.isAncestorOf(one)]
    before = {one: one.geometry() for one in parts if one is not page.banner_room and one.isVisible()}
    page.say("error", "The pictures cannot be read, " * 6, "Fetch them again.", "Try again", "Leave it")
    QCoreApplication.processEvents()
    assert {one: one.geometry() for one in before} == before
    assert page.banner.isVisible()
    assert page.rect().contains(page.banner_room.geometry())
    assert page.banner.height() >= page.banner.heightForWidth(page.banner.width())
    assert page.childAt(page.banner_room.geometry().center()).window() is page.window()
    assert page.banner_room.isAncestorOf(page.childAt(page.banner_room.geometry().center()))
    page.clear_banner()
    assert not page.banner_room.isVisible()


def test_the_window_opens_and_remembers(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """The frame assembles all pages, has its menus, and keeps its geometry."""
    keeper = SettingsKeeper(bench.settings, tmp_path / "settings.toml")
    window = MainWindow(bench.desk, keeper, tmp_path)
    qtbot.addWidget(window)
    bench.engine.emit(READY)
    window.show()
    titles = [action.text() for action in window.menuBar().actions()]
    assert titles == ["&File", "&Edit", "&View", "&Run", "&Help"]
    window.close()
    assert bench.settings.geometry
    assert (tmp_path / "settings.toml").exists()


def test_return_presses_the_focused_button(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """Return does what Space does on a button; in a text field it presses nothing."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    pressed: list[str] = []
    button, field = QPushButton("Press me", window), QLineEdit(window)
    button.clicked.connect(lambda: pressed.append("pressed"))
    window.show()
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    QTest.keyClick(button, Qt.Key.Key_Enter)
    assert pressed == ["pressed", "pressed"]
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert len(pressed) == 2


def test_the_window_fits_a_small_screen(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """No page asks for more than a screen of 1366 × 768 has at 150 %, less the frame; what needs more scrolls."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    window.show()
    least = window.minimumSizeHint()
    assert (least.width() <= 910, least.height() <= 480) == (True, True), least
