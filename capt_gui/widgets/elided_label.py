"""One line of text that gives way: it is cut with an ellipsis where there is no room, and whole in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from capt_gui.plain_text import set_tooltip


class ElidedLabel(QLabel):
    """A label that never asks for more width than it gets."""

    def __init__(self, text: str = "", text_role: str = "caption", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("textRole", text_role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show a text, cut with an ellipsis where it does not fit; the tooltip always holds the whole of it."""
        self.setText(text)
        set_tooltip(self, text)

    def minimumSizeHint(self) -> QSize:
        """Return a smallest size of no width, as the text can be cut to any width."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the text on one line, cut with an ellipsis where it does not fit."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        rect = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, self.alignment() | Qt.TextFlag.TextSingleLine, text)
