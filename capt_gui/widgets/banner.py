"""A message inside the page, beside its cause."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class Banner(QWidget):
    """A symbol, a sentence, a hint, perhaps an action, and a way to dismiss it; hidden until it has something to say."""

    action_clicked = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.hide()

    def show_message(self, kind: str, message: str, hint: str = "", action: str = "") -> None:
        """Show a message of kind "info", "warning" or "error"."""

    def clear(self) -> None:
        """Hide the banner without saying `dismissed`."""
        self.hide()
