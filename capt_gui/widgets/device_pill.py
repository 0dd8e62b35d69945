"""The computing device, in the status bar."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from capt_gui.theme import Theme

_LOOKS = {
    "busy": ("state-running", "accent"),
    "ready": ("dot", "ok"),
    "warning": ("warning", "warning"),
    "error": ("error", "broken"),
}


class DevicePill(QFrame):
    """A symbol and a few words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = "busy"
        self._symbol = QLabel()
        self._text = QLabel()
        layout = QHBoxLayout(self)
        self.setFixedHeight(max(24, self.fontMetrics().height() + 8))
        layout.setContentsMargins(10, 0, 12, 0)
        layout.setSpacing(7)
        layout.addWidget(self._symbol)
        layout.addWidget(self._text)
        self.setAccessibleName(self.tr("Device"))
        theme.changed.connect(self._retint)
        self._retint()

    def set_state(self, state: str, text: str, tooltip: str = "") -> None:
        """Show "busy" (loading), "ready", "warning" or "error" with its words."""
        self._state = state if state in _LOOKS else "busy"
        self._text.setText(text)
        self.setToolTip(tooltip)
        self.setAccessibleName(self.tr("Device: {}").format(text))
        self.setAccessibleDescription(tooltip)
        self._retint()

    def text(self) -> str:
        """The words shown."""
        return self._text.text()

    @Slot()
    def _retint(self) -> None:
        icon, role = _LOOKS[self._state]
        self._symbol.setPixmap(self._theme.pixmap(icon, 12, role, self.devicePixelRatioF()))
