"""The list of pictures with their thumbnails and states."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QImage, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyleOptionViewItem, QWidget

from capt_gui.plain_text import show_tooltip
from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import CardDelegate, CardList, Index
from capt_gui.widgets.painting import Thumbnails, draw_box, draw_text, draw_thumbnail, in_two_lines, line_height
from capt_gui.widgets.side_badge import SIDES, draw_side

_THUMB = 52
_PAD = 8
_SIDE = 14
# where a name has less room than so many pixels, it takes two lines of small letters beside a smaller thumbnail
_TIGHT = 96
_SMALL_THUMB = 40
# a caption with less room than this would be an ellipsis
_FEW_LETTERS = 40
SYMBOLS = {
    "waiting": ("state-waiting", "text_muted"),
    "ready": ("state-ready", "text_muted"),
    "running": ("state-running", "accent"),
    # Where nobody said what is right, no answer is good or bad.
    "kept": ("state-held", "text_muted"),
    "changed": ("state-broken", "text"),
    "right": ("check", "ok"),
    "held": ("state-held", "ok"),
    "broken": ("state-broken", "broken"),
    "wrong": ("close", "broken"),
    "corrected": ("check", "text_muted"),
    "failed": ("state-failed", "warning"),
}


class GalleryView(CardList):
    """Thumbnail cards, one below the other; stays quick with ten thousand of them. `opened(path)` on a double click and on Return."""

    remove_requested = Signal(list)
    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(GalleryDelegate(theme), parent)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(500)
        self.setMinimumWidth(140)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.doubleClicked.connect(self._on_double_clicked)
        self.setAccessibleName(self.tr("Pictures"))
        self.setAccessibleDescription(self.tr("Up and down choose a picture, Delete takes it off the list"))

    def select_path(self, path: str) -> None:
        """Make the row of the picture with this path current; nothing happens when no row has it."""
        model = self.model()
        for row in range(model.rowCount() if model else 0):
            if model.index(row, 0).data(GalleryRole.PATH) == path:
                self.setCurrentIndex(model.index(row, 0))
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `remove_requested` with the selected pictures' paths on Delete or Backspace; nothing is removed here."""
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace
        if removes and (paths := self.selected_keys()):
            self.remove_requested.emit(paths)
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (path := self.current_key()):
            self.opened.emit(path)
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_double_clicked(self, index: Index) -> None:
        self.opened.emit(str(index.data(GalleryRole.PATH) or ""))


class GalleryDelegate(CardDelegate):
    """Thumbnail, name, one-line caption, and the state as a symbol with its own shape."""

    inset = (4.0, _PAD / 4)
    thumbnail_size = _THUMB

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._small_thumbnails = Thumbnails(_SMALL_THUMB, 8)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the size of a row in pixels, the same for all rows, so that the view need not measure each."""
        return QSize(140, _THUMB + 3 * _PAD)

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """Paint thumbnail, name and caption of the picture `index` with its state, or one state for each model compared."""
        state = str(index.data(GalleryRole.STATE) or "waiting")
        ratio = painter.device().devicePixelRatioF()
        tight = card.width() - 2 * _PAD - _THUMB - 16 < _TIGHT
        size = _SMALL_THUMB if tight else _THUMB
        thumb = QRectF(card.left() + _PAD, card.center().y() - size / 2, size, size)
        image = index.data(GalleryRole.THUMBNAIL)
        if isinstance(image, QImage) and not image.isNull():
            kept = self._small_thumbnails if tight else self.thumbnails
            draw_thumbnail(painter, thumb, kept.pixmap(image, ratio))
        else:
            draw_box(painter, thumb, self.theme.color("surface_raised"), 8)
            painter.drawPixmap(thumb.center() - QPointF(11, 11), self.theme.pixmap("picture", 22, "control", ratio))
        left = thumb.right() + (10 if tight else 16)
        room = QRectF(left, card.top(), card.right() - (4 if tight else _PAD) - left, card.height())
        sides = tuple(index.data(GalleryRole.SIDES) or ())
        line = max(line_height(self.theme, "caption"), _SIDE + 1 if sides else 0)
        font = "caption" if tight else "body"
        whole = str(index.data(GalleryRole.NAME) or "")
        names = [whole]
        if tight:
            names = [one for one in in_two_lines(QFontMetricsF(self.theme.font(font)), whole, room.width()) if one]
        name = line_height(self.theme, font)
        room.setTop(room.center().y() - (len(names) * name + 3 + max(len(sides), 1) * line) / 2)
        room.setHeight(name)
        for one in names:
            draw_text(painter, room, one, self.theme, font, elide=Qt.TextElideMode.ElideMiddle)
            room.translate(0, name)
        room = QRectF(left, room.top() + 3, room.width(), line)
        for side, (own, caption) in zip(SIDES, sides, strict=False):
            corner = QPointF(left, room.center().y() - _SIDE / 2)
            draw_side(painter, QRectF(corner.x(), corner.y(), _SIDE, _SIDE), self.theme, side)
            symbol, role = SYMBOLS.get(own, SYMBOLS["waiting"])
            painter.drawPixmap(corner + QPointF(_SIDE + 4, 0), self.theme.pixmap(symbol, _SIDE, role, ratio))
            beside = room.adjusted(2 * _SIDE + 9, 0, 0, 0)
            if beside.width() >= _FEW_LETTERS:
                draw_text(painter, beside, caption, self.theme, "caption", "text_muted")
            room.translate(0, line)
        if not sides:
            self._draw_state(painter, thumb.bottomRight() - QPointF(2, 4), state, ratio)
            caption = str(index.data(GalleryRole.CAPTION) or "") or self.state_text(state)
            role = "warning" if state == "failed" else "text_muted"
            draw_text(painter, room, caption, self.theme, "caption", role)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        """Show the tooltip of the picture `index`: its full name, its caption, its message and its state.

        Returns True if shown.
        """
        if event.type() != QHelpEvent.Type.ToolTip or not index.isValid():
            return super().helpEvent(event, view, option, index)
        lines = [str(index.data(role) or "") for role in (GalleryRole.NAME, GalleryRole.CAPTION, GalleryRole.MESSAGE)]
        sides = tuple(index.data(GalleryRole.SIDES) or ())
        lines += [f"{side.upper()}: {self.state_text(own)}" for side, (own, _) in zip(SIDES, sides, strict=False)]
        if not sides:
            lines.append(self.state_text(str(index.data(GalleryRole.STATE) or "waiting")))
        show_tooltip(event.globalPos(), "\n".join(dict.fromkeys(line for line in lines if line)), view)
        return True

    def state_text(self, state: str) -> str:
        """Return the words for a state of a picture, such as "Ready" for "ready"; "" for an unknown one."""
        return {
            "waiting": self.tr("Being read"),
            "ready": self.tr("Ready"),
            "running": self.tr("Under attack now"),
            "kept": self.tr("Still the same answer; nobody said if it is right"),
            "changed": self.tr("The answer changed; nobody said which is right"),
            "right": self.tr("Right"),
            "held": self.tr("Held: right before the attack and after it"),
            "broken": self.tr("Fooled: right before the attack, wrong after it"),
            "wrong": self.tr("Wrong, also without an attack"),
            "corrected": self.tr("Wrong before; the attack made it right"),
            "failed": self.tr("Could not be used"),
        }.get(state, "")

    def _draw_state(self, painter: QPainter, centre: QPointF, state: str, ratio: float) -> None:
        """Paint the symbol as a badge on the corner of the thumbnail, on a disc of the colour behind the card."""
        symbol, role = SYMBOLS.get(state, SYMBOLS["waiting"])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color(self.ground))
        painter.drawEllipse(centre, 11, 11)
        painter.drawPixmap(centre - QPointF(9, 9), self.theme.pixmap(symbol, 18, role, ratio))
