"""Strokes that several painted widgets share: the focus ring, a mark for each side, names cut to fit."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from capt_gui.theme import Theme


def draw_focus_ring(painter: QPainter, rect: QRectF, theme: Theme, radius: float = 8) -> None:
    """A 2 px ring just inside `rect`."""
    painter.setPen(QPen(theme.color("focus"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)


def draw_mark(painter: QPainter, centre: QPointF, size: float, color: QColor, attacked: bool) -> None:
    """The mark of one side: a disc for the clean picture, a diamond for the attacked one."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    half = size / 2
    if attacked:
        x, y, reach = centre.x(), centre.y(), half * 1.15
        painter.drawPolygon(
            QPolygonF([QPointF(x, y - reach), QPointF(x + reach, y), QPointF(x, y + reach), QPointF(x - reach, y)])
        )
    else:
        painter.drawEllipse(centre, half, half)


def elided(metrics: QFontMetricsF, text: str, width: float) -> str:
    """The text, its end cut with an ellipsis where it would not fit."""
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
