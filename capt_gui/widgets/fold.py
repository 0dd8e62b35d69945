"""A section that opens and closes."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capt_gui.theme import Theme


class Fold(QWidget):
    """A title with a chevron above content that can be hidden."""

    toggled = Signal(bool)

    def __init__(
        self, theme: Theme, title: str, content: QWidget, expanded: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self._content = content
        QVBoxLayout(self).addWidget(content)
        content.setVisible(expanded)

    def is_expanded(self) -> bool:
        """Whether the content is shown."""
        return self._content.isVisibleTo(self)

    def set_expanded(self, expanded: bool) -> None:
        """Open or close the section."""
        self._content.setVisible(expanded)
