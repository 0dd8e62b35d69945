"""Colours, icons and the style sheet of the window, light and dark."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QApplication


class Theme(QObject):
    """The look of the whole application; passed to every widget that paints."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: str = "system") -> None:
        super().__init__(app)
        self.choice = choice
        self.is_dark = False

    def set_choice(self, choice: str) -> None:
        """Choose "system", "light" or "dark"."""
        self.choice = choice
        self.changed.emit()

    def color(self, role: str) -> QColor:
        """The colour that plays a role."""
        return QColor("#808080") if role else QColor()

    def icon(self, name: str) -> QIcon:
        """A bundled one-colour icon, tinted."""
        return QIcon() if name else QIcon()
