"""The marks of the two sides of a comparison: a letter on a disc, A grey and B violet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.elided_label import ElidedLabel

SIDES = ("a", "b")


def draw_side(painter: QPainter, rect: QRectF, theme: Theme, side: str, *, filled: bool = True) -> None:
    """The letter of side "a" or "b" on its colour, or in it; B's corners are less round, so that the shapes differ too."""
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


class SideBadge(QWidget):
    """The mark on its own."""

    def __init__(self, theme: Theme, side: str, size: int = 18, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._side = side
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(size, size)
        self.setAccessibleName(side.upper())
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """A square."""
        return QSize(self._size, self._size)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_side(painter, QRectF(self.rect()), self._theme, self._side)


class SideTitle(QWidget):
    """The mark with what stands on that side beside it."""

    def __init__(self, theme: Theme, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = ElidedLabel(text_role="muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(8)
        layout.addWidget(SideBadge(theme, side))
        layout.addWidget(self._label, 1)

    def set_text(self, words: str) -> None:
        """Say what stands there."""
        self._label.set_text(words)

    def text(self) -> str:
        """Return the title's text."""
        return self._label.text()
