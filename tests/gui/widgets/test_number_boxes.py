"""Numbers as people type them: a point or a comma, whatever the system's language, and never ten times as much."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_engine.records import ParamInfo
from capt_gui.theme import Theme
from capt_gui.widgets.param_editors import FloatEditor, IntEditor, WholeNumberBox

EPS = ParamInfo("eps", "ε", "float", 4 / 255, 0.0, 1.0, "/255", help="How far.")
RATE = ParamInfo("rate", "Learning rate", "float", 0.5, 0.0, 100.0, help="How fast.")
STEPS = ParamInfo("steps", "Steps", "int", 10, 1, 1000, help="How often.")


@pytest.fixture(params=["C", "en_US", "de_DE", "fr_FR"])
def language(request: pytest.FixtureRequest, theme: Theme) -> Iterator[str]:
    """The window's language, and with it Qt's own decimal separator."""
    del theme  # the style sheet of an earlier test names files that went with it
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


def typed(box: FloatEditor | WholeNumberBox, text: str, qtbot: QtBot) -> None:
    """Replace the text of a box as a person would."""
    qtbot.addWidget(box)
    box.show()
    box.setFocus()
    box.lineEdit().selectAll()
    QTest.keyClicks(box.lineEdit(), text)
    QTest.keyClick(box.lineEdit(), Qt.Key.Key_Return)


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), ("0,5", 0.5), ("2.25", 2.25), ("2,25", 2.25), (",5", 0.5)])
@pytest.mark.parametrize("info", [EPS, RATE], ids=["eps", "rate"])
def test_both_separators_are_decimal_ones(
    language: str, info: ParamInfo, text: str, value: float, qtbot: QtBot
) -> None:
    """The number that is kept is the one that was typed, with a unit and without."""
    del language
    box = FloatEditor(info)
    box.set_kept(1.0 if info is RATE else 4 / 255)
    typed(box, text, qtbot)
    assert box.value_kept() * (255 if info is EPS else 1) == pytest.approx(value)


@pytest.mark.parametrize("text", ["1,000.5", "1.000,5", "1..5"])
def test_a_number_that_nobody_can_read_changes_nothing(language: str, text: str, qtbot: QtBot) -> None:
    """Two separators may mean several numbers: the value of before comes back."""
    del language
    box = FloatEditor(RATE)
    box.set_kept(0.25)
    typed(box, text, qtbot)
    assert box.value_kept() == 0.25


@pytest.mark.parametrize("text", ["2.5", "2,5", "1.000", "1,000"])
def test_a_whole_number_is_never_ten_times_as_much(language: str, text: str, qtbot: QtBot) -> None:
    """A separator is not swallowed: what is no whole number leaves the value of before; whole ones are taken."""
    del language
    for box in (IntEditor(STEPS), WholeNumberBox()):
        box.setRange(0, 5000)
        box.setValue(7)
        typed(box, text, qtbot)
        assert box.value() == 7
        typed(box, "25", qtbot)
        assert box.value() == 25
