"""Where the work is done, in the status bar."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class DevicePill(QWidget):
    """A dot and a few words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_state(self, state: str, text: str, tooltip: str = "") -> None:
        """Show "busy" (loading), "ready", "warning" or "error" with its words."""
