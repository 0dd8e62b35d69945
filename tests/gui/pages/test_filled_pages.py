"""Laws of the window full of results: Tab, names and focus on every page, and nothing that moves when an answer comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from acted_data import write_folders
from acted_reports import kept
from conftest import Bench
from fakes import READY, TWO_SIDES, ActingEngine, analyse_both
from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from capt_gui.bridge import Bridge
from capt_gui.main_window import MainWindow
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.navigation import EVALUATE, EXPLORE, MODELS, REPORT, TUNE
from capt_gui.view_models.settings_keeper import SettingsKeeper
from capt_gui.widgets.run_list import RunList

SIZES = (QSize(960, 600), QSize(1280, 800))
PATIENCE_MS = 30_000


@pytest.fixture
def window(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window on an engine that acts, with pictures, an evaluation, a tuning run and kept runs."""
    made: list[ActingEngine] = []
    runs = tuple(kept(str(tmp_path / name), name, 12, labelled=True) for name in ("first", "second"))

    def make(on_event: object) -> ActingEngine:
        made.append(ActingEngine(on_event, ready=TWO_SIDES, runs=runs))  # type: ignore[arg-type]
        return made[0]

    bridge = Bridge(make)
    desk = lay_out(bridge, Settings(model="demo"), theme, tmp_path / "runs", tmp_path / "projects")
    window = MainWindow(desk, SettingsKeeper(desk.settings, None), tmp_path, tmp_path / "sessions")
    qtbot.addWidget(window)
    window.resize(SIZES[0])
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    bridge.open()
    qtbot.waitUntil(lambda: desk.engine.is_ready, timeout=PATIENCE_MS)
    fill(desk, qtbot, tmp_path)
    # A part that is shown before it has a parent opens as a window for a moment, and takes the focus.
    assert window.isActiveWindow()
    yield window
    window.close_unasked()
    bridge.close()
    bridge.deleteLater()


def paint(file: Path, colour: int) -> str:
    """Write a small picture of one colour, and return its path."""
    image = QImage(32, 24, QImage.Format.Format_RGB32)
    image.fill(colour)
    image.save(str(file))
    return str(file)


def fill(desk: Desk, qtbot: QtBot, folder: Path) -> None:
    """Bring results to every page that has some."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for name, colour in (("a.png", 0xFF4040), ("b.png", 0x4040FF)):
        paint(pictures / name, colour)
    desk.analysis.drop([str(pictures)])
    labelled = write_folders(folder / "labelled", {"cat": 3, "dog": 3})
    desk.evaluation.data.take([str(labelled)])
    desk.tuning.project.change(data=("/fruits",))
    desk.tuning.run.start()
    qtbot.waitUntil(lambda: desk.evaluation.data.result is not None, timeout=PATIENCE_MS)
    desk.evaluation.run.start()
    results = (lambda: desk.evaluation.run.result is not None, lambda: desk.tuning.run.is_done)
    for is_there in (*results, lambda: not desk.analysis.is_running):
        qtbot.waitUntil(is_there, timeout=PATIENCE_MS)


def focusable(window: QWidget) -> set[QWidget]:
    """Every control of the window that Tab should stop at; what belongs to another control is reached through it."""
    return {
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.window() is window
        and not isinstance(widget, QScrollBar)
        and not (isinstance(widget, QLineEdit) and widget.objectName().startswith("qt_"))
    }


def told(widget: QWidget) -> str:
    """A control as a failure names it."""
    words = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{type(widget).__name__} {widget.accessibleName() or words!r}"


def test_tab_walks_over_every_filled_page(window: MainWindow, qtbot: QtBot) -> None:
    """Each control is reached once in a round, in sight, with a name and a frame that shows the focus."""
    wrong: list[str] = []
    for key in (EXPLORE, EVALUATE, TUNE, REPORT, MODELS):
        window.show_page(key)
        lists = window.page.findChildren(RunList)
        qtbot.waitUntil(lambda: all(one.model().rowCount() for one in lists), timeout=PATIENCE_MS)  # noqa: B023
        QCoreApplication.processEvents()
        start = window.rail.buttons[key]
        start.setFocus(Qt.FocusReason.TabFocusReason)
        wanted, reached = focusable(window), list[QWidget]()
        focused: QWidget | None = start
        while focused is not None and focused not in reached and len(reached) <= 2 * len(wanted):
            reached.append(focused)
            if focused.visibleRegion().isEmpty():
                wrong.append(f"{key}: out of sight with the focus: {told(focused)}")
            if not (focused.accessibleName() or (isinstance(focused, QAbstractButton) and focused.text())):
                wrong.append(f"{key}: without a name: {told(focused)}")
            with_focus = focused.grab().toImage()
            QTest.keyClick(focused, Qt.Key.Key_Tab)
            if focused.grab().toImage() == with_focus:
                wrong.append(f"{key}: looks the same without the focus: {told(focused)}")
            focused = QApplication.focusWidget()
        if focused is not start:
            wrong.append(f"{key}: the round does not end where it began, but at {focused and told(focused)}")
        wrong += [f"{key}: never reached: {told(widget)}" for widget in wanted - set(reached)]
    assert not wrong, "\n".join(wrong)


def places(page: ExplorePage) -> dict[QWidget, QRect]:
    """The place of all that is visible, but for the words above and below the pictures and what scrolls inside a chart."""
    result = page.result
    charts = result.charts
    areas = [part.parentWidget().parentWidget() for part in (charts.bars, charts.shift, charts.consistency)]
    loose = (result.head, result.foot, *areas, result.margins, result.replay)
    return {
        widget: QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())
        for widget in page.findChildren(QWidget)
        if widget.isVisible() and not any(part.isAncestorOf(widget) for part in loose)
    }


def settled(page: ExplorePage) -> dict[QWidget, QRect]:
    """The places once nothing moves any more."""
    before: dict[QWidget, QRect] = {}
    for _ in range(50):
        QCoreApplication.processEvents()
        now = places(page)
        if now == before:
            return now
        before = now
    raise AssertionError("the page does not come to rest")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size.width()}x{size.height()}")
@pytest.mark.parametrize("compared", [False, True], ids=["one", "two"])
def test_nothing_moves_when_the_answer_comes(
    bench: Bench, qtbot: QtBot, tmp_path: Path, size: QSize, compared: bool
) -> None:
    """The room of verdict, settings, right answer and charts is kept from before the answer, and so is that of the summary."""
    page = ExplorePage(bench.desk)
    qtbot.addWidget(page)
    page.resize(size)
    page.show()
    qtbot.waitExposed(page)
    bench.engine.emit(TWO_SIDES if compared else READY)
    gallery, path = bench.desk.gallery, paint(tmp_path / "a.png", 0xFF4040)
    gallery.add([path])
    gallery.set_pending([path], "running")
    page.gallery.view.select_path(path)
    before = settled(page)
    request = bench.desk.choices.request((path,))
    gallery.put_rows(analyse_both(path, request), replace(request, paths=()))
    after = settled(page)
    assert page.result.charts.isVisible()
    assert len(before) > 60
    moved = [
        f"{type(one).__name__} {one.accessibleName()!r}: {place} → {after.get(one)}"
        for one, place in before.items()
        if one in after and after[one] != place
    ]
    assert not moved, "\n".join(moved)
    page.leave()
