"""Widgets that show two sides: the same classes on both, one scale, the better value marked, the letters said."""

from __future__ import annotations

import math
from functools import partial

import pytest
from pyqtgraph import PlotWidget
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QHelpEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QBoxLayout, QStyleOptionViewItem, QToolButton, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import MetricInfo, Picture, PictureSet, SignedPicture, Verdict
from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.widgets.bar_area import BarArea
from capt_gui.widgets.consistency_panel import ConsistencyPanel
from capt_gui.widgets.gallery_view import GalleryDelegate, GalleryView
from capt_gui.widgets.image_triptych import ImageTriptych
from capt_gui.widgets.logit_shift_chart import LogitShiftChart
from capt_gui.widgets.metric_tile import MetricTile, better_side
from capt_gui.widgets.probability_bars import ProbabilityBars
from capt_gui.widgets.segments import Segments
from capt_gui.widgets.shift_plot import ShiftPlot
from capt_gui.widgets.side_verdicts import SideVerdicts

NAMES = ("torus", "cone", "cube", "ball")
CLEAN = Verdict((4.0, 1.0, 0.0, -1.0), (0.93, 0.05, 0.015, 0.005))
CUBE = Verdict((1.0, 0.0, 4.0, -1.0), (0.05, 0.005, 0.93, 0.015))
HELP = "What it says."


def test_bars_of_both_sides_show_the_same_classes(theme: Theme, qtbot: QtBot) -> None:
    """Rows line up: every answer of either side first; both lists are read, and named by their side."""
    bars = ProbabilityBars(theme)
    qtbot.addWidget(bars)
    bars.show()
    bars.set_pair(NAMES, (CLEAN, CUBE), (CLEAN, None), ("plain text", "CAPT"))
    a, b = bars.description().replace("\u00a0", " ").split(" | ")
    assert a.startswith("torus: clean 93.0 %, under attack 5.0 %; cube: clean 1.5 %, under attack 93.0 %")
    assert b.startswith("torus: clean 93.0 %; cube: clean 1.5 %")
    assert [area.accessibleName()[-7:] for area in bars.findChildren(BarArea)] == ["in text", "B: CAPT"]
    bars.set_verdicts(NAMES, CLEAN, None)
    assert "|" not in bars.description()


@pytest.mark.parametrize("width", [300, 900])
def test_sides_stand_beside_each_other_where_there_is_room(theme: Theme, qtbot: QtBot, width: int) -> None:
    """In a narrow card B stands below A."""
    bars, chart = ProbabilityBars(theme), LogitShiftChart(theme)
    bars.set_pair(NAMES, (CLEAN, CUBE), (CLEAN, None), ("plain text", "CAPT"))
    chart.set_pair(NAMES, (CLEAN.logits, CUBE.logits), (CLEAN.logits, CLEAN.logits), ("plain text", "CAPT"))
    for widget, kind in ((bars, BarArea), (chart, ShiftPlot)):
        qtbot.addWidget(widget)
        widget.resize(width, 700)
        widget.show()
        first, second = widget.findChildren(kind)
        qtbot.waitUntil(partial(_is_beside, widget, first, second, expected=width == 900))


def _is_beside(widget: QWidget, first: QWidget, second: QWidget, *, expected: bool) -> bool:
    a, b = (part.mapTo(widget, QPoint()) for part in (first, second))
    return (a.x() < b.x(), a.y() < b.y()) == (expected, not expected)


def test_shifts_of_both_sides_share_order_and_scale(theme: Theme, qtbot: QtBot) -> None:
    """The largest shift of either side leads on both, and one scale holds them all; pointing reads both."""
    chart = LogitShiftChart(theme)
    qtbot.addWidget(chart)
    chart.resize(800, 400)
    chart.show()
    names = ("x", "y")
    chart.set_pair(names, ((0.0, 0.0), (1.0, 0.5)), ((0.0, 0.0), (0.25, -8.0)), ("plain text", "CAPT"))
    first, second = chart.findChildren(ShiftPlot)
    assert [bar.name for bar in first.bars()] == [bar.name for bar in second.bars()] == ["y", "x"]
    spans = [plot.findChild(PlotWidget).getPlotItem().getViewBox().viewRange()[0] for plot in (first, second)]
    assert all(low < -8 and high > 1 for low, high in spans)
    qtbot.keyClick(second, Qt.Key.Key_Down)
    assert chart.readout() == "y: A 0.00 → 0.50  (+0.50) · B 0.00 → −8.00  (−8.00)"
    chart.clear()
    assert (chart.readout(), chart.shown()) == ("", ())


def test_of_many_classes_both_sides_decide_what_is_shown(theme: Theme, qtbot: QtBot) -> None:
    """A class that moved far on B only is shown on A too."""
    chart = LogitShiftChart(theme)
    qtbot.addWidget(chart)
    zeros = (0.0,) * 100
    moved = tuple(9.0 if index == 70 else 0.0 for index in range(100))
    chart.set_pair(tuple(str(index) for index in range(100)), (zeros, zeros), (zeros, moved), ("A", "B"))
    assert chart.shown()[0] == "70"


METRICS = (
    MetricInfo("kl", "KL divergence", "nats", 0.0, None, False, HELP),
    MetricInfo("cosine", "Cosine", "", -1.0, 1.0, True, HELP),
    MetricInfo("linf", "Largest change", "/255", 0.0, 1.0, None, HELP),
    MetricInfo("margin", "Margin", "", None, None, True, HELP),
)


def test_the_better_value_is_marked_where_a_direction_exists(theme: Theme, qtbot: QtBot) -> None:
    """Less divergence and more cosine are better; a size has no direction; a missing value compares with nothing."""
    panel = ConsistencyPanel(theme)
    qtbot.addWidget(panel)
    a = {"kl": 3.2, "cosine": 0.4, "linf": 4 / 255, "margin": 1.0}
    panel.set_pair(METRICS, a, {"kl": 1.1, "cosine": 0.2, "linf": 2 / 255})
    assert panel.better() == {"KL divergence": "b", "Cosine": "a"}
    shown = {name: text.replace("\u00a0", " ") for name, text in panel.shown().items()}
    assert shown["KL divergence"] == "3.20 nats | 1.10 nats"
    assert shown["Margin"] == "1.00 | –"
    spoken = [tile.accessibleName().replace("\u00a0", " ") for tile in panel.findChildren(MetricTile)]
    assert "KL divergence: A 3.20 nats, B 1.10 nats (better)" in spoken
    panel.set_metrics(METRICS, a)
    assert panel.better() == {}


def test_values_that_read_the_same_are_equally_good() -> None:
    """A difference nobody can see is not called better."""
    assert better_side(METRICS[1], (0.50001, 0.50002)) is None
    assert better_side(METRICS[1], (0.5, math.nan)) is None
    assert better_side(METRICS[0], (0.1, 0.2)) == 0


def test_the_panel_uses_its_width(theme: Theme, qtbot: QtBot) -> None:
    """Pairs stand in one column of rows where it is narrow, in two where it is wide, with the letters over each."""
    panel = ConsistencyPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    values = {"kl": 3.2, "cosine": 0.4, "linf": 4 / 255, "margin": 1.0}
    panel.set_pair(METRICS, values, values)
    for width, columns in ((500, 1), (1000, 2)):
        panel.resize(QSize(width, 400))
        assert len({tile.x() for tile in panel.findChildren(MetricTile)}) <= columns
        assert [header.isVisible() for header in panel._headers] == [True, columns == 2]
    panel.set_metrics(METRICS, values)
    assert not any(header.isVisible() for header in panel._headers)


def test_segments_say_only_what_the_user_chose(theme: Theme, qtbot: QtBot) -> None:
    """A choice that is shown is not one that was made; arrow keys move between the segments."""
    widget = Segments(theme, "Aimed at", [("each", "Each", "Both."), ("a", "A", "A only."), ("b", "B", "B only.")])
    qtbot.addWidget(widget)
    widget.show()
    heard: list[str] = []
    widget.picked.connect(heard.append)
    widget.set_choice("a")
    widget.set_choice("unknown")
    assert (widget.choice(), heard) == ("a", [])
    names = [button.accessibleName() for button in widget.findChildren(QToolButton)]
    assert names == ["Aimed at: Each", "Aimed at: A", "Aimed at: B"]
    qtbot.mouseClick(widget.findChildren(QToolButton)[2], Qt.MouseButton.LeftButton)
    assert (widget.choice(), heard) == ("b", ["b"])


def test_the_headline_speaks_one_sentence(theme: Theme, qtbot: QtBot) -> None:
    """Both halves can be seen, the whole can be heard; they stand beside each other where there is room."""
    widget = SideVerdicts(theme)
    qtbot.addWidget(widget)
    widget.show()
    widget.set_texts("fooled", "held", "A: fooled · B: held")
    assert widget.text() == "A: fooled · B: held"
    for width, direction in ((900, QBoxLayout.Direction.LeftToRight), (120, QBoxLayout.Direction.TopToBottom)):
        widget.resize(width, 80)
        assert widget.layout().direction() == direction


def test_the_triptych_says_whose_attack_it_shows(theme: Theme, qtbot: QtBot) -> None:
    """With two attacks the user chooses between them, with one the title says on whom it was computed."""
    widget = ImageTriptych(theme)
    qtbot.addWidget(widget)
    widget.show()
    grey = Picture(4, 4, bytes([128]) * 48)
    widget.set_pictures(PictureSet(grey, SignedPicture(4, 4, 4 / 255, bytes(48)), grey))
    heard: list[str] = []
    widget.side_picked.connect(heard.append)
    widget.set_side("a", both=True)
    assert widget.side_switch.isVisible()
    assert widget.titles[2].text() == "Adversarial, aimed at A"
    qtbot.mouseClick(widget.side_switch.findChildren(QToolButton)[1], Qt.MouseButton.LeftButton)
    assert heard == ["b"]
    widget.set_side("b")
    assert (widget.side_switch.isVisible(), widget.titles[2].text()) == (False, "Adversarial, aimed at B")
    widget.set_side("")
    assert widget.titles[2].text() == "Adversarial"


@pytest.mark.qt_log_ignore("does not support raise", "propagateSizeHints")  # showing a tooltip without a window system
def test_a_card_tells_both_outcomes(theme: Theme, qtbot: QtBot) -> None:
    """The tooltip says what the symbols of A and B mean."""
    view = GalleryView(theme)
    qtbot.addWidget(view)
    model = QStandardItemModel(view)
    item = QStandardItem()
    item.setData("a.png", GalleryRole.NAME)
    item.setData("broken", GalleryRole.STATE)
    item.setData((("broken", "cone → cube"), ("held", "cone 88.0 %")), GalleryRole.SIDES)
    model.appendRow(item)
    view.setModel(model)
    view.show()
    delegate = view.itemDelegate()
    assert isinstance(delegate, GalleryDelegate)
    event = QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5))
    delegate.helpEvent(event, view, QStyleOptionViewItem(), model.index(0, 0))
    assert "A: Fooled" in QToolTip.text()
    assert "B: Held" in QToolTip.text()
    QToolTip.hideText()
