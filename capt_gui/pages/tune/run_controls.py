"""Start, Pause, Stop and Cancel, beside how far the run is; what would be lost is asked in words, in place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import spoken
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.buttons import Symbol, TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_ICON = 22
_START, _PAUSE, _STOP, _CANCEL, _OVER = "start", "pause", "stop", "cancel", "over"


class RunControls(QWidget):
    """State and progress of the run, with the buttons that are possible now; emits `left` when the focused one vanished at its end."""

    left = Signal()

    def __init__(self, theme: Theme, run: TuneRun, project: TuneProject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run, self._project = run, project
        self._asking = ""
        self._symbol = Symbol(theme, _ICON)
        self.headline = text(role="heading", wrap=False)
        self.details = ElidedLabel(text_role="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of tuning"))
        self.buttons = {
            _PAUSE: TextButton(theme, self.tr("Pause"), "pause"),
            _STOP: TextButton(theme, self.tr("Stop and keep the best"), "check"),
            _CANCEL: TextButton(theme, self.tr("Cancel"), "stop"),
            _OVER: TextButton(theme, self.tr("Start over"), "restore"),
            _START: TextButton(theme, self.tr("Start tuning"), "run", look="primary"),
        }
        self.buttons[_CANCEL].setProperty("danger", True)
        self.buttons[_CANCEL].set_icon("stop", "broken")
        for name, slot in (
            (_PAUSE, self.on_pause),
            (_STOP, self.on_stop),
            (_CANCEL, self.on_cancel),
            (_OVER, self.on_over),
            (_START, run.start),
        ):
            self.buttons[name].clicked.connect(slot)
        self.question = Banner(theme)
        beside = fill(QVBoxLayout(), self.headline, self.details, self.bar, spacing=4)
        buttons = [(button, 0, Qt.AlignmentFlag.AlignVCenter) for button in self.buttons.values()]
        symbol = (self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        line = fill(QHBoxLayout(), symbol, (beside, 1), *buttons, spacing=10)
        fill(QVBoxLayout(self), line, self.question, spacing=10)
        self.question.action_clicked.connect(self.on_agreed)
        self.question.second_clicked.connect(self.on_refused)
        self.question.dismissed.connect(self.on_refused)
        run.changed.connect(self.on_changed)
        run.progressed.connect(self.on_progressed)
        run.drawn.connect(self.on_changed)
        project.changed.connect(self.on_changed)
        self.on_changed()
        self.on_progressed()

    def focus_first(self) -> None:
        """Move the keyboard focus to Start, or to Pause while the run goes on; leave it where neither can be pressed."""
        for name in (_START, _PAUSE):
            if self.buttons[name].isVisibleTo(self) and self.buttons[name].isEnabled():
                self.buttons[name].setFocus(Qt.FocusReason.TabFocusReason)
                return

    def on_changed(self) -> None:
        """Show the state of the run in words, and only the buttons that are possible now."""
        run = self._run
        self.headline.setText(self._headline())
        going, ending = run.is_running, run.is_ending
        # the window's own focus: the user may be in another program while the run ends
        last = self.window().focusWidget()
        focused = next((name for name, button in self.buttons.items() if button is last), "")
        pause = self.buttons[_PAUSE]
        pause.setText(self.tr("Resume") if run.is_paused else self.tr("Pause"))
        pause.setAccessibleName(pause.text())
        pause.set_icon("run" if run.is_paused else "pause", "text")
        start = self.buttons[_START]
        start.setText(self.tr("Resume") if run.can_resume else self.tr("Start tuning"))
        start.setAccessibleName(start.text())
        start.setProperty("primary", not run.is_done)
        shown = {
            _PAUSE: going,
            _STOP: going,
            _CANCEL: going,
            _OVER: run.can_resume,
            _START: not going and not run.is_done,
        }
        for name, button in self.buttons.items():
            button.setVisible(shown[name])
            button.setEnabled(not ending)
        self.buttons[_STOP].setEnabled(not ending and bool(run.epochs))
        set_tooltip(
            self.buttons[_STOP], "" if run.epochs else self.tr("There is something to keep after the first epoch.")
        )
        self.buttons[_OVER].setVisible(run.can_resume or run.is_done)
        self.buttons[_OVER].setText(self.tr("Start over") if run.can_resume else self.tr("Tune again"))
        self.buttons[_OVER].setAccessibleName(self.buttons[_OVER].text())
        if focused and not self.buttons[focused].isVisibleTo(self):
            if run.is_done:
                self.left.emit()
            else:
                self.focus_first()
        if not going and self._asking in (_STOP, _CANCEL):
            self.on_refused()
        self._show_symbol()
        self.on_progressed()

    def on_progressed(self) -> None:
        """Show the progress of the run as a bar and in words; the bar is hidden while nothing runs."""
        run = self._run
        self.bar.setVisible(run.is_running)
        self.bar.setRange(0, 0 if run.is_waiting else run.progress.total)
        self.bar.setValue(run.progress.done)
        message = self._details()
        if message != self.details.text():
            self.details.set_text(message)
            self.bar.setAccessibleDescription(message)

    def on_pause(self) -> None:
        """Pause the tuning run, or resume it if it is paused."""
        if self._run.is_paused:
            self._run.resume()
        else:
            self._run.pause()

    def on_stop(self) -> None:
        """Ask the user to confirm that tuning stops now and keeps the prompts of the best epoch."""
        best = next((epoch for epoch in reversed(self._run.epochs) if epoch.is_best), None)
        which = self.tr("epoch {}").format(best.epoch) if best else self.tr("the best epoch")
        self._ask(
            _STOP,
            self.tr("Stop now and keep {}?").format(which),
            self.tr(
                "Nothing that was learned is lost: the prompts of the best whole epoch so far become the result. "
                "Only the epoch under way is dropped."
            ),
            self.tr("Stop and keep"),
        )

    def on_cancel(self) -> None:
        """Ask the user to confirm that tuning is cancelled, and say which epochs stay on disk."""
        done = len(self._run.epochs)
        stays = (
            self.tr(
                "The {} whole epochs so far stay on disk, so you can resume later, or keep the best of them."
            ).format(done)
            if done > 1
            else self.tr("The whole epoch so far stays on disk, so you can resume later, or keep it.")
            if done
            else self.tr("No epoch has ended yet, so there is nothing to keep.")
        )
        self._ask(_CANCEL, self.tr("Cancel tuning?"), stays, self.tr("Cancel tuning"))

    def on_over(self) -> None:
        """Ask the user to confirm that tuning starts from the beginning, and say what would be lost."""
        if self._project.state.saved:
            lost = self.tr(
                "The saved prompts stay where they are; only this project's copy and its test are made anew."
            )
        elif self._run.is_done:
            lost = self.tr("The prompts of the last run were not saved yet, and will be gone.")
        else:
            lost = self.tr("What the stopped run had learned will be gone.")
        self._ask(_OVER, self.tr("Start from the beginning?"), lost, self.tr("Start over"))

    def on_agreed(self) -> None:
        """Do what the user confirmed: stop and keep the best epoch, cancel, or delete the last outcome and tune once more."""
        answered, self._asking = self._asking, ""
        self.question.clear()
        if answered == _STOP:
            self._run.stop_and_keep()
        elif answered == _CANCEL:
            self._run.cancel()
        elif answered == _OVER:
            self._run.clear()
            self._run.start()
        self.focus_first()

    def on_refused(self) -> None:
        """Close the question and change nothing else, because the user refused or dismissed it."""
        self._asking = ""
        self.question.clear()
        self.focus_first()

    def _ask(self, what: str, message: str, hint: str, yes: str) -> None:
        self._asking = what
        kind = "warning" if what == _OVER else "info"
        self.question.show_message(kind, message, hint, yes, self.tr("Leave it as it is"))
        self.question.focus_action()

    def _headline(self) -> str:
        run, state = self._run, self._project.state
        if run.is_ending:
            return self.tr("Ending…")
        if run.is_paused:
            return (
                self.tr("Paused after epoch {} of {}").format(state.epoch, state.epochs)
                if state.epoch
                else self.tr("Paused")
            )
        if run.is_running:
            if run.is_waiting or not state.epochs:
                return self.tr("Getting ready")
            return self.tr("Tuning, epoch {} of {}").format(min(state.epoch + 1, state.epochs), state.epochs)
        if run.failure is not None:
            return self.tr("Tuning could not be finished")
        if run.is_done:
            return self.tr("Done: {}").format(spoken(run.result.ended)) if run.result else self.tr("Done")
        if run.can_resume:
            return (
                self.tr("Stopped after epoch {} of {}").format(state.epoch, state.epochs)
                if state.epoch
                else self.tr("Stopped")
            )
        return self.tr("Ready to tune")

    def _details(self) -> str:
        run = self._run
        if run.is_paused:
            return self.tr("The rest of the program is free meanwhile. Resume takes it up at the very next step.")
        if run.is_running:
            return run.progress.text
        if run.is_done and run.result is not None:
            took = tune_text.duration(run.result.seconds)
            kept = self.tr("Epoch {} of {} was kept, after {}. Next: what it is worth on the test pictures.")
            return kept.format(run.result.kept_epoch, run.result.epochs, took)
        if run.is_done:
            return self.tr("The prompts are there. Next: what they are worth on the test pictures.")
        if run.failure is not None:
            return run.failure.message
        if run.reason:
            return run.reason
        if run.can_resume:
            return self.tr("What was learned until then is on disk.")
        return self.tr("Tuning continues while you use the other pages, and survives a crash.")

    def _show_symbol(self) -> None:
        run = self._run
        name, role = ("tune", "text_muted")
        if run.is_paused:
            name, role = "pause", "warning"
        elif run.is_running:
            name, role = "state-running", "accent"
        elif run.failure is not None:
            name, role = "warning", "warning"
        elif run.is_done:
            name, role = "check", "ok"
        self._symbol.set_icon(name, role)
