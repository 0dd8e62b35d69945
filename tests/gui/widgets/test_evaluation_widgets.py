"""Widgets of an evaluation: shades that can be read out, cards that use the room there is, what failed, and a curve over budgets."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar
from pytestqt.qtbot import QtBot

from capt_engine.records import LOG, Check, FailedPicture
from capt_gui.theme import Theme
from capt_gui.widgets.before_after import BeforeAfter, Pair, measured
from capt_gui.widgets.checks_card import ChecksCard
from capt_gui.widgets.failed_list import FailedList
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.heat_map import HeatMap
from capt_gui.widgets.line_chart import Line, LineChart
from capt_gui.widgets.two_columns import TwoColumns
from capt_gui.widgets.verdict_box import VerdictBox


@pytest.fixture
def grid(theme: Theme, qtbot: QtBot) -> HeatMap:
    """Two kinds at three severities, and a mean."""
    grid = HeatMap(theme, "Right by corruption")
    qtbot.addWidget(grid)
    shares = (0.1, 0.5, 0.9, 0.5)
    grid.set_cells(
        ["fog", "snow"],
        ["1", "2", "3", "mean"],
        [shares, shares],
        text=lambda _row, column: f"{shares[column]:.0%}",
        words="{} {}".format,
        gap_before=3,
    )
    grid.resize(500, 120)
    grid.show()
    return grid


def test_the_arrow_keys_read_a_table_of_shades_out(grid: HeatMap, qtbot: QtBot) -> None:
    """Each cell has its words, for the eye and for a screen reader; the edges hold."""
    told: list[str] = []
    grid.activateWindow()
    grid.clearFocus()
    grid.current_changed.connect(told.append)
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(grid.hasFocus)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up):
        QTest.keyClick(grid, key)
    assert told == ["0 0", "0 1", "1 1", "1 0", "0 0"]
    assert grid.accessibleDescription() == "0 0"
    assert grid.text_of(1, 2) == "90%"


def test_the_mouse_points_at_a_cell(grid: HeatMap) -> None:
    """The words of the cell below it are told, and nothing once it is gone."""
    told: list[str] = []
    grid.current_changed.connect(told.append)
    QTest.mouseMove(grid, grid.cell_rect(1, 3).center().toPoint())
    assert told[-1] == "1 3"
    QTest.mouseMove(grid, QPoint(2, 2))
    assert told[-1] == ""


def test_names_stand_upright_where_columns_are_narrow(grid: HeatMap) -> None:
    """The head grows for them, and the rows stay as they are."""
    flat = grid.sizeHint().height()
    names = [f"a rather long class {number}" for number in range(12)]
    grid.set_cells(["a"], names, [[0.5] * 12], text="{}{}".format, words="{}{}".format)
    assert grid.sizeHint().height() > flat - 26


def test_cards_stand_in_two_columns_where_there_is_room(qtbot: QtBot) -> None:
    """Side by side in a wide window, one under the other in a narrow one; an empty column is none."""
    columns = TwoColumns()
    qtbot.addWidget(columns)
    first, second = QLabel("first"), QLabel("second")
    columns.add(first, 0)
    columns.add(second, 1)
    columns.resize(1400, 300)
    columns.show()
    qtbot.waitUntil(columns.is_wide)
    qtbot.waitUntil(lambda: first.y() == second.y())
    columns.resize(700, 300)
    assert not columns.is_wide()
    qtbot.waitUntil(lambda: first.x() == second.x())
    columns.resize(1400, 300)
    first.hide()
    columns.arrange()
    assert not columns.is_wide()


def test_few_failures_are_shown_at_once(theme: Theme, qtbot: QtBot) -> None:
    """The line counts them; many wait behind a fold; none show nothing."""
    failed = FailedList(theme)
    qtbot.addWidget(failed)
    assert failed.isHidden()
    failed.show_failed([FailedPicture("/x/a.png", "It is empty.", "Fetch it again.")])
    assert failed.title() == "1 picture could not be used"
    assert failed.findChild(Fold).is_expanded()
    failed.show_failed([FailedPicture(f"/x/{number}.png", "It is empty.") for number in range(130)])
    assert failed.title() == "130 pictures could not be used"
    assert not failed.findChild(Fold).is_expanded()
    assert any(label.text() == "and 30 more" for label in failed.findChildren(QLabel))
    failed.show_failed([])
    assert failed.isHidden()


def test_a_verdict_shows_only_the_buttons_it_is_told(theme: Theme, qtbot: QtBot) -> None:
    """No button is there that does nothing; the bar goes when there is nothing to wait for."""
    box = VerdictBox(theme)
    qtbot.addWidget(box)
    report, resume = box.add_button("report", "Open report"), box.add_button("run", "Resume")
    box.show()
    box.show_buttons(resume)
    assert not report.isVisible()
    assert resume.isVisible()
    box.set_progress((1, 2, "half"))
    assert box.findChild(QProgressBar).isVisible()
    box.set_progress(None)
    assert not box.findChild(QProgressBar).isVisible()
    box.set_verdict("worse", "Worse.", "Much.")
    assert box.property("verdict") == "worse"
    assert box.accessibleName() == "Worse."


def test_bars_of_one_side_alone(theme: Theme, qtbot: QtBot) -> None:
    """One name, one bar a group; a share without an interval has no whiskers."""
    bars = BeforeAfter(theme, "Result", "A", "B")
    qtbot.addWidget(bars)
    pair = Pair("Clean", measured(0.5, (0.4, 0.6)))
    bars.set_pairs((pair,))
    two = bars.sizeHint().height()
    bars.set_names("plain text")
    bars.set_pairs((pair,))
    assert bars.sizeHint().height() < two
    assert "plain text" in bars.accessibleDescription()
    assert measured(None, None) is None
    assert measured(0.5, None) is not None


def test_a_curve_over_budgets_is_read_out_by_them(theme: Theme, qtbot: QtBot) -> None:
    """On a logarithmic axis a budget of zero has its place too, one step below the smallest."""
    chart = LineChart(theme, "Accuracy against ε", "ε", "accuracy", "Nothing.", share=True)
    qtbot.addWidget(chart)
    chart.set_lines((Line("A", "side_a", (0.0, 1.0, 64.0), (0.9, 0.5, 0.0)),), scale=LOG)
    chart.resize(400, 240)
    assert not chart.grab().isNull()
    assert chart.description() == "ε 64: A 0.0 %"
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert chart.description() == "ε 1: A 50.0 %"
    chart.point_at(QPointF(math.log10(0.5), 0.5))
    assert chart.description() == "ε 0: A 90.0 %"


def test_checks_with_sentences_tell_all_of_them(theme: Theme, qtbot: QtBot) -> None:
    """Failed ones first; what the passed ones mean stands there too where there is room for it."""
    card = ChecksCard(theme, sentences=True)
    qtbot.addWidget(card)
    few = Check("c", "C", "not_run", None, "too few", "3 of 5: too few.")
    card.set_checks((Check("a", "A", "pass", 1.0, "1", "Because."), Check("b", "B", "fail", 0.0, "0", "Alas."), few))
    said = [label.text() for label in card.findChildren(QLabel)]
    assert said.index("B. Alas.") < said.index("A. Because.")
    assert card.summary.text() == "1 of 2 checks passed, 1 not run; 1 did not, so read the figures with care."
