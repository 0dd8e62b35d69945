"""Classes as bars of four parts, each with its number."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyleOptionViewItem, QWidget

from capt_gui.roles import ClassRole
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import CardDelegate, CardList, Index
from capt_gui.widgets.painting import draw_box, draw_text, line_height, rounded

_ROW = 46
_BAR = 14
_PAD = 12
_GAP = 2
_LEAST = 3.0


class SplitBars(CardList):
    """`current_changed(name)`; `entered_row(name)` for Return. The widest bar is that of the largest class."""

    entered_row = Signal(str)

    def __init__(self, theme: Theme, tones: tuple[str, ...], parent: QWidget | None = None) -> None:
        """tones: the role of the theme that colours each part."""
        self._delegate = SplitDelegate(theme, tones)
        super().__init__(self._delegate, parent)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(self.tr("What the pictures of each class are used for"))
        self.setAccessibleDescription(self.tr("Up and down choose a class, Return goes to its pictures"))

    def set_largest(self, pictures: int) -> None:
        """Set the number of pictures that a bar of the full width stands for; at least 1."""
        self._delegate.largest = max(pictures, 1)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit `entered_row` with the name of the current class on Return, to go to its pictures."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_key():
            self.entered_row.emit(self.current_key())
            event.accept()
        else:
            super().keyPressEvent(event)


class SplitDelegate(CardDelegate):
    """The name with the four numbers over the bar."""

    def __init__(self, theme: Theme, tones: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._tones = tones
        self.largest = 1

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the size of a row in pixels, which is the same for all rows."""
        return QSize(200, _ROW)

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """Paint the name of the class `index`, the numbers of pictures for each use, and the bar divided by them."""
        parts = tuple(index.data(ClassRole.PARTS) or ())
        room = card.adjusted(_PAD, 5, -_PAD, -6)
        line = QRectF(room.left(), room.top(), room.width(), line_height(self.theme, "strong"))
        line.setRight(self._draw_numbers(painter, line, parts) - _PAD)
        draw_text(painter, line, str(index.data(ClassRole.NAME) or ""), self.theme, "strong")
        self._draw_bar(painter, QRectF(room.left(), room.bottom() - _BAR, room.width(), _BAR), parts)

    def _draw_numbers(self, painter: QPainter, line: QRectF, parts: tuple[int, ...]) -> float:
        """Paint the numbers from the right, each behind a mark of its colour; return where they begin."""
        theme, left = self.theme, line.right()
        # columns of one width, so that numbers stand below each other
        width = QFontMetricsF(theme.font("caption")).horizontalAdvance(f"{self.largest:,}") + 20
        for count, tone in zip(reversed(parts), reversed(self._tones), strict=True):
            left -= width
            draw_box(painter, QRectF(left + 4, line.center().y() - 3.5, 7, 7), theme.color(tone), 2.5)
            place = QRectF(left + 15, line.top(), width, line.height())
            draw_text(painter, place, f"{count:,}", theme, "caption", "text" if count else "text_muted")
        return left

    def _draw_bar(self, painter: QPainter, place: QRectF, parts: tuple[int, ...]) -> None:
        theme, total = self.theme, sum(parts)
        if not total:
            return
        shown = [(count, tone) for count, tone in zip(parts, self._tones, strict=True) if count]
        width = max(place.width() * total / self.largest, len(shown) * (_LEAST + _GAP))
        bar = QRectF(place.left(), place.top(), min(width, place.width()), place.height())
        painter.save()
        painter.setClipPath(rounded(bar, 4))
        room = bar.width() - _GAP * (len(shown) - 1)
        left = bar.left()
        for count, tone in shown:
            own = max(room * count / total, _LEAST)
            color = theme.mixed(tone, 0.35) if tone == "control" else theme.color(tone)
            draw_box(painter, QRectF(left, bar.top(), own, bar.height()), color)
            left += own + _GAP
        painter.restore()
