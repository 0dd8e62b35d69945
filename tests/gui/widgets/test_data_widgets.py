"""The widgets of the first two steps: named, painted in both themes, worked by keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QImage, QStandardItem, QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from capt_gui.roles import ClassRole, PictureRole
from capt_gui.theme import Theme
from capt_gui.widgets.class_table import ClassTable
from capt_gui.widgets.drop_area import DropArea
from capt_gui.widgets.notice_bar import NoticeBar
from capt_gui.widgets.picture_grid import PictureGrid
from capt_gui.widgets.split_bars import SplitBars
from capt_gui.widgets.use_totals import UseTotals

Make = Callable[[Theme], QWidget]

TONES = ("accent", "clean", "ok", "control")


def view() -> QImage:
    """A small view."""
    image = QImage(12, 8, QImage.Format.Format_RGB888)
    image.fill(QColor("teal"))
    return image


def table(theme: Theme) -> ClassTable:
    """Three classes, one of which is left out."""
    widget = ClassTable(theme, 1)
    model = QStandardItemModel(0, 3, widget)
    model.setHorizontalHeaderLabels(["Class", "", "Pictures"])
    for name, count in (("cat", 12), ("dog", 3), ("emu", 20)):
        items = [QStandardItem(name), QStandardItem(""), QStandardItem(str(count))]
        for item in items:
            item.setData(name, ClassRole.NAME)
            item.setData(name == "dog", ClassRole.LEFT_OUT)
        items[0].setData(name, ClassRole.SORT)
        items[1].setData([view(), None], ClassRole.STRIP)
        items[2].setData(count, ClassRole.SORT)
        items[2].setData("warning", ClassRole.TONE)
        model.appendRow(items)
    widget.set_model(model)
    widget.setCurrentIndex(widget.model().index(0, 0))
    return widget


def grid(theme: Theme) -> PictureGrid:
    """A picture, one that is left out, one that cannot be read and one that is still to come."""
    widget = PictureGrid(theme)
    model = QStandardItemModel(widget)
    for name in ("seen", "out", "broken", "coming"):
        item = QStandardItem(name)
        item.setData(f"/{name}.png", PictureRole.PATH)
        item.setData(view() if name in ("seen", "out") else None, PictureRole.THUMBNAIL)
        item.setData("Test", PictureRole.CAPTION)
        item.setData("ok", PictureRole.TONE)
        item.setData(name == "out", PictureRole.LEFT_OUT)
        item.setData(name == "broken", PictureRole.BROKEN)
        model.appendRow(item)
    widget.setModel(model)
    widget.setCurrentIndex(model.index(0, 0))
    return widget


def bars(theme: Theme) -> SplitBars:
    """A class with all uses, and one without pictures."""
    widget = SplitBars(theme, TONES)
    model = QStandardItemModel(widget)
    for name, parts in (("cat", (16, 2, 5, 7)), ("dog", (0, 0, 0, 0))):
        item = QStandardItem(name)
        item.setData(name, ClassRole.NAME)
        item.setData(parts, ClassRole.PARTS)
        model.appendRow(item)
    widget.setModel(model)
    widget.set_largest(30)
    widget.setCurrentIndex(model.index(0, 0))
    return widget


def totals(theme: Theme) -> UseTotals:
    """Four numbers."""
    widget = UseTotals(theme, [(name, tone, "Help.") for name, tone in zip("abcd", TONES, strict=True)])
    widget.set_counts((1234, 5, 6, 0))
    return widget


def notice(theme: Theme) -> NoticeBar:
    """A notice with a button."""
    return NoticeBar(theme, "block", "One picture <b>is</b> missing.", "It was there.", "Look again")


def area(theme: Theme) -> DropArea:
    """A drop area with a button."""
    widget = DropArea(theme, "folder", "Drop here", "A line.", "A caption.")
    widget.add_button("folder", "Choose…", "Choose a folder", primary=True)
    return widget


EVERY: tuple[Make, ...] = (table, grid, bars, totals, notice, area)


@pytest.fixture(params=EVERY, ids=lambda make: make.__name__)
def widget(request: pytest.FixtureRequest, theme: Theme, qtbot: QtBot) -> QWidget:
    """Each widget in turn, shown."""
    made: QWidget = request.param(theme)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    made.activateWindow()
    return made


def test_both_themes_and_a_small_size_are_painted_without_a_complaint(widget: QWidget, theme: Theme) -> None:
    """Grabbing paints everything; Qt warnings would fail the test; light and dark differ."""
    seen = []
    for choice, size in (("dark", (900, 600)), ("light", (900, 600)), ("light", (180, 120))):
        theme.set_choice(choice)
        widget.resize(*size)
        seen.append(widget.grab().toImage())
    assert seen[0] != seen[1]


def test_what_takes_the_focus_has_a_name_and_shows_it(widget: QWidget, qtbot: QtBot) -> None:
    """A screen reader can say it, and an eye can see it."""
    kinds = (ClassTable, PictureGrid, SplitBars, QAbstractButton)
    taking = [own for own in (widget, *widget.findChildren(QWidget)) if isinstance(own, kinds) and own.isVisible()]
    for own in taking:
        assert own.accessibleName()
        own.clearFocus()
        before = own.grab().toImage()
        own.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(own.hasFocus)
        assert own.grab().toImage() != before


def test_the_table_is_worked_by_keys(theme: Theme, qtbot: QtBot) -> None:
    """Down moves, Space and Delete ask to leave out what is selected, Return asks for its pictures, Tab leaves."""
    widget = table(theme)
    qtbot.addWidget(widget)
    current: list[str] = []
    toggled: list[list[str]] = []
    entered: list[str] = []
    widget.current_changed.connect(current.append)
    widget.toggled.connect(toggled.append)
    widget.entered_row.connect(entered.append)
    QTest.keyClick(widget, Qt.Key.Key_Down)
    QTest.keyClick(widget, Qt.Key.Key_Space)
    QTest.keyClick(widget, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(widget, Qt.Key.Key_Delete)
    QTest.keyClick(widget, Qt.Key.Key_Return)
    assert current == ["dog", "emu"]
    assert toggled == [["dog"], ["dog", "emu"]]
    assert entered == ["emu"]
    assert not widget.tabKeyNavigation()


def test_the_table_sorts_by_number_and_filters_by_name(theme: Theme, qtbot: QtBot) -> None:
    """Twelve comes after three; a third click on the header brings the order of the data back."""
    widget = table(theme)
    qtbot.addWidget(widget)

    def names() -> list[str]:
        model = widget.model()
        return [str(model.index(row, 0).data(ClassRole.NAME)) for row in range(model.rowCount())]

    assert names() == ["cat", "dog", "emu"]
    widget.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert names() == ["emu", "cat", "dog"]
    widget.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert names() == ["cat", "dog", "emu"]
    widget.set_filter("M")
    assert names() == ["emu"]
    widget.select_name("emu")
    assert widget.selected_names() == ["emu"]


def test_the_grid_is_worked_by_keys(theme: Theme, qtbot: QtBot) -> None:
    """The arrows move, Space asks to leave out what is selected."""
    widget = grid(theme)
    qtbot.addWidget(widget)
    widget.resize(400, 200)
    widget.show()
    toggled: list[list[str]] = []
    widget.toggled.connect(toggled.append)
    QTest.keyClick(widget, Qt.Key.Key_Right)
    QTest.keyClick(widget, Qt.Key.Key_Space)
    assert widget.current_key() == "/out.png"
    assert toggled == [["/out.png"]]


def test_numbers_are_spoken(theme: Theme, qtbot: QtBot) -> None:
    """Totals say name and number; before they are known, a dash."""
    widget = totals(theme)
    qtbot.addWidget(widget)
    assert widget.texts() == ["a: 1,234", "b: 5", "c: 6", "d: 0"]
    widget.set_counts(None)
    assert widget.texts()[0] == "a: –"


def test_the_bars_go_to_pictures(theme: Theme, qtbot: QtBot) -> None:
    """Return on a class asks for its pictures."""
    widget = bars(theme)
    qtbot.addWidget(widget)
    entered: list[str] = []
    widget.entered_row.connect(entered.append)
    QTest.keyClick(widget, Qt.Key.Key_Down)
    QTest.keyClick(widget, Qt.Key.Key_Return)
    assert entered == ["dog"]


def test_a_notice_is_plain_text_and_acts(theme: Theme, qtbot: QtBot) -> None:
    """What an engine says may hold angle brackets; the button says that it was pressed."""
    widget = notice(theme)
    qtbot.addWidget(widget)
    assert widget.accessibleName() == "One picture <b>is</b> missing."
    with qtbot.waitSignal(widget.action_clicked):
        widget.button.click()


def test_a_narrow_table_keeps_names_and_numbers_in_sight(theme: Theme, qtbot: QtBot) -> None:
    """The strip of pictures goes first; no column stands beside the edge, where nobody could scroll to it."""
    widget = table(theme)
    qtbot.addWidget(widget)
    widget.show()
    for width, hidden in ((600, []), (280, [1]), (120, [1, 2])):
        widget.resize(width, 200)
        assert [column for column in range(3) if widget.isColumnHidden(column)] == hidden
        assert widget.horizontalHeader().length() <= widget.viewport().width()


@pytest.mark.parametrize("width", [200, 280, 375, 500])
def test_a_row_holds_as_many_tiles_as_fit(width: int, theme: Theme, qtbot: QtBot) -> None:
    """Tiles are widened to fill a row, but never so far that one of them no longer fits into it."""
    widget = PictureGrid(theme)
    model = QStandardItemModel(0, 1, widget)
    for number in range(12):
        model.appendRow(QStandardItem(str(number)))
    widget.setModel(model)
    qtbot.addWidget(widget)
    widget.resize(width, 300)
    widget.show()
    QCoreApplication.processEvents()
    tops = [widget.visualRect(model.index(row, 0)).top() for row in range(12)]
    # a tile is 92 pixels wide or more; a frame and the scroll bar take some 20
    assert tops.count(tops[0]) == (width - 20) // 92
