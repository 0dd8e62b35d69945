"""Pictures as tiles, as many as there are."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from capt_gui.roles import PictureRole
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

THUMB = 80
_PAD = 6
TILE = THUMB + 2 * _PAD
_KEPT = 400
_GONE = 0.25

_Index = QModelIndex | QPersistentModelIndex


class PictureGrid(QListView):
    """`current_changed(path)`; `toggled(paths)` when Space or Delete is pressed: leave these out, or take them back."""

    current_changed = Signal(str)
    toggled = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._delegate = PictureDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        # Tab leaves the grid, the arrows move in it
        self.setTabKeyNavigation(False)
        self.verticalScrollBar().setSingleStep(24)
        self.setAccessibleName(self.tr("Pictures of the class"))
        theme.changed.connect(self._on_theme_changed)

    def current_path(self) -> str:
        """The current picture, empty when there is none."""
        return _path(self.currentIndex())

    def selected_paths(self) -> list[str]:
        """The selected pictures, from the top."""
        return [_path(index) for index in sorted(self.selectedIndexes(), key=lambda index: index.row())]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width among the tiles of a row, so that no empty margin is left at its end."""
        # Qt leaves room for the scroll bar in its layout, whether it is there or not
        bar = self.verticalScrollBar().sizeHint().width()
        needs_bar = self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAsNeeded
        room = self.maximumViewportSize().width() - (bar if needs_bar else 0) - 1
        width = max(room // max(room // TILE, 1), TILE)
        if width != self._delegate.width:
            self._delegate.width = width
            # tiles of one size are measured once, unless the view is told
            self.scheduleDelayedItemsLayout()
        super().resizeEvent(event)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Say which picture is current."""
        super().currentChanged(current, previous)
        self.current_changed.emit(_path(current))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, Delete and Backspace leave the selected pictures out or take them back."""
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() in (
            Qt.Key.Key_Backspace,
            Qt.Key.Key_Space,
        )
        if removes and (paths := self.selected_paths()):
            self.toggled.emit(paths)
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self._delegate.forget()
        self.viewport().update()


class PictureDelegate(QStyledItemDelegate):
    """The picture over one line of words with a coloured mark."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._prepared: OrderedDict[tuple[int, float], QPixmap] = OrderedDict()
        # of a tile, with the air around its picture
        self.width = TILE

    def forget(self) -> None:
        """Drop the prepared thumbnails."""
        self._prepared.clear()

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """The same for every tile."""
        words = QFontMetricsF(self._theme.font("caption")).height()
        return QSize(self.width, round(THUMB + words) + 2 * _PAD + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one tile."""
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tile = QRectF(option.rect).adjusted(1, 1, -1, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft" if selected else "surface_raised"))
            painter.drawRoundedRect(tile, 10, 10)
        ratio = painter.device().devicePixelRatioF()
        thumb = QRectF(tile.center().x() - THUMB / 2, tile.top() + _PAD - 1, THUMB, THUMB)
        gone = bool(index.data(PictureRole.LEFT_OUT))
        painter.setOpacity(_GONE if gone else 1.0)
        self._paint_thumbnail(painter, thumb, index, ratio)
        painter.setOpacity(1.0)
        if gone:
            painter.drawPixmap(thumb.center() - QPointF(12, 12), theme.pixmap("minus", 24, "text", ratio))
        self._paint_words(
            painter, QRectF(thumb.left(), thumb.bottom() + 3, THUMB, tile.bottom() - thumb.bottom() - 5), index
        )
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus_ring(painter, tile, theme, 9)
        painter.restore()

    def _paint_words(self, painter: QPainter, rect: QRectF, index: _Index) -> None:
        theme, left = self._theme, rect.left() + 1
        tone = str(index.data(PictureRole.TONE) or "")
        if tone:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone))
            painter.drawRoundedRect(QRectF(left, rect.center().y() - 4, 8, 8), 2.5, 2.5)
            left += 13
        font = theme.font("caption")
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(theme.color("text_muted"))
        baseline = rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
        words = str(index.data(PictureRole.CAPTION) or "")
        painter.drawText(QPointF(left, baseline), elided(metrics, words, rect.right() - left))

    def _paint_thumbnail(self, painter: QPainter, rect: QRectF, index: _Index, ratio: float) -> None:
        broken = bool(index.data(PictureRole.BROKEN))
        image = None if broken else index.data(PictureRole.THUMBNAIL)
        if isinstance(image, QImage) and not image.isNull():
            painter.drawPixmap(rect.topLeft(), self._rounded(image, ratio))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(0, 0, 0, 40), 1))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("surface_raised"))
        painter.drawRoundedRect(rect, 8, 8)
        name, role = ("state-failed", "warning") if broken else ("picture", "control")
        painter.drawPixmap(rect.center() - QPointF(12, 12), self._theme.pixmap(name, 24, role, ratio))

    def _rounded(self, image: QImage, ratio: float) -> QPixmap:
        key = (image.cacheKey(), ratio)
        pixmap = self._prepared.get(key)
        if pixmap is None:
            pixmap = rounded_square(image, THUMB, 8, ratio)
            self._prepared[key] = pixmap
            if len(self._prepared) > _KEPT:
                self._prepared.popitem(last=False)
        return pixmap


def rounded_square(image: QImage, size: int, radius: float, ratio: float) -> QPixmap:
    """The middle square of a picture with round corners, `size` logical pixels wide."""
    side = round(size * ratio)
    mode = Qt.TransformationMode.SmoothTransformation
    scaled = image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, mode)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath()
    path.addRoundedRect(QRectF(0, 0, side, side), radius * ratio, radius * ratio)
    painter.setClipPath(path)
    painter.drawImage(QPointF((side - scaled.width()) / 2, (side - scaled.height()) / 2), scaled)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _path(index: _Index) -> str:
    return str(index.data(PictureRole.PATH) or "") if index.isValid() else ""
