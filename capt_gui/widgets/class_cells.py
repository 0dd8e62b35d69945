"""Cells of the tables of classes: strips of pictures, names, numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPixmap

from capt_gui.roles import ClassRole
from capt_gui.theme import Theme
from capt_gui.widgets.painting import elided
from capt_gui.widgets.picture_grid import rounded_square

PAD = 12
_THUMB, _GAP, _SHOWN = 34, 4, 4
STRIP_WIDTH = _SHOWN * (_THUMB + _GAP) + PAD

_KEPT = 2000


class StripPainter:
    """A few pictures in a row; what was prepared is kept, because scrolling paints it again and again."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._prepared: OrderedDict[tuple[int, float], QPixmap] = OrderedDict()

    def forget(self) -> None:
        """Drop what was prepared."""
        self._prepared.clear()

    def paint(self, painter: QPainter, rect: QRectF, strip: Sequence[QImage | None]) -> None:
        """Paint the pictures, and empty places for those that are still to come."""
        ratio = painter.device().devicePixelRatioF()
        left = rect.left() + 2
        for image in strip[:_SHOWN]:
            place = QRectF(left, rect.center().y() - _THUMB / 2, _THUMB, _THUMB)
            if isinstance(image, QImage) and not image.isNull():
                painter.drawPixmap(place.topLeft(), self._rounded(image, ratio))
            else:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.color("surface_raised"))
                painter.drawRoundedRect(place, 6, 6)
            left += _THUMB + _GAP

    def _rounded(self, image: QImage, ratio: float) -> QPixmap:
        key = (image.cacheKey(), ratio)
        pixmap = self._prepared.get(key)
        if pixmap is None:
            pixmap = rounded_square(image, _THUMB, 6, ratio)
            self._prepared[key] = pixmap
            if len(self._prepared) > _KEPT:
                self._prepared.popitem(last=False)
        return pixmap


def paint_words(
    painter: QPainter, rect: QRectF, index: QModelIndex | QPersistentModelIndex, theme: Theme, left_out: str
) -> None:
    """A name at the left, in bold; a number at the right.

    The name of a class that is left out is struck through, over the words `left_out`: colour alone would not say it.
    """
    first = index.column() == 0
    gone = bool(index.data(ClassRole.LEFT_OUT))
    font = theme.font("strong" if first and not gone else "body")
    font.setStrikeOut(gone and first)
    metrics = QFontMetricsF(font)
    tone = str(index.data(ClassRole.TONE) or "") or "text"
    painter.setFont(font)
    painter.setPen(theme.color("text_muted" if gone else tone))
    room = rect.adjusted(PAD, 0, -PAD, 0)
    shown = elided(metrics, str(index.data(Qt.ItemDataRole.DisplayRole) or ""), room.width())
    if gone and first:
        small = QFontMetricsF(theme.font("caption"))
        top = room.center().y() - (metrics.height() + small.height()) / 2
        painter.drawText(QPointF(room.left(), top + metrics.ascent()), shown)
        painter.setFont(theme.font("caption"))
        painter.drawText(QPointF(room.left(), top + metrics.height() + small.ascent()), left_out)
        return
    baseline = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
    left = room.left() if first else room.right() - metrics.horizontalAdvance(shown)
    painter.drawText(QPointF(left, baseline), shown)
