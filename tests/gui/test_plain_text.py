"""Words in the window are shown as they are written, whatever a file, a class or a model is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from conftest import Bench
from fakes import TWO_SIDES, make_row
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QAbstractTableModel, QModelIndex
from PySide6.QtCore import Qt as QtCore
from PySide6.QtGui import QAction, Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QLabel, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

import capt_gui
from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.pages import PAGES
from capt_gui.plain_text import message_box, plain, plain_label
from capt_gui.view_models.settings_keeper import SettingsKeeper

PICTURE = "<img src='pipe'>"
HOUSE = Path(capt_gui.__file__).parent
DOOR = HOUSE / "plain_text.py"

# What the door is for: these names stand nowhere else. A class made of a label sets its own format, and is walked below.
CLOSED = {"setToolTip", "showText", "setWhatsThis", "setInformativeText", "setHtml", "setMarkdown", "about", "aboutQt"}
CLOSED |= {"information", "question", "warning", "critical"}
FOR_PEOPLE = ("label", "summary", "help", "title", "purpose", "licence", "advice", "note")
RICH = {"QTextEdit", "QTextBrowser", "QErrorMessage", "QToolTip", "QWhatsThis", "QTextDocument"}


@given(st.text("<>&;/!?= abimgsrc\n'\"\u2060", max_size=40))
@example("<img src='/dev/zero'>")
@example("&lt;b>")
@example("<!DOCTYPE html>")
@example("<?xml version='1.0'?><b>")
@example("  <b>bold</b>")
def test_any_text_is_plain(text: str) -> None:
    """Qt takes none of it for HTML, and nothing but a character without width is added."""
    shown = plain(text)
    assert not Qt.mightBeRichText(shown)
    assert shown.replace("\u2060", "") == text.replace("\u2060", "")
    assert shown == text or Qt.mightBeRichText(text)


def test_message_boxes_show_what_is_written(qtbot: QtBot) -> None:
    """The name of a run in the question whether to delete it is no HTML, nor is that of a project in the hint."""
    box = message_box(QMessageBox.Icon.Question, PICTURE, PICTURE, PICTURE)
    qtbot.addWidget(box)
    shown = [one for one in box.findChildren(QLabel) if one.text()]
    assert len(shown) == 2
    assert not [one for one in shown if is_rich(one)]


def test_labels_show_what_is_written(qtbot: QtBot) -> None:
    """A label is told once; its text may change."""
    label = plain_label("")
    qtbot.addWidget(label)
    label.setText(PICTURE)
    assert not is_rich(label)


def test_nothing_goes_around_the_door() -> None:
    """Tooltips, labels and message boxes are made by one module; a tooltip of a list's item is made plain where it is answered."""
    wrong = []
    for file in sorted(HOUSE.rglob("*.py")):
        if file == DOOR:
            continue
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                of_box = isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "QMessageBox"
                closed = name in CLOSED and (
                    of_box or name not in {"about", "information", "question", "warning", "critical"}
                )
                if closed or name in {"QLabel", "QMessageBox", *RICH}:
                    wrong.append(f"{file.name}:{node.lineno} {name}")
        if "ToolTipRole" in text and "import plain" not in text and "set_tooltip" not in text:
            wrong.append(f"{file.name} ToolTipRole")
    assert not wrong


def test_a_name_that_looks_like_html_is_nowhere_taken_for_it(bench: Bench, qtbot: QtBot, tmp_path: Path) -> None:
    """All labels, tooltips, actions and items of all pages, with markup in every label, help, class and file name."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    bench.engine.emit(marked(TWO_SIDES))
    paths = [str(tmp_path / f"{PICTURE}{i}.png") for i in range(2)]
    asked = r.AnalyzeRequest(tuple(paths))
    bench.desk.gallery.add(paths, [r.FailedPicture(paths[1], f"{PICTURE} is damaged.", PICTURE)])
    row = make_row(paths[0])
    bench.desk.gallery.put_rows([replace(row, classes=(PICTURE, *row.classes[1:]))], asked)
    found: list[str] = []
    for page in PAGES:
        window.show_page(page.key)
        found += rich_words(window)
    assert not found
    shown = " ".join(one.toolTip() for one in window.findChildren(QWidget))
    assert PICTURE in shown.replace("\u2060", "")


def rich_words(window: QWidget) -> Iterator[str]:
    """Everything in a window that Qt would show as HTML."""
    for widget in [window, *window.findChildren(QWidget)]:
        if Qt.mightBeRichText(widget.toolTip()) or Qt.mightBeRichText(widget.whatsThis()):
            yield f"{type(widget).__name__}: {widget.toolTip()}"
        if isinstance(widget, QLabel) and (is_rich(widget) or widget.textFormat() != QtCore.TextFormat.PlainText):
            yield f"{type(widget).__name__} {widget.objectName()}: {widget.text()}"
        if isinstance(widget, QAbstractItemView | QComboBox) and widget.model() is not None:
            yield from of_model(widget.model())
    for action in window.findChildren(QAction):
        # An action without a tooltip of its own has its words as one; no menu shows it.
        if Qt.mightBeRichText(action.toolTip()) and action.toolTip() != action.text():
            yield f"action {action.text()}: {action.toolTip()}"


def of_model(model: QAbstractItemModel, parent: QModelIndex | None = None) -> Iterator[str]:
    """The tooltips of the items of a list, a table or a tree, and of its headers, that Qt would show as HTML."""
    parent = parent or QModelIndex()
    role = QtCore.ItemDataRole.ToolTipRole
    # A list model hides how many columns it has: one.
    for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)):
        words = [model.headerData(column, QtCore.Orientation.Horizontal, role)]
        for row in range(model.rowCount(parent)):
            index = model.index(row, column, parent)
            words.append(model.data(index, role))
            if not isinstance(model, QAbstractListModel | QAbstractTableModel) and model.hasChildren(index):
                yield from of_model(model, index)
        yield from (str(one) for one in words if one and Qt.mightBeRichText(str(one)))


def is_rich(label: QLabel) -> bool:
    """Return True if a label shows its text as HTML."""
    if label.textFormat() == QtCore.TextFormat.AutoText:
        return Qt.mightBeRichText(label.text())
    return label.textFormat() != QtCore.TextFormat.PlainText


def marked(value: Any) -> Any:
    """A record with markup before each of its words for people; ids stay."""
    if is_dataclass(value) and not isinstance(value, type):
        held = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
        for_people = {name: f"{PICTURE} {words}" for name, words in held.items() if name in FOR_PEOPLE}
        return replace(value, **{name: marked(one) for name, one in held.items()} | for_people)
    return tuple(map(marked, value)) if isinstance(value, tuple) else value
