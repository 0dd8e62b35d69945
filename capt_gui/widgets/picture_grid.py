"""Pictures as tiles, as many as there are."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem, QWidget

from capt_gui.roles import PictureRole
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import CardDelegate, CardList, Index, set_up_view
from capt_gui.widgets.painting import draw_box, draw_text, draw_thumbnail, line_height

_THUMB = 80
_PAD = 6
_TILE = _THUMB + 2 * _PAD
_GONE = 0.25


class PictureGrid(CardList):
    """`current_changed(path)`; `toggled(paths)` when Space or Delete is pressed: leave these out, or take them back."""

    toggled = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._delegate = PictureDelegate(theme)
        super().__init__(self._delegate, parent)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        set_up_view(self)
        self.setAccessibleName(self.tr("Pictures of the class"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width among the tiles of a row, so that no empty margin is left at its end."""
        # Qt leaves room for the scroll bar in its layout, whether it is there or not
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        needs_bar = self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAsNeeded
        room = self.maximumViewportSize().width() - (bar if needs_bar else 0) - 1
        width = max(room // max(room // _TILE, 1), _TILE)
        if width != self._delegate.width:
            self._delegate.width = width
            # tiles of one size are measured once, unless the view is told
            self.scheduleDelayedItemsLayout()
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `toggled` with the selected pictures' paths on Space, Delete or Backspace; nothing is left out here."""
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() in (
            Qt.Key.Key_Backspace,
            Qt.Key.Key_Space,
        )
        if removes and (paths := self.selected_keys()):
            self.toggled.emit(paths)
            event.accept()
        else:
            super().keyPressEvent(event)


class PictureDelegate(CardDelegate):
    """The picture over one line of text with a coloured mark."""

    has_bar = False
    thumbnail_size = _THUMB

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        # of a tile, with the air around its picture
        self.width = _TILE

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the size of a tile in pixels, which is the same for all tiles."""
        return QSize(self.width, round(_THUMB + line_height(self.theme, "caption")) + 2 * _PAD + 4)

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """Paint the picture `index` with its caption and coloured mark, faint and with a minus if it is left out."""
        theme, ratio = self.theme, painter.device().devicePixelRatioF()
        thumb = QRectF(card.center().x() - _THUMB / 2, card.top() + _PAD - 1, _THUMB, _THUMB)
        gone = bool(index.data(PictureRole.LEFT_OUT))
        painter.setOpacity(_GONE if gone else 1.0)
        self._draw_thumbnail(painter, thumb, index, ratio)
        painter.setOpacity(1.0)
        if gone:
            painter.drawPixmap(thumb.center() - QPointF(12, 12), theme.pixmap("minus", 24, "text", ratio))
        line = QRectF(thumb.left() + 1, thumb.bottom() + 3, _THUMB - 1, card.bottom() - thumb.bottom() - 5)
        if tone := str(index.data(PictureRole.TONE) or ""):
            draw_box(painter, QRectF(line.left(), line.center().y() - 4, 8, 8), theme.color(tone), 2.5)
            line.setLeft(line.left() + 13)
        draw_text(painter, line, str(index.data(PictureRole.CAPTION) or ""), theme, "caption", "text_muted")

    def _draw_thumbnail(self, painter: QPainter, place: QRectF, index: Index, ratio: float) -> None:
        broken = bool(index.data(PictureRole.BROKEN))
        image = None if broken else index.data(PictureRole.THUMBNAIL)
        if isinstance(image, QImage) and not image.isNull():
            draw_thumbnail(painter, place, self.thumbnails.pixmap(image, ratio))
            return
        draw_box(painter, place, self.theme.color("surface_raised"), 8)
        name, role = ("state-failed", "warning") if broken else ("picture", "control")
        painter.drawPixmap(place.center() - QPointF(12, 12), self.theme.pixmap(name, 24, role, ratio))
