"""The attack on the chosen picture, played again step by step."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from capt_engine.formatting import number, percent
from capt_engine.records import ReplayRequest
from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.buttons import IconButton, TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.input import keep_wheel_for_focus
from capt_gui.widgets.layout import fill
from capt_gui.widgets.line_chart import Level, Line
from capt_gui.widgets.marked_line_chart import MarkedLineChart

_CHART_HEIGHT = 92


class ReplayCard(QWidget):
    """Buttons and a slider over the steps, and a chart of loss and margin.

    stepped: the pictures of a step are to be shown, or no longer.
    """

    stepped = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._replay = desk.replay
        self._request: ReplayRequest | None = None
        theme = desk.theme
        self.start = TextButton(theme, self.tr("Replay the attack"), "run", look="primary")
        self.play = IconButton(theme, "run", self.tr("Play"))
        self.pause = IconButton(theme, "pause", self.tr("Pause"))
        self.back = IconButton(theme, "step-back", self.tr("One step back"))
        self.on = IconButton(theme, "step-on", self.tr("One step on"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Step of the attack"))
        set_tooltip(self.slider, self.tr("The step of the attack that is looked at"))
        keep_wheel_for_focus(self.slider)
        self.end = TextButton(theme, self.tr("Back to the result"), "", look="link")
        self.state = ElidedLabel(text_role="muted")
        self.chart = MarkedLineChart(
            theme,
            self.tr("Loss and margin by step"),
            self.tr("picture"),
            self.tr("loss, margin"),
            self.tr("Every step of the attack can be looked at: its loss, its margin and its picture."),
        )
        self.chart.setMinimumHeight(_CHART_HEIGHT)
        self._running = (self.play, self.pause, self.back, self.on, self.slider, self.end)
        line = fill(
            QHBoxLayout(), self.start, self.back, self.play, self.pause, self.on, (self.slider, 1), self.end, spacing=4
        )
        fill(QVBoxLayout(self), line, self.state, (self.chart, 1), spacing=6)
        self.start.clicked.connect(self.on_start)
        self.play.clicked.connect(self._replay.play)
        self.pause.clicked.connect(self._replay.pause)
        self.back.clicked.connect(self.on_back)
        self.on.clicked.connect(self.on_next)
        self.end.clicked.connect(self._replay.forget)
        self.slider.valueChanged.connect(self.on_slid)
        self.chart.picked.connect(self.on_picked)
        self._replay.changed.connect(self.on_changed)
        self._replay.moved.connect(self.on_moved)
        self.refresh()

    @property
    def is_shown(self) -> bool:
        """True while the steps of the picture that is chosen are shown."""
        return self._replay.is_of(self._request) and bool(self._replay.steps)

    def show_request(self, request: ReplayRequest | None) -> None:
        """Take the attack that could be replayed, None where there is none; the steps of another one are forgotten."""
        if request == self._request:
            return
        self._request = request
        if not self._replay.is_of(request):
            self._replay.forget()
        self.refresh()

    def on_start(self) -> None:
        """Run the attack again, and play its steps as they come."""
        if self._request is not None:
            self._replay.begin(self._request)

    def on_back(self) -> None:
        """Stay one step before the one that is looked at."""
        self._replay.pause()
        self._replay.go_to(self._replay.position - 1)

    def on_next(self) -> None:
        """Stay one step behind the one that is looked at."""
        self._replay.pause()
        self._replay.go_to(self._replay.position + 1)

    def on_slid(self, position: int) -> None:
        """Look at the step that the slider was moved to."""
        self._replay.pause()
        self._replay.go_to(position)

    def on_picked(self, step: float) -> None:
        """Look at the step that was clicked in the chart."""
        self._replay.pause()
        self._replay.go_to(round(step))

    def on_changed(self) -> None:
        """Show the steps that came, and that the work has ended."""
        self.refresh()
        self.stepped.emit()

    def on_moved(self) -> None:
        """Show another step: its place, its words and, in the view above, its pictures."""
        self._show_step()
        self.stepped.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop playing while nobody looks."""
        super().hideEvent(event)
        if self._replay.is_playing:
            self._replay.pause()

    def refresh(self) -> None:
        """Show the steps that there are, and the buttons that do something."""
        replay, there = self._replay, self.is_shown
        busy = replay.is_running and replay.is_of(self._request)
        self.start.setVisible(not there and not busy)
        self.start.setEnabled(self._request is not None)
        for control in self._running:
            control.setVisible(there or busy)
        self.play.setVisible((there or busy) and not replay.is_playing)
        self.pause.setVisible((there or busy) and replay.is_playing)
        steps = replay.steps if there else []
        places = tuple(float(place) for place in range(len(steps)))
        loss = Line(self.tr("loss"), "accent", places, tuple(one.loss for one in steps))
        margin = Line(self.tr("margin"), "attacked", places, tuple(one.margin for one in steps))
        self.chart.set_lines(
            (loss, margin) if steps else (), (Level(self.tr("flip"), "text_muted", 0.0),) if steps else ()
        )
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(steps) - 1, 0))
        self._show_step()

    def _show_step(self) -> None:
        replay = self._replay
        step = replay.step if self.is_shown else None
        with QSignalBlocker(self.slider):
            self.slider.setValue(replay.position)
        if step is None:
            failed = replay.failure
            running = replay.is_running and replay.is_of(self._request)
            progress = replay.progress.text or self.tr("Waiting for its turn")
            words = f"{failed.message} {failed.hint}" if failed is not None else progress if running else ""
            self.state.set_text(words)
            self.chart.set_marks()
            return
        kept = self.tr(" · the one that was kept") if replay.position == replay.kept else ""
        words = self.tr("{}: {} {}, loss {}, margin {}{}").format(
            step.name, step.answer, percent(step.probability), number(step.loss), number(step.margin), kept
        )
        self.state.set_text(words)
        self.slider.setAccessibleDescription(words)
        self.chart.set_marks((self.tr("looked at"), float(replay.position), "text", Qt.PenStyle.SolidLine))
