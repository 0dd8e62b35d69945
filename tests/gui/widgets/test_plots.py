"""Charts over pyqtgraph: they are looked at closer and wider, by mouse, wheel and keys, and say what is there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_engine.records import LOG, Bin, Histogram
from capt_gui.theme import Theme
from capt_gui.widgets.heat_map import HeatMap
from capt_gui.widgets.histogram_chart import HistogramChart
from capt_gui.widgets.line_chart import Level, Line, LineChart
from capt_gui.widgets.plot_chart import PlotChart
from capt_gui.widgets.plot_items import ticks

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


@pytest.fixture
def chart(theme: Theme, qtbot: QtBot) -> LineChart:
    """A thousand steps of one line, from 1 to 1000."""
    chart = LineChart(theme, "Loss", "step", "y", "Nothing yet.")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    xs = tuple(float(step) for step in range(1, 1001))
    chart.set_lines((Line("loss", "text", xs, tuple(1 / x for x in xs)),))
    chart.show()
    return chart


def matrix(theme: Theme, n: int) -> HeatMap:
    """A matrix whose diagonal is right half of the time; the rest is empty but for the cell beside it."""
    grid = HeatMap(theme, "Labels against answers")
    names = [f"class {number}" for number in range(n)]
    shares = [[0.5 if column in (row, (row + 1) % n) else math.nan for column in range(n)] for row in range(n)]
    grid.set_cells(
        names,
        names,
        shares,
        text=lambda row, column: "" if math.isnan(shares[row][column]) else "5",
        words="{} {}".format,
        role=lambda row, column: "ok" if row == column else "broken",
    )
    return grid


def mouse(chart: PlotChart, kind: QEvent.Type, spot: QPointF, *, shift: bool = False) -> None:
    """Send one event of the left button."""
    modifier = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    button = NONE if kind == QEvent.Type.MouseMove else LEFT
    QCoreApplication.sendEvent(chart, QMouseEvent(kind, spot, spot, button, LEFT, modifier))


def drag(chart: PlotChart, start: QPointF, end: QPointF, *, shift: bool = False) -> None:
    """Press, move, let go."""
    mouse(chart, QEvent.Type.MouseButtonPress, start, shift=shift)
    mouse(chart, QEvent.Type.MouseMove, end, shift=shift)
    mouse(chart, QEvent.Type.MouseButtonRelease, end, shift=shift)


def turn(chart: PlotChart, notches: int, *, ctrl: bool = True) -> bool:
    """Turn the wheel over the middle of the plot; answers whether the chart took it."""
    spot = chart.plot_rect().center()
    modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        spot, spot, QPoint(), QPoint(0, 120 * notches), NONE, modifier, Qt.ScrollPhase.NoScrollPhase, False
    )
    event.ignore()
    QCoreApplication.sendEvent(chart, event)
    return event.isAccepted()


def test_a_dragged_rectangle_fills_the_plot_and_a_double_click_shows_everything(chart: LineChart) -> None:
    """The part in sight is the part that was drawn."""
    whole, rect = chart.seen_rect(), chart.plot_rect()
    assert not chart.is_zoomed()
    drag(chart, rect.center(), rect.center() + QPointF(rect.width() / 4, rect.height() / 4))
    assert chart.is_zoomed()
    seen = chart.seen_rect()
    assert seen.width() == pytest.approx(whole.width() / 4, rel=0.03)
    assert seen.left() == pytest.approx(whole.center().x(), rel=0.03)
    assert seen.bottom() == pytest.approx(whole.center().y(), rel=0.05)
    mouse(chart, QEvent.Type.MouseButtonDblClick, rect.center())
    assert chart.seen_rect() == whole


def test_shift_and_dragging_moves_and_stays_inside(chart: LineChart) -> None:
    """What was under the mouse stays under it, until the end of the axis."""
    chart.zoom(4)
    before, rect = chart.seen_rect(), chart.plot_rect()
    drag(chart, rect.center(), rect.center() + QPointF(rect.width() / 4, 0), shift=True)
    assert chart.seen_rect().left() == pytest.approx(before.left() - before.width() / 4, rel=0.02)
    whole = QRectF(before)
    drag(chart, rect.center(), rect.center() + QPointF(40 * rect.width(), 0), shift=True)
    moved = chart.seen_rect()
    chart.reset_zoom()
    whole = chart.seen_rect()
    assert moved.left() == pytest.approx(whole.left())


def test_the_wheel_scrolls_the_page_unless_it_is_meant_for_the_chart(chart: LineChart, qtbot: QtBot) -> None:
    """With Ctrl or the focus it looks closer; at everything, turning it further out is the page's again."""
    chart.clearFocus()
    assert not turn(chart, 1, ctrl=False)
    assert not chart.is_zoomed()
    assert turn(chart, 1)
    assert chart.is_zoomed()
    assert turn(chart, -3)
    assert not chart.is_zoomed()
    assert not turn(chart, -1)
    chart.activateWindow()
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    assert turn(chart, 1, ctrl=False)


def test_keys_look_closer_at_the_place_that_is_read_out(chart: LineChart) -> None:
    """+ keeps the cursor in sight, − and 0 lead back; arrows take the view along."""
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert chart.description() == "step 1: loss 1.00"
    for _ in range(6):
        QTest.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.seen_rect().left() < 1 < chart.seen_rect().right() < 200
    QTest.keyClick(chart, Qt.Key.Key_End)
    assert chart.seen_rect().right() > 1000
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    assert chart.is_zoomed()
    QTest.keyClick(chart, Qt.Key.Key_0)
    assert not chart.is_zoomed()


def test_new_values_leave_the_part_that_is_looked_at(chart: LineChart) -> None:
    """A run goes on while one looks closer; who sees everything goes on seeing everything."""
    chart.zoom(4)
    seen = chart.seen_rect()
    xs = tuple(float(step) for step in range(1, 2001))
    line = Line("loss", "text", xs, tuple(1 / x for x in xs))
    chart.set_lines((line,))
    assert chart.seen_rect() == seen
    chart.reset_zoom()
    chart.set_lines((line,), end=4000)
    assert chart.seen_rect().right() > 4000


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios(theme: Theme, qtbot: QtBot) -> None:
    """1 lies midway between 1/4 and 4, and 0 one step below 1."""
    chart = LineChart(theme, "Accuracy", "ε", "y", "Nothing.", share=True)
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    chart.set_lines((Line("A", "side_a", (0.25, 1.0, 4.0), (0.9, 0.5, 0.1)),), scale=LOG)
    assert chart.seen_rect().center().x() == pytest.approx(0)
    chart.point_at(chart.spot_at(chart.plot_rect().center()))
    assert chart.description().startswith("ε 1:")
    chart.set_lines((Line("A", "side_a", (0.0, 1.0, 4.0), (0.9, 0.5, 0.1)),), scale=LOG)
    assert chart.seen_rect().center().x() == pytest.approx(math.log10(math.sqrt(0.5 * 4)))


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 20), st.booleans())
def test_ticks_are_few_ordered_and_inside(low: float, width: float, count: int, whole: bool) -> None:
    """Whatever the range: ascending, none beyond the ends, about as many as there is room for."""
    places = ticks(low, low + width, count, whole=whole)
    slack = 1e-6 * (abs(low) + width)
    assert places == sorted(places)
    assert all(low - slack <= place <= low + width + slack for place in places)
    assert len(places) <= count + 1


def test_a_chart_is_its_record(theme: Theme, chart: LineChart) -> None:
    """What is saved has every value, the scale and the levels; an empty chart is none."""
    assert LineChart(theme, "Loss", "step", "nats", "Nothing.").record() is None
    lines = (Line("A", "text", (1.0, 2.0), (0.5, 0.25), (0.4, 0.2), (0.6, 0.3)), Line("B", "text", (1.0,), (0.1,)))
    chart.set_lines(lines, (Level("chance", "text", 0.125),), scale=LOG)
    record = chart.record()
    assert record is not None
    assert (record.caption, record.x_title, record.x_scale, record.percent) == ("Loss", "step", LOG, False)
    assert record.series[0].points == ((1.0, 0.5, 0.4, 0.6), (2.0, 0.25, 0.2, 0.3))
    assert record.series[1].points == ((1.0, 0.1, 0.1, 0.1),)
    assert [(level.name, level.value) for level in record.levels] == [("chance, 0.125", 0.125)]
    assert record.alt == "Loss. A by step: 0.500 (0.400–0.600) at 1, 0.250 (0.200–0.300) at 2. B by step: 0.100 at 1."


@pytest.mark.parametrize("n", [2, 17, 200])
def test_every_cell_is_where_it_says(n: int, theme: Theme, qtbot: QtBot) -> None:
    """The colour in the middle of a cell of the diagonal is that of what is right; pointing there reads it out."""
    grid = matrix(theme, n)
    qtbot.addWidget(grid)
    grid.resize(900, grid.sizeHint().height())
    grid.show()
    image: QImage = grid.grab().toImage()
    for number in (0, n // 2, n - 1):
        rect = grid.cell_rect(number, number)
        # beside the figure, and away from the gaps
        spot = rect.topLeft() + QPointF(rect.width() * 0.25, rect.height() * 0.5)
        color = image.pixelColor(spot.toPoint())
        assert color.green() > color.red() + 20, number
        grid.point_at(grid.spot_at(rect.center()))
        assert grid.current_words() == f"{number} {number}"
    assert grid.sizeHint().height() < 720


def test_a_large_matrix_is_walked_by_keys_and_the_view_follows(theme: Theme, qtbot: QtBot) -> None:
    """Looked at closely, the cell that is read out stays in sight."""
    grid = matrix(theme, 200)
    qtbot.addWidget(grid)
    grid.resize(700, grid.sizeHint().height())
    grid.show()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Plus, Qt.Key.Key_Plus, Qt.Key.Key_Plus, Qt.Key.Key_End):
        QTest.keyClick(grid, key)
    for _ in range(15):
        QTest.keyClick(grid, Qt.Key.Key_PageDown)
    assert grid.is_zoomed()
    assert grid.current_words() == "150 199"
    assert grid.plot_rect().adjusted(-1, -1, 1, 1).contains(grid.cell_rect(150, 199))
    QTest.keyClick(grid, Qt.Key.Key_Escape)
    assert not grid.is_zoomed()


def test_figures_come_with_the_room_for_them(theme: Theme, qtbot: QtBot) -> None:
    """Two hundred classes show shades only; looked at closely enough, a cell carries its figure in letters."""
    grid = matrix(theme, 200)
    qtbot.addWidget(grid)
    grid.resize(700, grid.sizeHint().height())
    grid.show()
    grid.zoom(25, QPointF(100.5, 100.5))
    rect = grid.cell_rect(100, 100).toRect()
    inside = grid.grab().toImage().copy(rect.adjusted(4, 4, -4, -4))
    colors = {inside.pixel(x, y) for x in range(inside.width()) for y in range(inside.height())}
    assert len(colors) > 4


def test_counts_that_change_keep_the_cell_that_is_read_out(theme: Theme, qtbot: QtBot) -> None:
    """While rows arrive the matrix is counted again; other names begin anew."""
    grid = matrix(theme, 3)
    qtbot.addWidget(grid)
    QTest.keyClick(grid, Qt.Key.Key_Right)
    names = [f"class {number}" for number in range(3)]
    grid.set_cells(names, names, [[1.0] * 3] * 3, text="{}{}".format, words="{} of {}".format)
    assert grid.current_words() == "0 of 0"
    grid.set_cells(names[:2], names[:2], [[1.0] * 2] * 2, text="{}{}".format, words="{} of {}".format)
    assert grid.current_words() == ""


@pytest.fixture
def histogram(theme: Theme, qtbot: QtBot) -> HistogramChart:
    """Two bins with intervals: a quarter of the pictures below one half, the rest above."""
    chart = HistogramChart(theme, "α", "Nothing yet.")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    bins = (Bin(0.0, 0.5, 0.25, 0.1, 0.4), Bin(0.5, 1.0, 0.75, 0.6, 0.9))
    chart.set_histogram(Histogram("α", "α", "pictures", bins, "α"), (("pictures", "40"),))
    chart.show()
    return chart


def test_a_histogram_reads_out_a_bin(histogram: HistogramChart) -> None:
    """At rest its summary; the keys walk the bins, the mouse points at one."""
    assert histogram.description() == "pictures 40"
    QTest.keyClick(histogram, Qt.Key.Key_Home)
    assert histogram.description() == "α 0 to 0.5, pictures 25.0\u202f% (10.0–40.0\u202f%)".replace("\u202f", " ")
    QTest.keyClick(histogram, Qt.Key.Key_Right)
    assert histogram.description().startswith("α 0.5 to 1, pictures 75.0")
    QTest.keyClick(histogram, Qt.Key.Key_Escape)
    mouse(
        histogram, QEvent.Type.MouseMove, QPointF(histogram.plot_rect().left() + 5, histogram.plot_rect().center().y())
    )
    assert histogram.description().startswith("α 0 to 0.5")


def test_a_histogram_is_drawn_where_its_bins_lie(histogram: HistogramChart) -> None:
    """The right bar is three times as high: above one half only it has colour."""
    rect, picture = histogram.plot_rect(), histogram.grab().toImage()
    height = rect.bottom() - 0.5 / 0.93 * rect.height()
    colors = [picture.pixelColor(round(rect.left() + share * rect.width()), round(height)) for share in (0.2, 0.7)]
    assert colors[0].lightness() > colors[1].lightness() + 20


def test_a_histogram_can_be_emptied_and_saved(histogram: HistogramChart) -> None:
    """What is saved is the record that is shown; nothing shown is nothing to save."""
    record = histogram.record()
    assert record is not None
    assert [one.value for one in record.bins] == [0.25, 0.75]
    histogram.set_histogram(None)
    assert (histogram.record(), histogram.description()) == (None, "Nothing yet.")
