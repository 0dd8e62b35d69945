"""Run, progress and cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill


class JobBar(QWidget):
    """One button that runs or cancels, beside the progress."""

    run_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._running = False
        self._stopping = False
        self._may_run = True
        self._text = ElidedLabel(text_role="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._button = TextButton(theme, "", "run")
        self._button.clicked.connect(self._on_clicked)
        beside = fill(QVBoxLayout(), None, self._text, self._bar, None)
        fill(QHBoxLayout(self), (beside, 1), (self._button, 0, Qt.AlignmentFlag.AlignVCenter), spacing=16)
        self._bar.setVisible(False)
        self._refresh()

    def set_running(self, running: bool) -> None:
        """Turn the button into Cancel and show the progress bar for True, or back into Run without a bar for False."""
        self._running, self._stopping = running, False
        if running:
            self._bar.setRange(0, 0)
        self._bar.setVisible(running)
        self._refresh()

    def set_progress(self, done: int, total: int, text: str) -> None:
        """Show `done` of `total` on the bar with a `text` above it; a total of 0 means that the end is unknown.

        After Cancel the text stays "Stopping…".
        """
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        if not self._stopping:
            self._show_text(text)

    def set_enabled_to_run(self, enabled: bool, reason: str = "") -> None:
        """Allow the Run button for True; else disable it and tell the `reason`, beside it unless work is going on."""
        self._may_run = enabled
        if not self._running:
            self._show_text("" if enabled else reason)
        set_tooltip(self._button, "" if enabled else reason)
        self._button.setAccessibleDescription("" if enabled else reason)
        self._refresh()

    def text(self) -> str:
        """Return the text shown beside the button: the progress, or the reason for which nothing can run."""
        return self._text.text()

    def _show_text(self, text: str) -> None:
        self._text.set_text(text)
        self._bar.setAccessibleDescription(text)

    def _on_clicked(self) -> None:
        if not self._running:
            self.run_clicked.emit()
            return
        self._stopping = True
        self._show_text(self.tr("Stopping…"))
        self._refresh()
        self.cancel_clicked.emit()

    def _refresh(self) -> None:
        name = self.tr("Cancel") if self._running else self.tr("Run")
        enabled = not self._stopping if self._running else self._may_run
        self._button.setText(name)
        self._button.setAccessibleName(name)
        self._button.setProperty("primary", not self._running)
        self._button.setProperty("danger", self._running)
        self._button.setEnabled(enabled)
        self._button.set_icon(*(("stop", "broken") if self._running else ("run", "accent_text")))
        self._button.setMinimumWidth(self._button.fontMetrics().horizontalAdvance("m" * 10))
        repolish(self._button)
