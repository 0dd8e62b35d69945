"""The painter of one row of the gallery."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QImage, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided
from capt_gui.widgets.side_badge import SIDES, draw_side

_THUMB = 52
_PAD = 8
_KEPT = 400
_SIDE = 14
_SYMBOLS = {
    "waiting": ("state-waiting", "text_muted"),
    "ready": ("state-ready", "text_muted"),
    "running": ("state-running", "accent"),
    "held": ("state-held", "ok"),
    "broken": ("state-broken", "broken"),
    "failed": ("state-failed", "warning"),
}

_Index = QModelIndex | QPersistentModelIndex


class GalleryDelegate(QStyledItemDelegate):
    """Thumbnail, name, one-line caption, and the state as a symbol with its own shape."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pictures: OrderedDict[tuple[int, float], QPixmap] = OrderedDict()
        self.paints = 0

    def forget_pictures(self) -> None:
        """Drop the prepared thumbnails."""
        self._pictures.clear()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """The same for every row, so that the view need not ask again."""
        return QSize(200, _THUMB + 3 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one card."""
        self.paints += 1
        state = str(index.data(GalleryRole.STATE) or "waiting")
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(option.rect).adjusted(4, _PAD / 4, -4, -_PAD / 4)
        self._paint_card(painter, card, option)
        ratio = painter.device().devicePixelRatioF()
        thumb = QRectF(card.left() + _PAD, card.center().y() - _THUMB / 2, _THUMB, _THUMB)
        self._paint_thumbnail(painter, thumb, index.data(GalleryRole.THUMBNAIL), ratio)
        sides = tuple(index.data(GalleryRole.SIDES) or ())
        left = thumb.right() + 16
        words = QRectF(left, card.top(), card.right() - _PAD - left, card.height())
        name = str(index.data(GalleryRole.NAME) or "")
        if sides:
            self._paint_sides(painter, words, name, sides, ratio)
        else:
            self._paint_state(painter, thumb, state, option, ratio)
            self._paint_words(painter, words, name, self._caption(index, state), state)
        painter.restore()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """The tooltip: the full name, and what there is to say about the picture."""
        if event.type() != QHelpEvent.Type.ToolTip or not index.isValid():
            return super().helpEvent(event, view, option, index)
        state = str(index.data(GalleryRole.STATE) or "waiting")
        lines = [str(index.data(role) or "") for role in (GalleryRole.NAME, GalleryRole.CAPTION, GalleryRole.MESSAGE)]
        sides = tuple(index.data(GalleryRole.SIDES) or ())
        lines += [f"{side.upper()}: {self.state_words(own)}" for side, (own, _) in zip(SIDES, sides, strict=False)]
        if not sides:
            lines.append(self.state_words(state))
        QToolTip.showText(event.globalPos(), "\n".join(dict.fromkeys(line for line in lines if line)), view)
        return True

    def state_words(self, state: str) -> str:
        """A state in plain words."""
        return {
            "waiting": self.tr("Being read"),
            "ready": self.tr("Ready"),
            "running": self.tr("Under attack now"),
            "held": self.tr("Survived: still the same answer"),
            "broken": self.tr("Flipped: the answer changed"),
            "failed": self.tr("Could not be used"),
        }.get(state, "")

    def _caption(self, index: _Index, state: str) -> str:
        return str(index.data(GalleryRole.CAPTION) or "") or self.state_words(state)

    def _paint_card(self, painter: QPainter, card: QRectF, option: QStyleOptionViewItem) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground(option))
        painter.drawRoundedRect(card, 10, 10)
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus_ring(painter, card, self._theme, 9)
        elif option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(self._theme.color("accent"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(card.left(), card.center().y() - 12, 3, 24), 1.5, 1.5)

    def _paint_thumbnail(self, painter: QPainter, rect: QRectF, image: object, ratio: float) -> None:
        if isinstance(image, QImage) and not image.isNull():
            painter.drawPixmap(rect.topLeft(), self._prepared(image, ratio))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("surface_raised"))
            painter.drawRoundedRect(rect, 8, 8)
            symbol = self._theme.pixmap("picture", 22, "control", ratio)
            painter.drawPixmap(rect.center() - QPointF(11, 11), symbol)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 40), 1))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _paint_state(
        self, painter: QPainter, thumb: QRectF, state: str, option: QStyleOptionViewItem, ratio: float
    ) -> None:
        """The symbol as a badge on the corner of the thumbnail, on a disc of the colour behind the card."""
        symbol, role = _SYMBOLS.get(state, _SYMBOLS["waiting"])
        centre = thumb.bottomRight() - QPointF(2, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground(option))
        painter.drawEllipse(centre, 11, 11)
        painter.drawPixmap(centre - QPointF(9, 9), self._theme.pixmap(symbol, 18, role, ratio))

    def _ground(self, option: QStyleOptionViewItem) -> QColor:
        if option.state & QStyle.StateFlag.State_Selected:
            return self._theme.color("accent_soft")
        hovered = option.state & QStyle.StateFlag.State_MouseOver
        return self._theme.color("surface_raised" if hovered else "surface")

    def _prepared(self, image: QImage, ratio: float) -> QPixmap:
        """The middle square of a picture with round corners; kept, because scrolling paints it again and again."""
        key = (image.cacheKey(), ratio)
        if key in self._pictures:
            self._pictures.move_to_end(key)
            return self._pictures[key]
        side = round(_THUMB * ratio)
        mode = Qt.TransformationMode.SmoothTransformation
        scaled = image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, mode)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addRoundedRect(QRectF(0, 0, side, side), 8 * ratio, 8 * ratio)
        painter.setClipPath(path)
        painter.drawImage(QPointF((side - scaled.width()) / 2, (side - scaled.height()) / 2), scaled)
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        self._pictures[key] = pixmap
        if len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        return pixmap

    def _paint_sides(
        self, painter: QPainter, rect: QRectF, name: str, sides: tuple[tuple[str, str], ...], ratio: float
    ) -> None:
        """The name, and a line for each side: its mark, what became of it as a symbol, and in words."""
        title, small = self._theme.font("body"), self._theme.font("caption")
        title_metrics, small_metrics = QFontMetricsF(title), QFontMetricsF(small)
        line = max(small_metrics.height(), _SIDE) + 1
        top = rect.center().y() - (title_metrics.height() + 2 + 2 * line) / 2
        painter.setFont(title)
        painter.setPen(self._theme.color("text"))
        shown = title_metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(QPointF(rect.left(), top + title_metrics.ascent()), shown)
        top += title_metrics.height() + 2
        for side, (state, caption) in zip(SIDES, sides, strict=False):
            middle = top + line / 2
            draw_side(painter, QRectF(rect.left(), middle - _SIDE / 2, _SIDE, _SIDE), self._theme, side)
            symbol, role = _SYMBOLS.get(state, _SYMBOLS["waiting"])
            corner = QPointF(rect.left() + _SIDE + 4, middle - _SIDE / 2)
            painter.drawPixmap(corner, self._theme.pixmap(symbol, _SIDE, role, ratio))
            left = rect.left() + 2 * _SIDE + 9
            painter.setFont(small)
            painter.setPen(self._theme.color("text_muted"))
            baseline = middle + (small_metrics.ascent() - small_metrics.descent()) / 2
            painter.drawText(QPointF(left, baseline), elided(small_metrics, caption, rect.right() - left))
            top += line

    def _paint_words(self, painter: QPainter, rect: QRectF, name: str, caption: str, state: str) -> None:
        title, small = self._theme.font("body"), self._theme.font("caption")
        title_metrics, small_metrics = QFontMetricsF(title), QFontMetricsF(small)
        top = rect.center().y() - (title_metrics.height() + small_metrics.height() + 3) / 2
        painter.setFont(title)
        painter.setPen(self._theme.color("text"))
        shown = title_metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(QPointF(rect.left(), top + title_metrics.ascent()), shown)
        painter.setFont(small)
        painter.setPen(self._theme.color("warning" if state == "failed" else "text_muted"))
        baseline = top + title_metrics.height() + 3 + small_metrics.ascent()
        painter.drawText(QPointF(rect.left(), baseline), elided(small_metrics, caption, rect.width()))
