"""The painted charts: which classes they show, in which order, and what they say."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from capt_engine.records import MetricInfo, Verdict
from capt_gui.theme import Theme
from capt_gui.widgets.consistency_panel import ConsistencyPanel
from capt_gui.widgets.logit_shift_chart import LogitShiftChart
from capt_gui.widgets.probability_bars import ProbabilityBars
from capt_gui.widgets.shift_plot import ShiftPlot

NAMES = ("torus", "cone", "cube", "ball")
CLEAN = Verdict((4.0, 1.0, 0.0, -1.0), (0.93, 0.05, 0.015, 0.005))
ATTACKED = Verdict((1.0, 4.0, 0.0, -1.0), (0.05, 0.93, 0.015, 0.005))
METRICS = (
    MetricInfo("kl", "KL divergence", "nats", 0.0, None, False, "How surprising the attacked answer is."),
    MetricInfo("cosine", "Cosine", "", -1.0, 1.0, True, "How alike both pictures are to the model."),
    MetricInfo("linf", "Largest change", "/255", 0.0, 1.0, False, "The largest change of any value."),
)


@pytest.fixture
def bars(theme: Theme, qtbot: QtBot) -> ProbabilityBars:
    """Empty bars on the screen."""
    widget = ProbabilityBars(theme)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_bars_show_the_union_of_both_top_lists_with_the_winners_first(bars: ProbabilityBars) -> None:
    """Top one of each side: the clean answer, then the answer under attack."""
    bars.set_verdicts(NAMES, CLEAN, ATTACKED, count=1)
    words = bars.description().replace("\u00a0", " ")
    assert words == "torus: clean 93.0 %, under attack 5.0 %; cone: clean 5.0 %, under attack 93.0 %"


def test_bars_before_an_attack_tell_the_clean_answer_only(bars: ProbabilityBars) -> None:
    """Nothing is said of an attack that was not made."""
    bars.set_verdicts(NAMES, CLEAN, None, count=2)
    assert bars.description().replace("\u00a0", " ") == "torus: clean 93.0 %; cone: clean 5.0 %"


@pytest.mark.qt_log_ignore("does not support raise", "propagateSizeHints")  # showing a tooltip without a window system
def test_bars_can_be_walked_with_the_keys_and_cleared(bars: ProbabilityBars, qtbot: QtBot) -> None:
    """Down reaches the last class and stays there; clear brings back the empty state."""
    bars.set_verdicts(NAMES, CLEAN, ATTACKED)
    area = bars.focusProxy()
    for _ in range(6):
        qtbot.keyClick(area, Qt.Key.Key_Down)
    assert bars.description().startswith("ball")
    bars.clear()
    assert bars.description() == "The answers of the model appear here."


@pytest.fixture
def chart(theme: Theme, qtbot: QtBot) -> LogitShiftChart:
    """An empty chart on the screen."""
    widget = LogitShiftChart(theme)
    qtbot.addWidget(widget)
    widget.resize(500, 400)
    widget.show()
    return widget


def test_the_largest_shift_comes_first_or_the_list_order_is_kept(chart: LogitShiftChart, qtbot: QtBot) -> None:
    """The button in the corner decides."""
    chart.set_shift(("a", "b", "c"), (0.0, 0.0, 0.0), (0.1, -3.0, 2.0))
    assert chart.shown() == ("b", "c", "a")
    order = chart.findChild(QToolButton)
    assert order is not None
    qtbot.keyClick(order, Qt.Key.Key_Space)
    assert chart.shown() == ("a", "b", "c")


def test_of_a_thousand_classes_the_largest_and_both_answers_are_shown_and_this_is_said(chart: LogitShiftChart) -> None:
    """Twelve large shifts, and the two answers although they hardly moved."""
    clean = [0.0] * 1000
    attacked = [float(index) / 1000 for index in range(1000)]
    clean[3], attacked[3] = 50.0, 50.0
    clean[4], attacked[4] = 49.0, 51.0 - 1e-9
    chart.set_shift(tuple(f"class {index}" for index in range(1000)), tuple(clean), tuple(attacked))
    assert len(chart.shown()) in (13, 14)
    assert {"class 3", "class 4", "class 999"} <= set(chart.shown())
    assert chart.readout() == "the 12 largest of 1000 classes, and both answers"


def test_keys_read_the_bars_out(chart: LogitShiftChart, qtbot: QtBot) -> None:
    """Both logits and their difference, with true minus signs."""
    chart.set_shift(("a", "b"), (1.0, -2.0), (4.0, -2.5))
    plot = chart.findChild(ShiftPlot)
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert chart.readout() == "a: 1.00 → 4.00  (+3.00)"
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert chart.readout() == "b: −2.00 → −2.50  (−0.50)"


def test_the_mouse_reads_the_bar_it_is_over(chart: LogitShiftChart, qtbot: QtBot) -> None:
    """Hovering the upper part of the plot reads the first class."""
    chart.set_shift(("a", "b"), (1.0, -2.0), (4.0, -2.5))
    plot = chart.findChild(ShiftPlot)
    assert plot is not None
    QApplication.processEvents()
    qtbot.mouseMove(plot, QPoint(plot.width() // 2, 16))
    assert chart.readout().startswith("a:")


def test_the_wheel_is_left_to_the_page(chart: LogitShiftChart) -> None:
    """A chart that swallows the wheel while it has no focus stops the page from scrolling."""
    chart.set_shift(("a", "b"), (1.0, -2.0), (4.0, -2.5))
    plot = chart.findChild(ShiftPlot)
    assert plot is not None
    plot.clearFocus()
    middle = QPointF(plot.rect().center())
    event = QWheelEvent(
        middle,
        plot.mapToGlobal(middle),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.ignore()
    plot.wheelEvent(event)
    assert not event.isAccepted()


def test_importing_the_chart_does_not_load_the_plotting_library() -> None:
    """It takes half a second that the first window should not wait for."""
    code = "import sys, capt_gui.widgets.logit_shift_chart; sys.exit('pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def panel(theme: Theme, qtbot: QtBot) -> ConsistencyPanel:
    """A panel on the screen with the metrics above, one of which does not apply."""
    widget = ConsistencyPanel(theme)
    qtbot.addWidget(widget)
    widget.resize(600, 200)
    widget.show()
    widget.set_metrics(METRICS, {"kl": 3.2134, "linf": 4 / 255})
    return widget


def test_the_panel_shows_values_with_units_and_only_what_applies(panel: ConsistencyPanel) -> None:
    """/255 is shown times 255; the metric without a value is left out."""
    shown = {label: text.replace("\u00a0", " ") for label, text in panel.shown().items()}
    assert shown == {"Largest change": "4.00/255", "KL divergence": "3.21 nats"}


def test_arrow_keys_walk_the_panel_and_bring_the_explanations(panel: ConsistencyPanel, qtbot: QtBot) -> None:
    """The sentence below follows the focus."""
    panel.activateWindow()
    first = panel.focusProxy() or panel.nextInFocusChain()
    while not first.accessibleName():
        first = first.nextInFocusChain()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    second = QApplication.focusWidget()
    assert second is not None
    assert second.accessibleName().startswith("KL divergence")
    assert second.accessibleDescription() == METRICS[0].help


def test_the_panel_can_be_cleared(panel: ConsistencyPanel) -> None:
    """Nothing is left of the last picture."""
    panel.clear()
    assert panel.shown() == {}


def test_the_panels_values_are_saved_in_their_units(panel: ConsistencyPanel) -> None:
    """4/255 is saved as 4 with its unit in the name; an empty panel has nothing to save."""
    record = panel.record()
    assert record is not None
    assert {bar.name: bar.value for bar in record.bars} == {
        "Largest change [/255]": pytest.approx(4.0),
        "KL divergence [nats]": 3.2134,
    }
    panel.clear()
    assert panel.record() is None
