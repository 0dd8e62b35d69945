"""The wizard's widgets: charts that read out, cards that are picked, a strip that turns over, a table that sorts."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import acted_tuning as tuning
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capt_gui.theme import Theme
from capt_gui.widgets.before_after import BeforeAfter, Measured, Pair
from capt_gui.widgets.choice_cards import Choice, ChoiceCards
from capt_gui.widgets.line_chart import Level, Line, LineChart
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.plot_items import apart, ticks
from capt_gui.widgets.sample_strip import SampleStrip
from capt_gui.widgets.score_table import Cell, ScoreTable

THREE = (Choice("a", "A", "First."), Choice("b", "B", "Second.", "Slow."), Choice("c", "C", "Third."))


def test_ticks_are_round_and_inside() -> None:
    """An axis from 0 to 1.93 has round marks inside its ends; epochs have whole ones; budgets that crowd are thinned."""
    assert ticks(0, 1.93, 4) == [0, 0.5, 1.0, 1.5]
    assert ticks(1, 7, 10, whole=True) == [1, 2, 3, 4, 5, 6, 7]
    assert ticks(3, 3, 4) == [3]
    assert apart([0, 1, 1.1, 3, 9], 0.5, 5, 0.5) == [1, 3]


@pytest.fixture
def chart(theme: Theme, qtbot: QtBot) -> LineChart:
    """Accuracy over three epochs, with a band and a level."""
    chart = LineChart(theme, "Accuracy", "epoch", "y", "Nothing yet.", share=True)
    qtbot.addWidget(chart)
    chart.resize(500, 240)
    assert chart.accessibleDescription() == "Nothing yet."
    line = Line("clean", "clean", (1, 2, 3), (0.5, 0.6, 0.7), (0.4, 0.5, 0.6), (0.6, 0.7, 0.8))
    chart.set_lines((line,), (Level("plain text", "clean", 0.45),), end=10)
    return chart


def test_a_chart_reads_out_its_values(chart: LineChart) -> None:
    """The latest by itself, each by the arrow keys, and the latest again after Escape."""
    latest = "epoch 3: clean 70.0 % (60.0–80.0 %), plain text 45.0 %"
    assert chart.accessibleDescription().replace("\u00a0", " ") == latest
    chart.show()
    chart.setFocus()
    for key, words in ((Qt.Key.Key_Left, "epoch 2: clean 60"), (Qt.Key.Key_Home, "epoch 1: clean 50")):
        QTest.keyClick(chart, key)
        assert chart.accessibleDescription().startswith(words)
    QTest.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.accessibleDescription().replace("\u00a0", " ") == latest


def move_to(chart: LineChart, spot: QPointF, buttons: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    """Move the mouse there."""
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, spot, spot, none, buttons, Qt.KeyboardModifier.NoModifier)
    QCoreApplication.sendEvent(chart, moved)


def test_the_mouse_reads_out_the_nearest_value(chart: LineChart) -> None:
    """Pointing at the left end reads the first epoch."""
    chart.show()
    move_to(chart, chart.plot_rect().center() - QPointF(chart.plot_rect().width() / 2 - 3, 0))
    assert chart.description().startswith("epoch 1:")


def test_cards_are_one_tab_stop_and_say_what_is_picked(theme: Theme, qtbot: QtBot) -> None:
    """Showing a choice says nothing; arrow and click say what the user took."""
    cards = ChoiceCards(theme, "Effort")
    qtbot.addWidget(cards)
    cards.set_choices(THREE, "b")
    cards.resize(700, 160)
    cards.show()
    told: list[str] = []
    cards.picked.connect(told.append)
    assert cards.choice() == "b"
    assert told == []
    stops = [key for key in "abc" if cards.card(key).focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == ["b"]
    with qtbot.waitActive(cards):
        cards.activateWindow()
    cards.focus_taken()
    QTest.keyClick(cards.card("b"), Qt.Key.Key_Right)
    QTest.keyClick(QApplication.focusWidget() or cards, Qt.Key.Key_Space)
    qtbot.mouseClick(cards.card("a"), Qt.MouseButton.LeftButton)
    assert told[-1] == "a"
    assert "c" in told
    assert cards.card("b").accessibleDescription() == "Second. Slow."


def test_a_choice_elsewhere_leaves_no_card_taken(theme: Theme, qtbot: QtBot) -> None:
    """Where another family holds the choice, none of these is checked, and the keyboard still gets in."""
    cards = ChoiceCards(theme, "Method")
    qtbot.addWidget(cards)
    cards.set_choices(THREE, "a")
    cards.set_choices(THREE, "elsewhere")
    assert cards.choice() == ""
    assert cards.card("a").focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_card_whose_words_change_keeps_the_focus(theme: Theme, qtbot: QtBot) -> None:
    """A forecast that arrives changes what a card costs, and must not take the keyboard away."""
    cards = ChoiceCards(theme, "Effort")
    qtbot.addWidget(cards)
    cards.set_choices(THREE, "a")
    cards.show()
    with qtbot.waitActive(cards):
        cards.activateWindow()
    cards.focus_taken()
    card = cards.card("a")
    cards.set_choices([replace(choice, cost="about 3 minutes") for choice in THREE], "a")
    assert cards.card("a") is card
    assert card.hasFocus()
    assert card.accessibleDescription() == "First. about 3 minutes"


def test_cards_grow_with_their_words(theme: Theme, qtbot: QtBot) -> None:
    """A narrow card is higher: nothing is cut."""
    cards = ChoiceCards(theme, "Effort")
    qtbot.addWidget(cards)
    cards.set_choices([Choice("a", "A", "A sentence with a good many words. " * 4)], "a")
    card = cards.card("a")
    assert card.heightForWidth(150) > card.heightForWidth(600)


def test_before_and_after_are_spoken_with_their_intervals(theme: Theme, qtbot: QtBot) -> None:
    """What the bars show is said, too, and what was not measured is called so."""
    bars = BeforeAfter(theme, "Result", "plain text", "tuned")
    qtbot.addWidget(bars)
    bars.set_pairs((Pair("Clean", Measured(0.5, 0.4, 0.6), Measured(0.75, 0.66, 0.82)), Pair("Attacked", None, None)))
    words = bars.accessibleDescription().replace("\u00a0", " ")
    assert words == (
        "Clean: plain text 50.0 % (40.0–60.0 %), tuned 75.0 % (66.0–82.0 %). Attacked: plain text not measured, tuned not measured"
    )
    bars.show()
    assert not bars.grab().isNull()


def test_the_strip_turns_over_and_counts(theme: Theme, qtbot: QtBot) -> None:
    """Space shows the clean pictures; the description says how many hold, and what the current one is taken for."""
    strip = SampleStrip(theme)
    qtbot.addWidget(strip)
    strip.resize(800, 160)
    strip.show()
    samples = tuning.strip(3, Random(0)).samples
    strip.set_samples(samples)
    held = sum(sample.attacked_answer == sample.label for sample in samples)
    assert strip.accessibleDescription().startswith(f"{held} of 8 are answered right under attack.")
    before = strip.grab().toImage()
    QTest.keyClick(strip, Qt.Key.Key_Space)
    assert "clean pictures" in strip.accessibleDescription()
    assert strip.grab().toImage() != before
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert samples[1].label in strip.accessibleDescription()


def test_the_table_sorts_by_value_and_lets_tab_through(qtbot: QtBot) -> None:
    """9 % comes before 80 %, whatever their letters; Ctrl+Space turns the order over."""
    table = ScoreTable("Class by class")
    qtbot.addWidget(table)
    rows = [[Cell(name, name), Cell(f"{value:.0f} %", value)] for name, value in (("b", 80.0), ("C", 9.0), ("a", 25.0))]
    table.set_table([("Class", ""), ("Right", "Help.")], rows)
    assert table.shown(0) == ["b", "C", "a"]
    table.setCurrentIndex(table.model().index(0, 1))
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(table, Qt.Key.Key_Space, control)
    assert table.shown(1) == ["9 %", "25 %", "80 %"]
    QTest.keyClick(table, Qt.Key.Key_Space, control)
    assert table.shown(1) == ["80 %", "25 %", "9 %"]
    assert not table.tabKeyNavigation()


def test_controls_made_late_keep_their_place_for_tab(theme: Theme, qtbot: QtBot) -> None:
    """Cards and settings that arrive with the engine come between their neighbours, not behind everything."""
    page, above, below = QWidget(), QPushButton("above"), QPushButton("below")
    cards, form = ChoiceCards(theme, "Method"), ParamForm(theme)
    column = QVBoxLayout(page)
    for widget in (above, cards, form, below):
        column.addWidget(widget)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    page.activateWindow()
    cards.set_choices(THREE, "b")
    form.set_params(tuning.TUNING[:2])
    QApplication.processEvents()
    passed: list[QWidget | None] = []
    above.setFocus()
    for _ in range(4):
        QTest.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        passed.append(page.focusWidget())
    editors = [form.editor(info.name) for info in tuning.TUNING[:2]]
    assert passed == [cards.card("b"), *editors, below]
