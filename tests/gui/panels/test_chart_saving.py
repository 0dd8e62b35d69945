"""Save this chart…: the tools in a chart's corner, and every chart of the window on its way to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from conftest import Bench
from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QCursor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.images import png_bytes
from capt_gui.panels.chart_saving import AllCharts, ChartSaving
from capt_gui.theme import Theme
from capt_gui.widgets.before_after import BeforeAfter, Measured, Pair
from capt_gui.widgets.line_chart import Line, LineChart
from capt_gui.widgets.logit_shift_chart import LogitShiftChart
from capt_gui.widgets.probability_bars import ProbabilityBars
from capt_gui.widgets.save_dialog import SaveDialog

CLEAN, ATTACKED = r.Verdict((4.0, 1.0), (0.9, 0.1)), r.Verdict((1.0, 4.0), (0.1, 0.9))


@pytest.fixture
def chart(theme: Theme, qtbot: QtBot) -> Iterator[LineChart]:
    """A chart in a window, with the mouse elsewhere."""
    window = QWidget()
    qtbot.addWidget(window)
    chart = LineChart(theme, "Loss / step", "step", "nats", "Nothing yet.")
    layout = QVBoxLayout(window)
    layout.addWidget(chart)
    window.resize(500, 300)
    QCursor.setPos(QPoint(2000, 2000))
    window.show()
    yield chart
    window.close()


def draw(chart: LineChart) -> None:
    """Give it something to save."""
    chart.set_lines((Line("loss", "text", (1.0, 2.0), (0.5, 0.4)),))


def saved(saving: ChartSaving, answer: str) -> list[tuple[str, dict[str, str]]]:
    """Press Save, choose this file; the start and the kinds that the dialog was given."""
    asked: list[tuple[str, dict[str, str]]] = []

    def ask(_parent: QWidget, _title: str, start: Path, kinds: Mapping[str, str]) -> str:
        asked.append((start.name, dict(kinds)))
        return answer

    saving.ask = ask
    saving.tools.show()
    QTest.keyClick(saving.tools.save, Qt.Key.Key_Space)
    return asked


def test_the_tools_come_with_the_focus(bench: Bench, chart: LineChart, qtbot: QtBot) -> None:
    """Hidden at rest, seen while the chart has the focus, next for Tab, and there as long as one looks closer."""
    tools = ChartSaving(bench.desk, chart, chart.record).tools
    draw(chart)
    chart.clearFocus()
    assert not tools.isVisible()
    chart.activateWindow()
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(chart.hasFocus)
    assert tools.isVisible()
    assert not tools.whole.isVisible()
    QTest.keyClick(chart, Qt.Key.Key_Tab)
    assert tools.save.hasFocus()
    assert tools.isVisible()
    chart.zoom(2)
    tools.save.clearFocus()
    assert tools.whole.isVisible()
    QTest.mouseClick(tools.whole, Qt.MouseButton.LeftButton)
    assert not chart.is_zoomed()


@pytest.mark.parametrize(("name", "form"), [("a.svg", "svg"), ("a.PNG", "png"), ("a.csv", "csv"), ("a", "svg")])
def test_a_chart_is_saved_in_the_format_of_its_name(bench: Bench, chart: LineChart, name: str, form: str) -> None:
    """The record of the moment goes to the engine; what came of it is said."""
    saving = ChartSaving(bench.desk, chart, chart.record)
    draw(chart)
    said: list[str] = []
    bench.desk.chart_file.saved.connect(said.append)
    bench.desk.chart_file.failed.connect(said.append)
    asked = saved(saving, f"/charts/{name}")
    assert asked == [("loss-step.svg", {".svg": "Drawing", ".png": "Picture", ".csv": "Values"})]
    request = bench.engine.requests[-1]
    assert request == r.SaveChartRequest(chart.record() or pytest.fail("no record"), f"/charts/{name}", form)
    assert bench.settings.last_folder == "/charts"
    job = r.JobId(len(bench.engine.requests))
    bench.engine.emit(r.JobFinished(job, r.ChartSaved(f"/charts/{name}", 12)))
    QCoreApplication.processEvents()
    assert said == [f"Saved /charts/{name}"]
    saved(saving, "/full/a.svg")
    job = r.JobId(len(bench.engine.requests))
    bench.engine.emit(r.JobFailed(job, r.Failure("BadRequest", "The disk is full.", "Make room.")))
    QCoreApplication.processEvents()
    assert said[-1] == "The disk is full. Make room."


def test_nothing_is_saved_of_an_empty_chart_or_without_a_name(bench: Bench, chart: LineChart) -> None:
    """No dialog for an empty chart, no request after Cancel."""
    saving = ChartSaving(bench.desk, chart, chart.record)
    before = len(bench.engine.requests)
    assert saved(saving, "/a.svg") == []
    draw(chart)
    assert len(saved(saving, "")) == 1
    assert len(bench.engine.requests) == before


@pytest.mark.qt_log_ignore(
    "does not support raise", "grabbing the keyboard", "propagateSizeHints"
)  # a menu without a window system
def test_the_menu_of_a_chart_saves_it(bench: Bench, chart: LineChart) -> None:
    """The right button and the menu key open it; it shows everything again only while there is less to see."""
    saving = ChartSaving(bench.desk, chart, chart.record)
    draw(chart)
    reason = QContextMenuEvent.Reason.Keyboard
    for zoomed in (False, True):
        if zoomed:
            chart.zoom(2)
        QCoreApplication.sendEvent(chart, QContextMenuEvent(reason, QPoint(9, 9), chart.mapToGlobal(QPoint(9, 9))))
        menu = saving.tools.findChild(QMenu)
        assert isinstance(menu, QMenu)
        names = [action.text() for action in menu.actions() if action.isVisible()]
        assert (
            names == ["Save this chart…", "Copy this chart", "Copy its values", "Show everything again"][: 3 + zoomed]
        )
        menu.close()
    saving.ask = lambda *_: "/a.csv"
    menu.actions()[0].trigger()
    assert isinstance(bench.engine.requests[-1], r.SaveChartRequest)


def bars(theme: Theme) -> tuple[QWidget, Callable[[], r.Chart | None]]:
    """Probabilities of two sides, one of which was not attacked."""
    widget = ProbabilityBars(theme)
    widget.set_pair(("cone", "cube"), (CLEAN, ATTACKED), (CLEAN, None), ("plain text", "CAPT"))
    return widget, widget.record


def shifts(theme: Theme) -> tuple[QWidget, Callable[[], r.Chart | None]]:
    """Logit shifts of two sides."""
    widget = LogitShiftChart(theme)
    sides = ((4.0, 1.0), (1.0, 4.0)), ((4.0, 1.0), (3.0, 1.0))
    widget.set_pair(("cone", "cube"), *sides, ("plain text", "CAPT"))
    return widget, widget.record


def measured(theme: Theme) -> tuple[QWidget, Callable[[], r.Chart | None]]:
    """Before and after, of which one was not measured."""
    widget = BeforeAfter(theme, "Result", "before", "after")
    widget.set_pairs((Pair("Clean", Measured(0.5, 0.4, 0.6), Measured(0.7, 0.7, 0.7)), Pair("Attacked", None, None)))
    return widget, widget.record


@pytest.mark.parametrize(
    ("make", "series", "values"),
    [
        (
            bars,
            ("A, clean", "A, under attack", "B, clean", "B, under attack"),
            [
                ("cone", 0.9, 0),
                ("cone", 0.1, 1),
                ("cone", 0.9, 2),
                ("cube", 0.1, 0),
                ("cube", 0.9, 1),
                ("cube", 0.1, 2),
            ],
        ),
        (shifts, ("A", "B"), [("cone", -3.0, 0), ("cone", -1.0, 1), ("cube", 3.0, 0), ("cube", 0.0, 1)]),
        (measured, ("before", "after"), [("Clean", 0.5, 0), ("Clean", 0.7, 1)]),
    ],
)
def test_bars_are_records_too(
    make: Callable[[Theme], tuple[QWidget, Callable[[], r.Chart | None]]],
    series: tuple[str, ...],
    values: list[tuple[str, float, int]],
    theme: Theme,
    qtbot: QtBot,
) -> None:
    """Every bar with its name, its value and its series, neighbours of one name together."""
    widget, record = make(theme)
    qtbot.addWidget(widget)
    found = record()
    assert isinstance(found, r.BarChart)
    assert found.series == series
    assert [(bar.name, bar.value, bar.series) for bar in found.bars] == values


def test_another_kind_of_file_changes_the_ending(qtbot: QtBot, tmp_path: Path) -> None:
    """The name stays, the ending is that of the kind."""
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SaveDialog(parent, "Save", tmp_path / "loss.svg", {".svg": "Drawing", ".csv": "Values"})
    assert dialog.nameFilters() == ["Drawing (*.svg)", "Values (*.csv)"]
    dialog.selectNameFilter("Values (*.csv)")
    dialog.on_filter_selected("Values (*.csv)")
    assert dialog.defaultSuffix() == "csv"
    assert Path(dialog.selectedFiles()[0]).name == "loss.csv"
    dialog.deleteLater()


def test_charts_are_copied_and_saved_all_at_once(bench: Bench, chart: LineChart, tmp_path: Path) -> None:
    """The clipboard gets a picture, or values with tabs; all charts in sight go beside one name, and no file is replaced."""
    heard: list[str] = []
    for signal in (bench.desk.chart_file.saved, bench.desk.chart_file.failed):
        signal.connect(heard.append)

    def write(content: bytes) -> r.SaveChartRequest:
        asked = bench.engine.requests[-1]
        assert isinstance(asked, r.SaveChartRequest)
        Path(asked.path).write_bytes(content)
        bench.engine.emit(r.JobFinished(r.JobId(len(bench.engine.requests)), r.ChartSaved(asked.path, len(content))))
        QCoreApplication.processEvents()
        return asked

    saving = ChartSaving(bench.desk, chart, chart.record)
    window = chart.window()
    every = AllCharts(window, bench.desk)
    every.ask = lambda *_: str(tmp_path / "run.csv")
    every.action.trigger()
    assert heard.pop() == "There is no chart to save on this page yet."
    draw(chart)
    saving.tools.values_clicked.emit()
    assert write(b"\xef\xbb\xbfstep,loss\r\n1,0.5\r\n").format == "csv"
    assert QGuiApplication.clipboard().text() == "step\tloss\n1\t0.5\n"
    saving.tools.copy_clicked.emit()
    image = QImage(3, 2, QImage.Format.Format_RGB32)
    image.fill(0xFF4040)
    assert write(png_bytes(image)).format == "png"
    assert QGuiApplication.clipboard().image().size() == image.size()
    (tmp_path / "run-loss-step.csv").write_text("mine", encoding="utf-8")
    every.action.trigger()
    assert Path(write(b"step,loss").path).name == "run-loss-step-2.csv"
    assert (tmp_path / "run-loss-step.csv").read_text(encoding="utf-8") == "mine"
    assert bench.settings.last_folder == str(tmp_path)
