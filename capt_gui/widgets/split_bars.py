"""Classes as bars of four parts, each with its number."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPainterPath
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from capt_gui.roles import ClassRole
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

_ROW = 46
_BAR = 14
_PAD = 12
_GAP = 2
_LEAST = 3.0

_Index = QModelIndex | QPersistentModelIndex


class SplitBars(QListView):
    """`current_changed(name)`; `entered_row(name)` for Return. The widest bar is that of the largest class."""

    current_changed = Signal(str)
    entered_row = Signal(str)

    def __init__(self, theme: Theme, tones: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._delegate = SplitDelegate(theme, tones, self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(24)
        self.setAccessibleName(self.tr("What the pictures of each class are used for"))
        self.setAccessibleDescription(self.tr("Up and down choose a class, Return goes to its pictures"))
        theme.changed.connect(self.viewport().update)

    def set_largest(self, pictures: int) -> None:
        """Set the number of pictures that the longest bar stands for."""
        self._delegate.largest = max(pictures, 1)
        self.viewport().update()

    def current_name(self) -> str:
        """The current class, empty when there is none."""
        return _name(self.currentIndex())

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        """Say which class is current."""
        super().currentChanged(current, previous)
        self.current_changed.emit(_name(current))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return goes to the pictures."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_name():
            self.entered_row.emit(self.current_name())
            event.accept()
        else:
            super().keyPressEvent(event)


class SplitDelegate(QStyledItemDelegate):
    """The name with the four numbers over the bar."""

    def __init__(self, theme: Theme, tones: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tones = tones
        self.largest = 1

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        """The same for every row."""
        return QSize(200, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        theme = self._theme
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(1, 1, -1, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(Qt.PenStyle.NoPen)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.color("accent_soft" if selected else "surface_raised"))
            painter.drawRoundedRect(rect, 9, 9)
        if selected:
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(rect.left(), rect.center().y() - 12, 3, 24), 1.5, 1.5)
        parts = tuple(index.data(ClassRole.PARTS) or ())
        room = rect.adjusted(_PAD, 5, -_PAD, -6)
        numbers = self._paint_numbers(painter, room, parts)
        font = theme.font("strong")
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        name = elided(metrics, str(index.data(ClassRole.NAME) or ""), numbers - room.left() - _PAD)
        painter.drawText(QPointF(room.left(), room.top() + metrics.ascent()), name)
        self._paint_bar(painter, QRectF(room.left(), room.bottom() - _BAR, room.width(), _BAR), parts)
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus_ring(painter, rect, theme, 8)
        painter.restore()

    def _paint_numbers(self, painter: QPainter, room: QRectF, parts: tuple[int, ...]) -> float:
        """The numbers from the right, each behind a mark of its colour; answers where they begin."""
        theme = self._theme
        font = theme.font("caption")
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        left = room.right()
        middle = room.top() + QFontMetricsF(theme.font("strong")).height() / 2
        # columns of one width, so that numbers stand below each other
        width = metrics.horizontalAdvance(f"{self.largest:,}") + 20
        for count, tone in zip(reversed(parts), reversed(self._tones), strict=True):
            left -= width
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tone))
            painter.drawRoundedRect(QRectF(left + 4, middle - 3.5, 7, 7), 2.5, 2.5)
            painter.setPen(theme.color("text" if count else "text_muted"))
            baseline = middle + (metrics.ascent() - metrics.descent()) / 2
            painter.drawText(QPointF(left + 15, baseline), f"{count:,}")
        return left

    def _paint_bar(self, painter: QPainter, place: QRectF, parts: tuple[int, ...]) -> None:
        theme, total = self._theme, sum(parts)
        if not total:
            return
        shown = [(count, tone) for count, tone in zip(parts, self._tones, strict=True) if count]
        width = max(place.width() * total / self.largest, len(shown) * (_LEAST + _GAP))
        bar = QRectF(place.left(), place.top(), min(width, place.width()), place.height())
        clip = QPainterPath()
        clip.addRoundedRect(bar, 4, 4)
        painter.save()
        painter.setClipPath(clip)
        painter.setPen(Qt.PenStyle.NoPen)
        room = bar.width() - _GAP * (len(shown) - 1)
        left = bar.left()
        for count, tone in shown:
            own = max(room * count / total, _LEAST)
            painter.setBrush(theme.mixed(tone, 0.35) if tone == "control" else theme.color(tone))
            painter.drawRect(QRectF(left, bar.top(), own, bar.height()))
            left += own + _GAP
        painter.restore()


def _name(index: _Index) -> str:
    return str(index.data(ClassRole.NAME) or "") if index.isValid() else ""
