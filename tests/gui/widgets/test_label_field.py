"""The field for the right answer takes names of the list, as they are spelled there, and nothing else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_gui.widgets.label_field import LabelField

NAMES = ("stop sign", "cat")


@pytest.fixture
def field(qtbot: QtBot) -> LabelField:
    """An empty field with two names."""
    widget = LabelField()
    qtbot.addWidget(widget)
    widget.set_label(NAMES, "")
    return widget


def write(field: LabelField, text: str) -> list[str]:
    """Type `text` and Enter; return what the field told."""
    told: list[str] = []
    field.typed.connect(told.append)
    field.setText(text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    field.typed.disconnect(told.append)
    return told


def test_a_name_is_taken_as_the_list_spells_it(field: LabelField) -> None:
    """Once; the same again tells nothing, and emptied it is taken back."""
    assert write(field, " Stop Sign ") == ["stop sign"]
    assert write(field, "stop sign") == []
    assert write(field, "") == [""]


def test_any_other_word_is_answered(field: LabelField) -> None:
    """The label of before stays, and a sentence says why."""
    field.set_label(NAMES, "cat")
    said: list[str] = []
    field.refused.connect(said.append)
    assert write(field, "yak") == []
    assert field.text() == "cat"
    assert said == ["“yak” is not among the names that were asked about."]
