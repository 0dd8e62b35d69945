"""One line of text that gives way: a short form of it, or a cut with an ellipsis, where there is no room; whole in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from capt_gui.plain_text import set_tooltip


class ElidedLabel(QLabel):
    """A label that never asks for more width than it gets."""

    def __init__(self, text: str = "", text_role: str = "caption", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._short = ""
        self.setProperty("textRole", text_role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def set_text(self, text: str, short: str = "", tip: str = "") -> None:
        """Show a text, cut with an ellipsis where it does not fit; the tooltip holds the whole of it, or says `tip`.

        short: shown in its place where there is no room for it.
        """
        self._short = short
        self.setText(text)
        set_tooltip(self, tip or text)

    def event(self, event: QEvent) -> bool:
        """Leave the tooltip to the parent where the whole text is in sight, as a term of the glossary says more there."""
        if event.type() == QEvent.Type.ToolTip and self.toolTip() == self.text() and self._fits():
            event.ignore()
            return False
        return super().event(event)

    def minimumSizeHint(self) -> QSize:
        """Return a smallest size of no width, as the text can be cut to any width."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the text on one line, cut with an ellipsis where it does not fit."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        rect = self.contentsRect()
        words = self.text() if self._fits() or not self._short else self._short
        text = self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, self.alignment() | Qt.TextFlag.TextSingleLine, text)

    def _fits(self) -> bool:
        return self.fontMetrics().horizontalAdvance(self.text()) <= self.contentsRect().width()
