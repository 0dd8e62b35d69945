"""Step 4: the run, live: controls, what was noticed, charts, and pictures under attack."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from capt_gui.pages.tune.run_charts import RunCharts
from capt_gui.pages.tune.run_controls import RunControls
from capt_gui.pages.tune.step import Step
from capt_gui.panels.chart_saving import ChartSaving
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.card import Card
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import clear, fill
from capt_gui.widgets.sample_strip import SampleStrip
from capt_gui.widgets.scrolled import scrolled

_ICON = 18


class RunStep(Step):
    """Step 4 of the wizard: assembles controls, notices, charts and pictures; their state lives in the run, so the page can be left."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._run = desk.tuning.run
        self.controls = RunControls(desk.theme, self._run, desk.tuning.project)
        self.notices = Notices(desk.theme)
        self.charts = RunCharts(desk.theme, self._run)
        self.strip = SampleStrip(desk.theme)
        self._strip_title = text(self.tr("Pictures under attack"), "heading", wrap=False)
        self._strip_note = text(role="caption")
        self._lay_out()
        for chart in self.charts.all:
            ChartSaving(desk, chart, chart.record)
        self.controls.left.connect(self.advised)
        self._run.changed.connect(self.on_changed)
        self._run.strip_changed.connect(self.on_strip_changed)
        desk.tuning.method.changed.connect(self.changed)
        self.on_changed()
        self.on_strip_changed()

    @property
    def blocked_because(self) -> str:
        """Return a sentence why there are no tuned prompts to go on with yet, or "" if there are."""
        if self._run.is_running:
            return self.tr("Tuning goes on. Wait for its end, or stop and keep the best.")
        return "" if self._run.is_done else self.tr("Tune first.")

    def enter(self) -> None:
        """Move the keyboard focus to Next once the run is done, else to Start, or to Pause while it goes on."""
        self.controls.on_changed()
        if self._run.is_done:
            self.advised.emit()
        else:
            self.controls.focus_first()

    def on_changed(self) -> None:
        """Show the sentences that the run has for the user, such as warnings, and the hint of its failure, if it failed."""
        failure = self._run.failure
        failed = () if failure is None or not failure.hint else (failure.hint,)
        self.notices.set_sentences((*failed, *self._run.notices))
        self.changed.emit()

    def on_strip_changed(self) -> None:
        """Show a few attacked pictures of the latest epoch, and how many of them still got the right answer."""
        strip = self._run.strip
        self.strip.set_samples(strip.samples if strip else ())
        if strip is None:
            self._strip_note.setText("")
        elif strip.epoch == 0:
            self._strip_note.setText(self.tr("Plain text, before any tuning. Click a picture to see it clean."))
        else:
            held = sum(sample.attacked_answer == sample.label for sample in strip.samples)
            message = self.tr(
                "After epoch {}: {} of these {} hold. First line: the clean answer, second: under attack. Click to see them clean."
            )
            self._strip_note.setText(message.format(strip.epoch, held, len(strip.samples)))

    def _lay_out(self) -> None:
        head = fill(QHBoxLayout(), self._strip_title, (self._strip_note, 1), spacing=14)
        strip = column(head, self.strip, spacing=4)
        body = QWidget()
        parts = (Card(self.controls, 12), self.notices, (self.charts, 1), Card(strip, 10))
        fill(QVBoxLayout(body), *parts, spacing=10, margins=(20, 10, 20, 8))
        fill(QVBoxLayout(self), scrolled(body))


class Notices(QWidget):
    """The notices of a run, each on a card."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[str, ...] = ()
        self._rows = fill(QVBoxLayout(self), spacing=6)
        self.hide()

    def set_sentences(self, sentences: tuple[str, ...]) -> None:
        """Show each of `sentences` on a card, one under the other, in place of those before; an empty tuple hides this widget."""
        if sentences == self._shown:
            return
        self._shown = sentences
        clear(self._rows)
        for sentence in sentences:
            note = QFrame()
            note.setProperty("note", True)
            note.setAccessibleName(sentence)
            symbol = Symbol(self._theme, _ICON, "info")
            line = QHBoxLayout(note)
            fill(line, (symbol, 0, Qt.AlignmentFlag.AlignTop), (text(sentence), 1), spacing=10, margins=(12, 8, 12, 8))
            self._rows.addWidget(note)
        self.setVisible(bool(sentences))

    def sentences(self) -> tuple[str, ...]:
        """Return the sentences that are shown, from top to bottom."""
        return self._shown
