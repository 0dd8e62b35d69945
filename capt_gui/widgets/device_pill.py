"""The computing device, in the status bar."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from capt_gui.plain_text import plain_label, set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.layout import fill

_LOOKS = {
    "busy": ("state-running", "accent"),
    "ready": ("dot", "ok"),
    "warning": ("warning", "warning"),
    "error": ("error", "broken"),
}


class DevicePill(QFrame):
    """A symbol and a short text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._symbol = Symbol(theme, 12, *_LOOKS["busy"])
        self._text = plain_label()
        self.setFixedHeight(max(24, self.fontMetrics().height() + 8))
        fill(QHBoxLayout(self), self._symbol, self._text, spacing=7, margins=(10, 0, 12, 0))
        self.setAccessibleName(self.tr("Device"))

    def set_state(self, state: str, text: str, tooltip: str = "") -> None:
        """Show the state of the computing device as a symbol with `text` beside it and a `tooltip`.

        state: "busy" (loading), "ready", "warning" or "error"; KeyError for any other.
        """
        self._symbol.set_icon(*_LOOKS[state])
        self._text.setText(text)
        set_tooltip(self, tooltip)
        self.setAccessibleName(self.tr("Device: {}").format(text))
        self.setAccessibleDescription(tooltip)

    def text(self) -> str:
        """Return the text shown beside the symbol of the device's state."""
        return self._text.text()
