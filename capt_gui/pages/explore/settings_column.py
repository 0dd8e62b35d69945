"""The right column: model, classes and attack, which scroll; and the job bar, which never leaves."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_gui.pages.explore.classes_panel import ClassesPanel
from capt_gui.panels.attack_choice_panel import AttackChoicePanel, attack_entries
from capt_gui.panels.model_panel import ModelPanel
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.help.library import address
from capt_gui.view_models.help.topics import PROPERTY
from capt_gui.widgets.card import Card
from capt_gui.widgets.job_bar import JobBar
from capt_gui.widgets.layout import fill
from capt_gui.widgets.scrolled import scrolled


class SettingsColumn(QWidget):
    """The panels with model, attack and classes, and the job bar; Run is enabled when there is something to analyse."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.job_bar = JobBar(desk.theme)
        self.model = ModelPanel(desk.theme, desk.model)
        self.classes_panel = ClassesPanel(desk.theme, desk.choices, desk.changes, desk.tokens, desk.words)
        self.attack = AttackChoicePanel(
            desk.theme, desk.choices.attack, self.tr("Attack"), attack_entries, goal_is_plain=True
        )
        self._lay_out()
        self.model.setProperty(PROPERTY, address("importing.md"))
        self.attack.setProperty(PROPERTY, address("attacks.md"))
        self.job_bar.run_clicked.connect(desk.analysis.run_all)
        self.job_bar.cancel_clicked.connect(desk.analysis.cancel)
        desk.analysis.running_changed.connect(self.job_bar.set_running)
        desk.analysis.progress_changed.connect(self.on_progress_changed)
        desk.engine.changed.connect(self.refresh)
        desk.choices.changed.connect(self.refresh)
        desk.gallery.counts_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Enable the Run button, or disable it and show the reason."""
        reason = self._reason()
        self.job_bar.set_enabled_to_run(not reason, reason)
        if self._desk.engine.waiting_text and self._desk.analysis.is_running:
            self.on_progress_changed(0, 0, "")

    def on_progress_changed(self, done: int, total: int, message: str) -> None:
        """Show `message` and a bar at `done` of `total` (0: not known); while the engine starts, say that instead of the message."""
        waiting = self._desk.engine.waiting_text
        self.job_bar.set_progress(done, total, waiting if waiting and not total else message)

    def _reason(self) -> str:
        if self._desk.engine.failure is not None:
            return self.tr("The engine could not start")
        if not self._desk.gallery.has_usable():
            return self.tr("Drop a picture first")
        return self._desk.choices.problem()

    def _lay_out(self) -> None:
        panels = QWidget()
        # the classes are half of the question, so that they stand before the attack
        self.classes_card = Card(self.classes_panel)
        cards = (Card(self.model), self.classes_card, Card(self.attack))
        fill(QVBoxLayout(panels), *cards, (None, 1), spacing=12, margins=(4, 12, 12, 12))
        bar = fill(QVBoxLayout(), self.job_bar, margins=(4, 4, 12, 10))
        fill(QVBoxLayout(self), (scrolled(panels), 1), bar, spacing=0)
