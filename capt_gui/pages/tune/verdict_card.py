"""The verdict in words, with the figures it rests on; while it is measured, the progress."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.tune.result import TuneResultModel
from capt_gui.widgets.labels import text
from capt_gui.widgets.verdict_box import VerdictBox


class VerdictCard(VerdictBox):
    """The verdict on the tuned prompts, advice, and the button that measures again or stops."""

    def __init__(self, theme: Theme, result: TuneResultModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._result = result
        self.advice = text()
        self.advice.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add_line(self.advice)
        self.button = self.add_button("", self.tr("Measure"))
        self.show_buttons(self.button)
        self.button.clicked.connect(self.on_clicked)
        result.changed.connect(self.on_changed)
        result.progressed.connect(self.on_progressed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the verdict on the tuned prompts with advice, or why there is none yet, and the button to measure or stop."""
        result = self._result
        effect = "" if result.is_running else result.effect()
        headline, figures = result.headline()
        if result.is_running or not headline:
            headline, figures = self._waiting_text()
        look = "failed" if result.failure is not None and not effect else effect
        self.set_verdict(look, headline, figures, "" if result.is_running else result.share_text())
        tips = () if result.is_running else result.advice()
        tried = self.tr("What to try:") + "".join(f"\n–  {tip}" for tip in tips)
        self.advice.setText(tried if tips else "")
        self.advice.setVisible(bool(tips))
        fresh = result.result is None and result.failure is None
        label = self.tr("Stop measuring") if result.is_running else self.tr("Measure")
        self.button.setText(label if result.is_running or fresh else self.tr("Measure again"))
        self.on_progressed()

    def on_progressed(self) -> None:
        """Show the progress of the measurement while it runs, and hide it otherwise."""
        result = self._result
        self.set_progress(result.progress if result.is_running else None)

    def on_clicked(self) -> None:
        """Stop the measurement if it runs; else measure on the test pictures, again from the first if that was done or failed."""
        if self._result.is_running:
            self._result.cancel()
        elif self._result.result is None and self._result.failure is None:
            self._result.measure()
        else:
            self._result.measure_again()

    def _waiting_text(self) -> tuple[str, str]:
        result = self._result
        if result.is_running:
            message = self.tr(
                "Plain text and the tuned prompts answer the same pictures, which tuning never saw, each attacked by {}."
            )
            return self.tr("Measuring on the test pictures"), message.format(result.attack_text())
        if result.failure is not None:
            return result.failure.message, result.failure.hint
        return self.tr("Not measured yet"), self.tr("The test pictures wait, untouched.")
