"""Run, progress and cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class JobBar(QWidget):
    """One button that runs or cancels, beside the progress."""

    run_clicked = Signal()
    cancel_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_running(self, running: bool) -> None:
        """Turn the button into Cancel, or back."""

    def set_progress(self, done: int, total: int, text: str) -> None:
        """Show progress; total 0 means unknown."""

    def set_enabled_to_run(self, enabled: bool, reason: str = "") -> None:
        """Allow Run, or say why not."""
