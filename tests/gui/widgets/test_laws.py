"""What holds for every widget: names for those who listen, a way in for those without a mouse, both themes without a complaint."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QLabel, QLineEdit, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from capt_engine.records import (
    Check,
    FailedPicture,
    MetricInfo,
    ParamInfo,
    Picture,
    PictureSet,
    SignedPicture,
    TuneSample,
    UnknownWord,
    Verdict,
)
from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.view_models.truth import WORST_FIRST
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.before_after import BeforeAfter, Measured, Pair
from capt_gui.widgets.checks_card import ChecksCard
from capt_gui.widgets.choice_cards import Choice, ChoiceCards
from capt_gui.widgets.class_editor import ClassEditor
from capt_gui.widgets.consistency_panel import ConsistencyPanel
from capt_gui.widgets.device_pill import DevicePill
from capt_gui.widgets.drop_area import DropZone
from capt_gui.widgets.failed_list import FailedList
from capt_gui.widgets.fold import Fold
from capt_gui.widgets.gallery_view import GalleryView
from capt_gui.widgets.heat_map import HeatMap
from capt_gui.widgets.image_triptych import ImageTriptych
from capt_gui.widgets.job_bar import JobBar
from capt_gui.widgets.job_row import JobRow, JobRowState
from capt_gui.widgets.jobs_button import JobsButton
from capt_gui.widgets.knob_slider import KnobSlider
from capt_gui.widgets.line_chart import Level, Line, LineChart
from capt_gui.widgets.logit_shift_chart import LogitShiftChart
from capt_gui.widgets.page_rail import PageRail
from capt_gui.widgets.page_view import PageView
from capt_gui.widgets.param_form import ParamForm
from capt_gui.widgets.placeholder import Placeholder
from capt_gui.widgets.probability_bars import ProbabilityBars
from capt_gui.widgets.run_list import RunEntry, RunList
from capt_gui.widgets.sample_strip import SampleStrip
from capt_gui.widgets.score_table import Cell, ScoreTable
from capt_gui.widgets.segments import Segments
from capt_gui.widgets.side_verdicts import SideVerdicts
from capt_gui.widgets.verdict_box import VerdictBox

Make = Callable[[Theme], QWidget]


def banner(theme: Theme) -> QWidget:
    """A banner that says something."""
    widget = Banner(theme)
    widget.show_message("warning", "Two pictures failed.", "They stay in the list.", "Show them")
    return widget


def gallery(theme: Theme) -> QWidget:
    """A gallery with one row of each state."""
    widget = GalleryView(theme)
    model = QStandardItemModel(widget)
    for state in ("waiting", "running", "failed", *WORST_FIRST):
        item = QStandardItem()
        item.setData(f"/{state}.png", GalleryRole.PATH)
        item.setData(f"{state}.png", GalleryRole.NAME)
        item.setData(state, GalleryRole.STATE)
        model.appendRow(item)
    widget.setModel(model)
    return widget


def triptych(theme: Theme) -> QWidget:
    """A triptych with pictures."""
    widget = ImageTriptych(theme)
    grey = Picture(4, 4, bytes([128]) * 48)
    widget.set_pictures(PictureSet(grey, SignedPicture(4, 4, 4 / 255, bytes(48)), grey))
    return widget


def bars(theme: Theme) -> QWidget:
    """Bars of two answers."""
    widget = ProbabilityBars(theme)
    widget.set_verdicts(("a", "b"), Verdict((1.0, 0.0), (0.73, 0.27)), Verdict((0.0, 1.0), (0.27, 0.73)))
    return widget


def chart(theme: Theme) -> QWidget:
    """A chart of two classes."""
    widget = LogitShiftChart(theme)
    widget.set_shift(("a", "b"), (1.0, 0.0), (0.0, 1.0))
    return widget


def panel(theme: Theme) -> QWidget:
    """A panel with two metrics."""
    widget = ConsistencyPanel(theme)
    infos = (MetricInfo("a", "A", "", 0.0, 1.0, True, "Help."), MetricInfo("b", "B", "dB", None, None, None, "Help."))
    widget.set_metrics(infos, {"a": 0.5, "b": 2.0})
    return widget


def puzzled_editor(theme: Theme) -> QWidget:
    """A class editor with two words that the model does not know."""
    widget = ClassEditor(theme)
    widget.set_classes(("capybara", "dog"), "a snapshot of a {}.")
    capybara = UnknownWord("capybara", 4159, ("capybara",), ("capra", "carbonara"))
    widget.set_unknown_words((UnknownWord("snapshot", 4159), capybara))
    return widget


def compared_bars(theme: Theme) -> QWidget:
    """Bars of two sides."""
    widget = ProbabilityBars(theme)
    first, second = Verdict((1.0, 0.0), (0.73, 0.27)), Verdict((0.0, 1.0), (0.27, 0.73))
    widget.set_pair(("a", "b"), (first, second), (first, None), ("plain text", "CAPT"))
    return widget


def compared_chart(theme: Theme) -> QWidget:
    """A chart of two sides."""
    widget = LogitShiftChart(theme)
    widget.set_pair(("a", "b"), ((1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (2.0, 1.0)), ("plain text", "CAPT"))
    return widget


def compared_panel(theme: Theme) -> QWidget:
    """A panel of two sides."""
    widget = ConsistencyPanel(theme)
    infos = (MetricInfo("a", "A", "", 0.0, 1.0, True, "Help."), MetricInfo("b", "B", "dB", None, None, None, "Help."))
    widget.set_pair(infos, {"a": 0.5, "b": 2.0}, {"a": 0.6})
    return widget


def compared_gallery(theme: Theme) -> QWidget:
    """A gallery with one row that was compared."""
    widget = GalleryView(theme)
    model = QStandardItemModel(widget)
    item = QStandardItem()
    item.setData("/a.png", GalleryRole.PATH)
    item.setData("broken", GalleryRole.STATE)
    item.setData((("broken", "cone → cube"), ("held", "cone 88 %")), GalleryRole.SIDES)
    model.appendRow(item)
    widget.setModel(model)
    return widget


def segments(theme: Theme) -> QWidget:
    """Three choices, two of them with the mark of a side."""
    widget = Segments(theme, "Aimed at", [("each", "Each", "Both."), ("a", "A", "A only."), ("b", "B", "B only.")])
    widget.set_choice("a")
    return widget


def verdicts(theme: Theme) -> QWidget:
    """The headline of a comparison."""
    widget = SideVerdicts(theme)
    widget.set_texts("cone 93 % → cube 61 %, fooled", "cone 88 %, held", "A: fooled · B: held")
    return widget


def form(theme: Theme) -> QWidget:
    """A form with a setting of each kind."""
    widget = ParamForm(theme)
    widget.set_params(
        (
            ParamInfo("steps", "Steps", "int", 10, 1, 100, help="How often."),
            ParamInfo("size", "Size", "float", 1 / 255, 0.0, 1.0, "/255", help="How far."),
            ParamInfo("start", "Random start", "bool", True, help="Begin anywhere."),
            ParamInfo("loss", "Loss", "choice", "ce", choices=("ce", "margin"), help="What is climbed."),
        )
    )
    return widget


def knob(theme: Theme) -> QWidget:
    """A knob with three stops."""
    widget = KnobSlider(theme, "Strength", "faint", "strong")
    widget.set_stops([("1", 1), ("2", 2), ("3", 3)])
    return widget


def fold(theme: Theme) -> QWidget:
    """A fold around a label."""
    return Fold(theme, "Expert", QLabel("inside"), expanded=True)


def pages(theme: Theme) -> QWidget:
    """Two sheets, one of which has not arrived."""
    widget = PageView(theme)
    widget.begin(2)
    widget.put_page(0, Picture(21, 30, bytes([255]) * 1890))
    return widget


def rail(theme: Theme) -> QWidget:
    """A rail with two pages."""
    widget = PageRail(theme)
    widget.add("explore", "Explore", "explore", "Ctrl+1")
    widget.add("report", "Report", "report", "Ctrl+2")
    widget.set_current("explore")
    widget.set_mark("explore", "running", 0.4, "Analyse 2 pictures: about 3 s left")
    widget.set_mark("report", "failed", None, "Failed: Write report.pdf")
    return widget


def job_row(theme: Theme) -> QWidget:
    """A job that failed."""
    widget = JobRow(theme)
    widget.show_state(JobRowState("Analyse 2 pictures", "Explore", "failed", "No.", may_retry=True))
    return widget


def jobs_button(theme: Theme) -> QWidget:
    """Two jobs run."""
    widget = JobsButton(theme, "Ctrl+J")
    widget.set_state("running", "2 jobs")
    return widget


def runs(theme: Theme) -> QWidget:
    """Two runs, one of which was not finished."""
    widget = RunList(theme)
    widget.set_entries([RunEntry("1", "A", "today"), RunEntry("2", "B", "unfinished", muted=True)], ["1"])
    return widget


def nothing_yet(theme: Theme) -> QWidget:
    """A placeholder with a way on."""
    widget = Placeholder(theme)
    widget.set_texts("report", "Nothing yet", "It comes later.", "Resume")
    return widget


def lines(theme: Theme) -> QWidget:
    """A chart with a band, a dashed line and a level."""
    widget = LineChart(theme, "Accuracy", "epoch", "y", "Nothing yet.", share=True)
    line = Line("clean", "clean", (1, 2), (0.5, 0.6), (0.4, 0.5), (0.6, 0.7), marks=True)
    dashed = Line("attacked", "attacked", (1, 2), (0.1, 0.3), style=Qt.PenStyle.DashLine)
    widget.set_lines((line, dashed), (Level("plain text", "clean", 0.45),), end=10)
    return widget


def cards(theme: Theme) -> QWidget:
    """Two cards, the first of them taken."""
    widget = ChoiceCards(theme, "Effort")
    widget.set_choices((Choice("a", "A", "First.", "Quick."), Choice("b", "B", "Second.")), "a")
    return widget


def before_after(theme: Theme) -> QWidget:
    """Two pairs, one of them half measured."""
    widget = BeforeAfter(theme, "Result", "before", "after")
    share = Measured(0.5, 0.4, 0.6)
    widget.set_pairs((Pair("Clean", share, share), Pair("Attacked", share, None)))
    return widget


def strip(theme: Theme) -> QWidget:
    """Two pictures under attack, one of which holds."""
    widget = SampleStrip(theme)
    grey = Picture(4, 4, bytes([128]) * 48)
    widget.set_samples((TuneSample(grey, grey, "a", "a", "b"), TuneSample(grey, grey, "a", "a", "a")))
    return widget


def scores(_theme: Theme) -> QWidget:
    """A table of two classes."""
    widget = ScoreTable("Class by class")
    widget.set_table(
        [("Class", ""), ("Right", "")], [[Cell("a", "a"), Cell("9 %", 9)], [Cell("b", "b"), Cell("1 %", 1)]]
    )
    return widget


def heat(theme: Theme) -> QWidget:
    """A table of shades, two by three."""
    widget = HeatMap(theme, "Right by corruption")
    shares = [[0.2, 0.9, math.nan]] * 2
    widget.set_cells(
        ["fog", "snow"], ["1", "2", "mean"], shares, text="{}{}".format, words="{} {}".format, gap_before=2
    )
    return widget


def box(theme: Theme) -> QWidget:
    """A verdict with a button."""
    widget = VerdictBox(theme)
    widget.set_verdict("better", "B withstands more.", "A 15 %, B 60 %.", "An upper bound.")
    widget.show_buttons(widget.add_button("report", "Open report", primary=True))
    return widget


def failed(theme: Theme) -> QWidget:
    """Two pictures that could not be used."""
    widget = FailedList(theme)
    widget.show_failed([FailedPicture("/a.png", "It is empty."), FailedPicture("/b.png", "It is text.", "Look again.")])
    return widget


def doubts(theme: Theme) -> QWidget:
    """A failed check and a passed one."""
    widget = ChecksCard(theme, sentences=True)
    widget.set_checks((Check("a", "A", "fail", 0.5, "50 %", "Why."), Check("b", "B", "pass", None, "–", "Why.")))
    return widget


EVERY: tuple[Make, ...] = (
    heat,
    box,
    failed,
    doubts,
    lines,
    cards,
    before_after,
    strip,
    scores,
    pages,
    rail,
    job_row,
    jobs_button,
    runs,
    nothing_yet,
    banner,
    gallery,
    triptych,
    bars,
    chart,
    panel,
    compared_bars,
    compared_chart,
    compared_panel,
    compared_gallery,
    segments,
    verdicts,
    form,
    knob,
    fold,
    ClassEditor,
    puzzled_editor,
    DevicePill,
    DropZone,
    JobBar,
)


@pytest.fixture(params=EVERY, ids=lambda make: make.__name__)
def widget(request: pytest.FixtureRequest, theme: Theme, qtbot: QtBot) -> QWidget:
    """Each widget in turn, shown."""
    made: QWidget = request.param(theme)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def focusable(widget: QWidget) -> list[QWidget]:
    """The widget and its children that take the focus; scroll bars and the line inside a spin box belong to their owner."""
    everything = [widget, *widget.findChildren(QWidget)]
    return [
        child
        for child in everything
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(child, QScrollBar)
        and not (isinstance(child, QLineEdit) and child.objectName().startswith("qt_"))
        and child.focusProxy() is None
        and child.window() is widget.window()  # not the list a combo box drops down
    ]


def test_whatever_takes_the_focus_has_a_name(widget: QWidget) -> None:
    """A screen reader can say what each control is."""
    nameless = [type(child).__name__ for child in focusable(widget) if not child.accessibleName()]
    assert nameless == []


def test_both_themes_and_a_small_size_are_painted_without_a_complaint(widget: QWidget, theme: Theme) -> None:
    """Grabbing paints everything; Qt warnings would fail the test."""
    for choice, size in (("dark", (900, 600)), ("light", (230, 200))):
        theme.set_choice(choice)
        widget.resize(*size)
        assert not widget.grab().isNull()
    theme.set_choice("light")


def test_the_focus_can_be_seen(widget: QWidget, qtbot: QtBot) -> None:
    """A focused control looks different from the same control at rest."""
    widget.activateWindow()
    for child in focusable(widget):
        if not child.isEnabled() or not child.isVisible():
            continue
        child.clearFocus()
        before = child.grab().toImage()
        child.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(child.hasFocus)
        assert child.grab().toImage() != before, type(child).__name__
