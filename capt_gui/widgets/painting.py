"""Strokes that painted widgets share: text cut to fit, boxes, the focus ring, a mark for each side, thumbnails."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from capt_gui.plain_text import show_tooltip
from capt_gui.theme import Theme

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WRAPPED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
_KEPT = 1000


class PaintedWidget(QWidget):
    """A widget that paints itself in the theme's colours, again when those change; `ring` frames it while it has the focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        theme.changed.connect(self._on_theme_changed)

    def draw(self, painter: QPainter) -> None:
        """Paint the content of the widget, without the focus ring; each widget has to override this."""
        raise NotImplementedError

    def tooltip_at(self, _position: QPointF) -> str | None:
        """Return the tooltip of what is painted at a pixel of the widget, "" for none.

        None means that the widget has one tooltip for all of it.
        """
        return None

    def event(self, event: QEvent) -> bool:
        """Show the tooltip that `tooltip_at` has for the place under the mouse; pass every other event on to Qt."""
        if isinstance(event, QHelpEvent) and (text := self.tooltip_at(event.pos().toPointF())) is not None:
            show_tooltip(event.globalPos(), text, self)
            return True
        return super().event(event)

    def ring(self) -> QRectF:
        """Return the rectangle of the focus ring, in pixels of this widget; an empty one draws no ring."""
        return QRectF(self.rect())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the widget's content by `draw`, and the focus ring while it has the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter)
        if self.hasFocus() and not self.ring().isEmpty():
            draw_focus_ring(painter, self.ring(), self._theme)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()


class Thumbnails:
    """Middle squares of pictures with round corners; what was prepared is kept, because scrolling paints it again and again."""

    def __init__(self, size: int, radius: float) -> None:
        self._size, self._radius = size, radius
        self._prepared: OrderedDict[tuple[int, float], QPixmap] = OrderedDict()

    def pixmap(self, image: QImage, ratio: float) -> QPixmap:
        """Return the thumbnail of a picture: its middle square with round corners.

        ratio: device pixels per logical pixel.
        """
        key = (image.cacheKey(), ratio)
        if key not in self._prepared:
            self._prepared[key] = _rounded_square(image, self._size, self._radius, ratio)
            if len(self._prepared) > _KEPT:
                self._prepared.popitem(last=False)
        self._prepared.move_to_end(key)
        return self._prepared[key]


def _rounded_square(image: QImage, size: int, radius: float, ratio: float) -> QPixmap:
    side = round(size * ratio)
    mode = Qt.TransformationMode.SmoothTransformation
    scaled = image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, mode)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipPath(rounded(QRectF(0, 0, side, side), radius * ratio))
    painter.drawImage(QPointF((side - scaled.width()) / 2, (side - scaled.height()) / 2), scaled)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def rounded(rect: QRectF, radius: float) -> QPainterPath:
    """Return the outline of a rectangle with round corners of this radius in pixels."""
    path = QPainterPath()
    path.addRoundedRect(rect, radius, radius)
    return path


def draw_box(painter: QPainter, rect: QRectF, color: QColor, radius: float = 0.0) -> None:
    """Fill a rectangle with one colour, with round corners where `radius` (in pixels) is above 0."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(rect, radius, radius)


def draw_thumbnail(painter: QPainter, place: QRectF, pixmap: QPixmap) -> None:
    """Draw a thumbnail at the top left of `place`, with a faint edge so that a white one is seen on white."""
    painter.drawPixmap(place.topLeft(), pixmap)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 40), 1))
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)


def draw_selection_bar(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Draw a short bar at the left end of `rect`, so that a selected row is marked by more than its colour."""
    draw_box(painter, QRectF(rect.left(), rect.center().y() - 12, 3, 24), theme.color("accent"), 1.5)


def draw_focus_ring(painter: QPainter, rect: QRectF, theme: Theme, radius: float = 8) -> None:
    """Draw the ring of the keyboard focus, 2 pixels wide and just inside `rect`, with corners of this radius."""
    painter.setPen(QPen(theme.color("focus"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)


def draw_mark(painter: QPainter, centre: QPointF, size: float, color: QColor, attacked: bool) -> None:
    """Draw a disc for the clean picture or, with `attacked`, a diamond for the attacked one, `size` pixels across."""
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


def draw_text(
    painter: QPainter,
    place: QRectF,
    text: str,
    theme: Theme,
    font: str | QFont = "body",
    role: str = "text",
    align: Qt.AlignmentFlag = LEFT,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    """Write one line of text into `place`, cut with an ellipsis where it is too wide.

    font: a text role of the theme, or a font. role: the name of the colour in the theme. align: the side of `place`.
    elide: which part of the text is cut.
    """
    font = theme.font(font) if isinstance(font, str) else font
    painter.setFont(font)
    painter.setPen(theme.color(role))
    # charts are not mirrored where one reads from the right, and so their words stay beside what they name
    painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    painter.drawText(place, align, QFontMetricsF(font).elidedText(text, elide, place.width()))


def in_two_lines(metrics: QFontMetricsF, text: str, width: float) -> tuple[str, str]:
    """Return `text`, a name without spaces to break at, as two lines of `width` pixels; the second is "" where one is enough.

    What is too long for both is cut in the middle of the name, so that its beginning and its end are seen.
    """
    if metrics.horizontalAdvance(text) <= width:
        return text, ""
    count = 1
    while count < len(text) and metrics.horizontalAdvance(text[: count + 1]) <= width:
        count += 1
    return text[:count], metrics.elidedText(text[count:], Qt.TextElideMode.ElideLeft, width)


def draw_empty(painter: QPainter, rect: QRectF, text: str, theme: Theme) -> None:
    """Write the text of an empty state into the middle of `rect`, muted and in as many lines as it needs."""
    painter.setFont(theme.font("body"))
    painter.setPen(theme.color("text_muted"))
    painter.drawText(rect, _WRAPPED, text)


def line_height(theme: Theme, font: str) -> float:
    """Return the height in pixels of a line in the theme's text role `font`, such as "caption"."""
    return QFontMetricsF(theme.font(font)).height()


def text_width(theme: Theme, font: str, text: str) -> float:
    """Return the width in pixels of `text` in the theme's text role `font`, such as "caption"."""
    return QFontMetricsF(theme.font(font)).horizontalAdvance(text)


def elided(metrics: QFontMetricsF, text: str, width: float) -> str:
    """Return the text, its end cut with an ellipsis where it would be wider than `width` pixels."""
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
