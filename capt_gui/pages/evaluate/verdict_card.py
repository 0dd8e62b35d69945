"""The verdict of a run with what can be done with it; while it goes on, how far it is and what is counted so far."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from capt_engine.records import unknown_sentences
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models import formatting
from capt_gui.view_models.evaluate import evaluate_text
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.tune import tune_text
from capt_gui.widgets.verdict_box import VerdictBox


class VerdictCard(VerdictBox):
    """The verdict of the run, or its progress; emits `report_clicked` when the user wants the report of the run."""

    report_clicked = Signal()

    def __init__(self, theme: Theme, run: EvaluateRun, model: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._run = run
        self._model = model
        self.report = self.add_button("report", self.tr("Open report"), primary=True)
        self.resume = self.add_button("run", self.tr("Resume"), primary=True)
        self.copy = self.add_button("copy", self.tr("Copy command"))
        self.report.clicked.connect(self.report_clicked)
        self.resume.clicked.connect(run.resume)
        self.copy.clicked.connect(self.on_copy)
        run.changed.connect(self.on_changed)
        run.counted.connect(self.on_counted)
        run.progress_changed.connect(self.on_progress_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the verdict of the run, the reason why there is none, or the progress, after the run began or ended."""
        run = self._run
        if run.is_running:
            self.show_buttons()
            self.on_counted()
        elif run.result is not None:
            self._show_result()
        elif run.is_stopped:
            self._show_stopped()
        self.set_progress((0, 0, self.tr("Waiting for its turn")) if run.is_running else None)

    def on_counted(self) -> None:
        """Show how many pictures are done and how many are right so far, in counts and not in shares, while the run goes on."""
        run = self._run
        if not run.is_running:
            return
        done = run.n_done + len(run.failures())
        headline = self.tr("Measuring: {:,} of {:,} pictures done").format(done, max(run.n_pictures, done))
        if not run.n_pictures:
            headline = self.tr("Measuring: {:,} pictures done").format(done)
        elif done and done >= run.n_pictures:
            headline = self.tr("All {:,} pictures are done; now the measurement itself is doubted").format(done)
        self.set_verdict("", headline, "\n".join(run.counts()), run.settings_text())

    def on_progress_changed(self, done: int, total: int, message: str) -> None:
        """Show `message` and a bar at `done` of `total` (0: not known) while the run goes on."""
        if self._run.is_running:
            self.set_progress((done, total, message))

    def on_copy(self) -> None:
        """Put the command line that repeats this run on the clipboard."""
        QGuiApplication.clipboard().setText(self._run.command())
        self.copy.setText(self.tr("Copied"))

    def _show_result(self) -> None:
        result = self._run.result
        assert result is not None
        headline, figures = evaluate_text.verdict(result, self._model.sides.label)
        kind, odd = formatting.outcome(result), formatting.unlike_training(result)
        if evaluate_text.is_foreign(result):
            kind, headline, figures = "unknown", odd, f"{headline}\n{figures}"
        elif odd:
            figures = f"{figures}\n{odd}"
        names = [self._model.attack_label(attack.name) for attack in result.attacks]
        against = ""
        if result.robust_accuracy is not None and names:
            against = self.tr("Measured against {}.").format(evaluate_text.attack_text(result, names))
        aim = ""
        if self._run.request is not None and self._run.request.options.aim != "each" and against:
            aim = comparison.aim_meaning(self._run.request.options.aim)
        limits = " ".join(part for part in (against, aim, evaluate_text.limits(result, len(names))) if part)
        took = self.tr("{} · took {} on {}").format(
            self._run.settings_text(), tune_text.duration(result.wall_s), formatting.devices(result.device)
        )
        stored = ""
        if result.rows_from_store:
            stored = self.tr("{:,} rows were looked up: they had been computed before.").format(result.rows_from_store)
        parts = (
            *map(spoken, (*unknown_sentences(result.unknown_words), *result.notes)),
            limits,
            took,
            stored,
            spoken(result.store_note),
        )
        caption = "\n".join(part for part in parts if part)
        self.set_verdict(kind, headline, figures, caption)
        self._offer(self.report, self.copy)

    def _show_stopped(self) -> None:
        run = self._run
        if run.failure is not None:
            self.set_verdict("failed", run.failure.message, run.failure.hint, "\n".join(run.counts()))
        else:
            headline = self.tr("Stopped after {:,} of {:,} pictures").format(
                run.n_done, max(run.n_pictures, run.n_done)
            )
            if not run.n_pictures:
                headline = self.tr("Stopped after {:,} pictures").format(run.n_done)
            kept = self.tr("What was measured is kept, and the run can be resumed.") if run.can_resume else ""
            caption = "\n".join(part for part in (kept, run.settings_text()) if part)
            self.set_verdict("stopped", headline, "\n".join(run.counts()), caption)
        self._offer(*([self.resume] if run.can_resume else []))

    def _offer(self, *buttons: QPushButton) -> None:
        problem = self._run.report_problem()
        self.copy.setText(self.tr("Copy command"))
        for button in (self.report, self.copy):
            button.setEnabled(not problem)
            set_tooltip(button, problem)
            button.setAccessibleDescription(problem)
        set_tooltip(self.copy, problem or self._run.command())
        self.show_buttons(*buttons)
