"""The right column: pictures, model and test, which scroll; and the job bar, which never leaves."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_gui.pages.evaluate.data_card import DataCard
from capt_gui.pages.evaluate.evaluate_options import EvaluateOptions, run_entries
from capt_gui.panels.attack_choice_panel import AttackChoicePanel
from capt_gui.panels.model_panel import ModelPanel
from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.card import Card
from capt_gui.widgets.job_bar import JobBar
from capt_gui.widgets.labels import column, text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled


class SettingsColumn(QWidget):
    """The panels with data, model and test, and the job bar; Run is enabled when there is something to evaluate."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._run, self._choices = desk.evaluation.run, desk.evaluation.choices
        self._ranking = desk.evaluation.ranking
        self.data = DataCard(desk.theme, desk.evaluation.data, self._choices, desk.evaluation.words)
        self.model = ModelPanel(desk.theme, desk.model)
        self.several = TextButton(desk.theme, self.tr("Rank several variants…"), "evaluate", look="link")
        set_tooltip(self.several, self.tr("Up to six sets of prompts and models on these pictures, in one table"))
        self.options = EvaluateOptions(desk.theme, self._choices)
        self.attack = AttackChoicePanel(
            desk.theme,
            self._choices.attack,
            self.tr("Test"),
            run_entries,
            plain=(self.options,),
            expert=(self.options.template,),
        )
        self.job_bar = JobBar(desk.theme)
        self.cost = text(role="caption")
        self._lay_out()
        self.job_bar.run_clicked.connect(self._run.start)
        self._run.running_changed.connect(self.on_running_changed)
        self._run.progress_changed.connect(self.on_progress_changed)
        self._ranking.running_changed.connect(self.on_running_changed)
        self._ranking.progress_changed.connect(self.on_progress_changed)
        self._choices.changed.connect(self.refresh)
        desk.evaluation.data.running_changed.connect(self.refresh)
        desk.engine.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Enable the Run button and show how much work a run would be, or disable it and show the reason."""
        reason = self.reason()
        self.job_bar.set_enabled_to_run(not reason, reason)
        self.several.setEnabled(not reason and not self._run.is_running and not self._ranking.is_running)
        cost = (
            ""
            if reason or self._run.is_running or self._ranking.is_running
            else self._choices.cost_text(self._run.forecast_s())
        )
        self.cost.setText(cost)
        self.cost.setVisible(bool(cost))

    def reason(self) -> str:
        """Return a sentence why no evaluation can be started now, or "" if one can."""
        if self._desk.engine.failure is not None:
            return self.tr("The engine could not start")
        return self._choices.problem()

    def on_running_changed(self, running: bool) -> None:
        """Turn the Run button into Cancel while the evaluation is `running`, and back once it has ended."""
        self.job_bar.set_running(running)
        self.refresh()

    def on_progress_changed(self, done: int, total: int, message: str) -> None:
        """Show `message` and a bar at `done` of `total` (0: not known); while the engine starts, say that instead of the message."""
        waiting = self._desk.engine.waiting_text
        self.job_bar.set_progress(done, total, waiting if waiting and not total else message)

    def _lay_out(self) -> None:
        panels = QWidget()
        cards = (Card(panel) for panel in (self.data, column(self.model, self.several, spacing=4), self.attack))
        fill(QVBoxLayout(panels), *cards, (None, 1), spacing=12, margins=(4, 12, 12, 12))
        bar = fill(QVBoxLayout(), self.cost, self.job_bar, spacing=6, margins=(8, 4, 12, 10))
        fill(QVBoxLayout(self), (scrolled(panels), 1), bar, spacing=0)
