"""Start, Pause, Stop and Cancel, beside how far the run is; what would be lost is asked in words, in place."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.tune import tune_text
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.run import TuneRun
from capt_gui.widgets.banner import Banner
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text

_ICON = 22
_START, _PAUSE, _STOP, _CANCEL, _OVER = "start", "pause", "stop", "cancel", "over"


class RunControls(QWidget):
    """One line of words, a bar, and only the buttons that make sense now. `left`: the focused one went, as the run is done."""

    left = Signal()

    def __init__(self, theme: Theme, run: TuneRun, project: TuneProject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._run, self._project = theme, run, project
        self._asking = ""
        self._symbol = QLabel()
        self.headline = text(role="heading", wrap=False)
        self.words = ElidedLabel(text_role="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of tuning"))
        self.buttons = {
            _PAUSE: self._button(self.tr("Pause"), self.on_pause),
            _STOP: self._button(self.tr("Stop and keep the best"), self.on_stop),
            _CANCEL: self._button(self.tr("Cancel"), self.on_cancel),
            _OVER: self._button(self.tr("Start over"), self.on_over),
            _START: self._button(self.tr("Start tuning"), self.on_start),
        }
        self.buttons[_CANCEL].setProperty("danger", True)
        self.buttons[_START].setProperty("primary", True)
        self.question = Banner(theme)
        self._lay_out()
        self.question.action_clicked.connect(self.on_agreed)
        self.question.second_clicked.connect(self.on_refused)
        self.question.dismissed.connect(self.on_refused)
        run.changed.connect(self.on_changed)
        run.progressed.connect(self.on_progressed)
        run.drawn.connect(self.on_changed)
        project.changed.connect(self.on_changed)
        theme.changed.connect(self.on_changed)
        self.on_changed()
        self.on_progressed()

    def focus_first(self) -> None:
        """Put the keyboard on what one will most likely do next."""
        for name in (_START, _PAUSE):
            if self.buttons[name].isVisibleTo(self) and self.buttons[name].isEnabled():
                self.buttons[name].setFocus(Qt.FocusReason.TabFocusReason)
                return

    def on_changed(self) -> None:
        """Show how it stands, and what can be done."""
        run = self._run
        self.headline.setText(self._headline())
        going, ending = run.is_running, run.is_ending
        # the window's own focus: the user may be in another program while the run ends
        last = self.window().focusWidget()
        focused = next((name for name, button in self.buttons.items() if button is last), "")
        pause = self.buttons[_PAUSE]
        pause.setText(self.tr("Resume") if run.is_paused else self.tr("Pause"))
        pause.setAccessibleName(pause.text())
        pause.setIcon(self._theme.icon_beside_text("run" if run.is_paused else "pause"))
        self.buttons[_CANCEL].setIcon(self._theme.icon_beside_text("stop", "broken"))
        self.buttons[_STOP].setIcon(self._theme.icon_beside_text("check"))
        self.buttons[_OVER].setIcon(self._theme.icon_beside_text("restore"))
        start = self.buttons[_START]
        start.setText(self._start_words())
        start.setAccessibleName(start.text())
        start.setIcon(self._theme.icon_beside_text("run", "accent_text"))
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
        self.buttons[_STOP].setToolTip(
            "" if run.epochs else self.tr("There is something to keep after the first epoch.")
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
        """Move the bar."""
        run = self._run
        self.bar.setVisible(run.is_running)
        self.bar.setRange(0, 0 if run.is_waiting else run.total)
        self.bar.setValue(run.done)
        words = self._details()
        if words != self.words.text():
            self.words.set_text(words)
            self.bar.setAccessibleDescription(words)

    def on_start(self) -> None:
        """Begin, or resume where it was stopped."""
        self._run.start()

    def on_pause(self) -> None:
        """Pause, or resume."""
        if self._run.is_paused:
            self._run.resume()
        else:
            self._run.pause()

    def on_stop(self) -> None:
        """Ask: it sounds like a loss, and is none."""
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
        """Ask, and say what stays."""
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
        """Ask: here something can be lost."""
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
        """Do what was asked about."""
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
        """Take the question back without doing what it asked."""
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
            return self.tr("Done: {}").format(run.result.ended) if run.result else self.tr("Done")
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
            return run.progress_text
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

    def _start_words(self) -> str:
        return self.tr("Resume") if self._run.can_resume else self.tr("Start tuning")

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
        self._symbol.setPixmap(self._theme.pixmap(name, _ICON, role, self.devicePixelRatioF()))

    def _button(self, words: str, slot: object) -> QPushButton:
        button = QPushButton(words)
        button.setAccessibleName(words)
        button.setIconSize(QSize(21, 16))
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        beside = QVBoxLayout()
        beside.setSpacing(4)
        beside.addWidget(self.headline)
        beside.addWidget(self.words)
        beside.addWidget(self.bar)
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(beside, 1)
        for button in self.buttons.values():
            line.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(line)
        layout.addWidget(self.question)
