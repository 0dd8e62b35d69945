"""The marks of the two sides of a comparison: a letter on a disc, A grey and B violet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import PaintedWidget

SIDES = ("a", "b")


def draw_side(painter: QPainter, rect: QRectF, theme: Theme, side: str, *, filled: bool = True) -> None:
    """Draw the badge of compared model "a" or "b": its letter on a disc of its colour or, without `filled`, in an outline.

    B's corners are less round, so that the shapes differ as well as the colours.
    """
    color = theme.color(f"side_{side}")
    radius = rect.height() * (0.5 if side == "a" else 0.28)
    if filled:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
    else:
        rect = rect.adjusted(1, 1, -1, -1)
        painter.setPen(QPen(color, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, radius, radius)
    font = theme.font("strong")
    font.setPixelSize(max(round(rect.height() * 0.66), 8))
    painter.setFont(font)
    painter.setPen(theme.color("surface") if filled else color)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, side.upper())


class SideBadge(PaintedWidget):
    """The mark of side "a" or "b" on its own."""

    def __init__(self, theme: Theme, side: str, size: int = 18) -> None:
        super().__init__(theme)
        self._side = side
        self.setFixedSize(size, size)
        self.setAccessibleName(side.upper())

    def draw(self, painter: QPainter) -> None:
        """Paint the badge of one of two compared models: the letter A or B on its colour."""
        draw_side(painter, QRectF(self.rect()), self._theme, self._side)


class SideTitle(QWidget):
    """The mark with what stands on that side beside it."""

    def __init__(self, theme: Theme, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = ElidedLabel(text_role="muted")
        fill(QHBoxLayout(self), SideBadge(theme, side), (self._label, 1), margins=(8, 0, 8, 0))

    def set_text(self, text: str) -> None:
        """Show a text, such as the name of the compared model, beside the badge of A or B."""
        self._label.set_text(text)

    def text(self) -> str:
        """Return the text beside the badge."""
        return self._label.text()
