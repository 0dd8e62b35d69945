"""Linked views of one picture: a handle that wipes, a key that flickers, the difference, and the whole window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import Picture, PictureSet, SignedPicture, palette
from capt_gui.theme import Theme
from capt_gui.widgets.image_compare import ComparePane
from capt_gui.widgets.image_tools import DIFFERENCE, FLICKER, PANES, WIPE
from capt_gui.widgets.image_triptych import ImageTriptych
from capt_gui.widgets.image_window import WindowFiller

RED, BLUE = (200, 20, 20), (20, 20, 200)


def flat(colour: tuple[int, int, int]) -> Picture:
    """A picture of 20 × 20 pixels of one colour."""
    return Picture(20, 20, bytes(colour) * 400)


@pytest.fixture
def triptych(theme: Theme, qtbot: QtBot) -> ImageTriptych:
    """Linked views on the screen: red before the attack, blue after it, and a change of +ε everywhere."""
    widget = ImageTriptych(theme)
    qtbot.addWidget(widget)
    widget.resize(900, 500)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.set_pictures(PictureSet(flat(RED), SignedPicture(20, 20, 4 / 255, bytes([127]) * 1200), flat(BLUE)))
    return widget


def pick(triptych: ImageTriptych, mode: str) -> ComparePane:
    """Click the button of a view, and return the pane that shows it."""
    QTest.mouseClick(triptych.tools.modes.buttons[mode], Qt.MouseButton.LeftButton)
    return triptych.single


def seen_at(pane: ComparePane, across: float) -> tuple[int, ...]:
    """The colour at a share of the picture's width, below the tags and beside the handle's knob."""
    left, right = pane._to_screen(QPointF(0, 0)), pane._to_screen(QPointF(20, 20))
    spot = QPointF(left.x() + across * (right.x() - left.x()), left.y() + 0.8 * (right.y() - left.y()))
    return pane.grab().toImage().pixelColor(spot.toPoint()).getRgb()[:3]  # type: ignore[return-value, index]


def test_the_handle_parts_clean_from_adversarial(triptych: ImageTriptych) -> None:
    """Left of the handle the clean picture is seen, right of it the adversarial one, wherever keys or mouse put it."""
    pane = pick(triptych, WIPE)
    assert (seen_at(pane, 0.4), seen_at(pane, 0.6)) == (RED, BLUE)
    pane.setFocus()
    for _ in range(10):
        QTest.keyClick(pane, Qt.Key.Key_Right)
    assert pane.share == pytest.approx(0.7)
    assert (seen_at(pane, 0.6), seen_at(pane, 0.8)) == (RED, BLUE)
    QTest.keyClick(pane, Qt.Key.Key_Home)
    assert seen_at(pane, 0.1) == BLUE
    quarter = pane._to_screen(QPointF(5, 10)).toPoint()
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=quarter)
    assert pane.share == pytest.approx(0.25, abs=0.02)
    assert "25 %" in pane.accessibleDescription()


def test_zoomed_in_only_the_handle_is_dragged(triptych: ImageTriptych) -> None:
    """Away from the handle the mouse moves the picture, as in every other view."""
    pane = pick(triptych, WIPE)
    for _ in range(6):
        triptych.zoom_in()
    far = QPoint(pane.width() // 4, pane.height() // 2)
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=far)
    QTest.mouseMove(pane, far + QPoint(30, 0))
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=far + QPoint(30, 0))
    assert pane.share == 0.5


@pytest.mark.parametrize("key", [Qt.Key.Key_F, Qt.Key.Key_Space])
def test_the_other_picture_is_seen_while_a_key_is_held(triptych: ImageTriptych, key: Qt.Key) -> None:
    """Down: the adversarial picture. Up, or the focus elsewhere: the clean one."""
    pane = pick(triptych, FLICKER)
    pane.setFocus()
    assert seen_at(pane, 0.5) == RED
    QTest.keyPress(pane, key)
    assert seen_at(pane, 0.5) == BLUE
    QTest.keyRelease(pane, key)
    assert seen_at(pane, 0.5) == RED
    QTest.keyPress(pane, key)
    triptych.tools.hold.setFocus()
    assert seen_at(pane, 0.5) == RED


def test_a_button_shows_the_other_picture_while_it_is_down(triptych: ImageTriptych) -> None:
    """Who has no keyboard holds the button."""
    pane = pick(triptych, FLICKER)
    QTest.mousePress(triptych.tools.hold, Qt.MouseButton.LeftButton)
    assert seen_at(pane, 0.5) == BLUE
    QTest.mouseRelease(triptych.tools.hold, Qt.MouseButton.LeftButton)
    assert seen_at(pane, 0.5) == RED


def test_the_difference_is_drawn_on_its_scale(triptych: ImageTriptych) -> None:
    """A change of +ε has the upper end's colour on the scale of the budget, and a lighter one on a scale twice as long."""
    pane = pick(triptych, DIFFERENCE)
    assert seen_at(pane, 0.5) == tuple(palette()[-3:])
    assert triptych.single_bar.isVisible()
    triptych.tools.ends.setCurrentIndex(triptych.tools.ends.findData(8))
    assert triptych.tools.ends.currentText() == "±8/255 (× 31.9)"
    half = len(palette()) // 3 * 3 // 4 // 3 * 3
    assert QColor(*seen_at(pane, 0.5)).lightness() > QColor(*palette()[-3:]).lightness()
    assert seen_at(pane, 0.5) != tuple(palette()[half : half + 3])


def test_zoom_place_and_pixel_are_one_in_all_views(triptych: ImageTriptych) -> None:
    """What was zoomed side by side is zoomed in one place, and the read-out tells the same pixel."""
    triptych.zoom_to_pixels()
    triptych.panes[0].setFocus()
    QTest.keyClick(triptych.panes[0], Qt.Key.Key_Right)
    line = triptych.readout()
    for mode in (WIPE, FLICKER, DIFFERENCE):
        pane = pick(triptych, mode)
        assert pane.zoom() == triptych.panes[0].zoom()
        assert triptych.readout() == line
    assert "change +4.00" in line


@pytest.fixture
def window(triptych: ImageTriptych, qtbot: QtBot) -> QMainWindow:
    """A window with the views in a part of it, and an action on Escape of its own."""
    window = QMainWindow()
    qtbot.addWidget(window)
    filler, middle = WindowFiller(triptych), QWidget()
    column = QVBoxLayout(middle)
    other = QWidget()
    other.setFixedHeight(200)
    column.addWidget(other)
    column.addWidget(filler, 1)
    window.setCentralWidget(middle)
    triptych.window_asked.connect(filler.toggle)
    filler.filled.connect(triptych.set_filling)
    window.resize(800, 600)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    return window


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_F11])
def test_a_picture_fills_the_window_and_goes_back(window: QMainWindow, triptych: ImageTriptych, key: Qt.Key) -> None:
    """Enter or F11 fills it, Escape goes back without cancelling anything; view, zoom and focus stay."""
    cancelled: list[str] = []
    action = QAction("Cancel", window, shortcut="Esc")
    action.triggered.connect(lambda: cancelled.append("cancelled"))
    window.addAction(action)
    pane = pick(triptych, WIPE)
    pane.set_share(0.3)
    triptych.zoom_in()
    zoom, small = pane.zoom(), triptych.height()
    pane.setFocus()
    QTest.keyClick(pane, key)
    assert triptych.height() > small + 100
    assert triptych.window() is window
    assert (triptych.mode, pane.share, pane.zoom()) == (WIPE, 0.3, zoom)
    assert pane.hasFocus()
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    QCoreApplication.processEvents()
    assert triptych.height() == small
    assert pane.hasFocus()
    assert cancelled == []
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert cancelled == ["cancelled"]


def test_a_double_click_fills_the_window_and_brings_it_back(window: QMainWindow, triptych: ImageTriptych) -> None:
    """The same on any pane; a page that is left takes its pictures back."""
    filler = window.findChild(WindowFiller)
    assert filler is not None
    assert triptych.mode == PANES
    QTest.mouseDClick(triptych.panes[1], Qt.MouseButton.LeftButton)
    assert filler.is_filling
    window.resize(900, 700)
    assert triptych.width() > 850
    QTest.mouseDClick(triptych.panes[1], Qt.MouseButton.LeftButton)
    assert not filler.is_filling
    filler.fill_window()
    filler.hide()
    assert not filler.is_filling
    assert triptych.parent() is filler
