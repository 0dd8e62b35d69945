"""A walk through the window: one thing after the other is lit, with a card beside it that says what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QScrollBar, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

STOP = "tourStop"
"""The dynamic property by which a widget says that the tour stops at it."""

# of the card, and where nothing else has room beside what is lit
_CARD_WIDTH, _NARROW = 340, 236
_GAP, _EDGE, _RING = 14, 12, 6


@dataclass(frozen=True)
class Stop:
    """One stop. name: the STOP property of the widget that is lit, "" for none. before: done as the stop is reached.

    is_ready: asked until it is true before the tour can go on, None for at once. waiting: said meanwhile.
    """

    name: str
    title: str
    words: str
    before: Callable[[], object] | None = None
    is_ready: Callable[[], bool] | None = None
    waiting: str = ""


class GuidedTour(QWidget):
    """Lies over a window until its end. ended(): it was left, or is over."""

    ended = Signal()

    def __init__(self, theme: Theme, window: QWidget, stops: Sequence[Stop]) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self.stops = tuple(stops)
        self.number = 0
        self._target: QWidget | None = None
        # where things were before they were scrolled into sight
        self._scrolled: dict[QScrollBar, int] = {}
        self.card = QFrame(self)
        self.card.setProperty("card", True)
        self._count, self._title, self._words = text(role="caption"), text(role="heading"), text()
        self.back, self.next, self.leave = QPushButton(), QPushButton(), QPushButton(self.tr("End the tour"))
        self.back.setText(self.tr("Back"))
        self.next.setProperty("primary", True)
        self.leave.setProperty("link", True)
        above = fill(QHBoxLayout(), (self._count, 1), self.leave)
        buttons = fill(QHBoxLayout(), (None, 1), self.back, self.next, spacing=8)
        inside = (above, self._title, self._words, 4, buttons)
        self._inside = fill(QVBoxLayout(self.card), *inside, spacing=8, margins=14)
        self.setAccessibleName(self.tr("Tour of the window"))
        self.back.clicked.connect(self.on_back)
        self.next.clicked.connect(self.on_next)
        self.leave.clicked.connect(self.end)
        self._clock = QTimer(self, interval=150)
        self._clock.timeout.connect(self.refresh)
        window.installEventFilter(self)
        self.hide()

    def start(self) -> None:
        """Begin at the first stop."""
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()
        self._clock.start()
        self.go(0)

    def go(self, number: int) -> None:
        """Go to the stop of this number, from 0; beyond the last one the tour ends."""
        if number >= len(self.stops):
            self.end()
            return
        self.number = number
        stop = self.stops[number]
        if stop.before is not None:
            stop.before()
        self.refresh()
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)

    def on_next(self) -> None:
        """Go to the next stop."""
        self.go(self.number + 1)

    def on_back(self) -> None:
        """Go to the stop before."""
        self.go(max(self.number - 1, 0))

    def end(self) -> None:
        """Take the tour off the window."""
        if self.isVisible():
            self._clock.stop()
            self.hide()
            for bar, value in self._scrolled.items():
                bar.setValue(value)
            self._scrolled.clear()
            self.ended.emit()

    def refresh(self) -> None:
        """Light the widget of the stop where it is now, and say what belongs to it."""
        stop = self.stops[self.number]
        ready = stop.is_ready is None or stop.is_ready()
        is_last = self.number == len(self.stops) - 1
        self._count.setText(self.tr("{} of {}").format(self.number + 1, len(self.stops)))
        self._title.setText(stop.title)
        self._words.setText(stop.words if ready else stop.waiting)
        self.back.setEnabled(self.number > 0)
        self.next.setEnabled(ready)
        self.next.setText(self.tr("Done") if is_last else self.tr("Next"))
        self.setAccessibleDescription(f"{stop.title}. {self._words.text()}")
        before, self._target = self._target, self._lit(stop.name) if ready else None
        if self._target is not None and self._target is not before:
            self._reveal(self._target)
        places = [(width, self._place(width)) for width in (_CARD_WIDTH, _NARROW)]
        width, place = next(((width, place) for width, place in places if place is not None), (_NARROW, None))
        size = self._size(width)
        self.card.setFixedSize(size)
        self.card.move(place or self._least_in_the_way(size))
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the window; Qt handles `event` of `watched` too."""
        if watched is self._window and event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
            self.refresh()
        return False

    def event(self, event: QEvent) -> bool:
        """Keep Escape for the tour, which a page would take to cancel its work; Qt handles every other `event`."""
        is_asked = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if isinstance(event, QKeyEvent) and is_asked and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave with Escape, and walk with the arrow keys."""
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        elif event.key() == Qt.Key.Key_Right and self.next.isEnabled():
            self.on_next()
        elif event.key() == Qt.Key.Key_Left:
            self.on_back()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Keep Tab among the buttons of the card."""
        buttons = [one for one in (self.leave, self.back, self.next) if one.isEnabled()]
        focused = next((number for number, one in enumerate(buttons) if one.hasFocus()), -1)
        step = 1 if forward else -1
        buttons[(focused + step) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Dim the window but for the widget that is lit, which gets a ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shade = QPainterPath()
        shade.addRect(QRectF(self.rect()))
        lit = self.lit_rect()
        if lit is not None:
            hole = QPainterPath()
            hole.addRoundedRect(QRectF(lit), 10, 10)
            shade = shade.subtracted(hole)
        dim = QColor("#000000")
        dim.setAlphaF(0.42)
        painter.fillPath(shade, dim)
        if lit is not None:
            painter.setPen(QPen(self._theme.color("accent"), 2))
            painter.drawRoundedRect(QRectF(lit), 10, 10)

    def _lit(self, name: str) -> QWidget | None:
        if not name:
            return None
        parts = self._window.findChildren(QWidget)
        return next((one for one in parts if one.property(STOP) == name and one.isVisible()), None)

    def lit_rect(self) -> QRect | None:
        """Return what of the lit part can be seen, in the window; None where it is not shown."""
        target = self._target
        if target is None or not target.isVisible():
            return None
        place = QRect(target.mapTo(self._window, QPoint(0, 0)), target.size())
        above = target.parentWidget()
        while above is not None and above is not self._window:
            # what is scrolled out of sight cannot be lit
            place = place.intersected(QRect(above.mapTo(self._window, QPoint(0, 0)), above.size()))
            above = above.parentWidget()
        if place.isEmpty():
            return None
        return place.adjusted(-_RING, -_RING, _RING, _RING).intersected(self.rect().adjusted(2, 2, -2, -2))

    def _reveal(self, widget: QWidget) -> None:
        """Scroll a widget into sight, in whatever it scrolls; the end of the tour scrolls back."""
        above = widget.parentWidget()
        while above is not None:
            if isinstance(above, QScrollArea):
                bar = above.verticalScrollBar()
                self._scrolled.setdefault(bar, bar.value())
                above.ensureWidgetVisible(widget, 0, 8)
                top = widget.mapTo(above.viewport(), QPoint(0, 0)).y()
                if top < 0:
                    # what is higher than the area is shown from its head
                    bar.setValue(bar.value() + top - 8)
            above = above.parentWidget()

    def _size(self, width: int) -> QSize:
        """The size of the card at a width."""
        return QSize(width, self._inside.totalHeightForWidth(width))

    def _room(self) -> QRect:
        return self.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)

    def _middle(self, size: QSize) -> QPoint:
        """The corner of a card in the middle of what is lit, or of the window."""
        lit = self.lit_rect()
        return (lit or self._room()).center() - QPoint(size.width() // 2, size.height() // 2)

    def _least_in_the_way(self, size: QSize) -> QPoint:
        """The corner of the window where a card covers least of what is lit; below rather than above, right rather than left."""
        room, lit = self._room(), self.lit_rect() or QRect()

        def covered(place: QPoint) -> int:
            both = QRect(place, size).intersected(lit)
            return both.width() * both.height()

        right, bottom = room.right() - size.width(), room.bottom() - size.height()
        corners = [QPoint(x, y) for y in (bottom, room.top()) for x in (right, room.left())]
        return _moved_into(QRect(min(corners, key=covered), size), room).topLeft()

    def _place(self, width: int) -> QPoint | None:
        """Below the lit widget, or above, right or left of it: the first place with room; None where there is none."""
        size, room, lit = self._size(width), self._room(), self.lit_rect()
        middle = self._middle(size)
        if lit is None:
            return middle
        wanted = (
            QPoint(middle.x(), lit.bottom() + _GAP),
            QPoint(middle.x(), lit.top() - _GAP - size.height()),
            QPoint(lit.right() + _GAP, middle.y()),
            QPoint(lit.left() - _GAP - size.width(), middle.y()),
        )
        every = (_moved_into(QRect(place, size), room) for place in wanted)
        return next((inside.topLeft() for inside in every if not inside.intersects(lit)), None)


def _moved_into(rect: QRect, room: QRect) -> QRect:
    """The rectangle, moved as little as it takes to lie inside."""
    limit = QSize(max(room.width() - rect.width(), 0), max(room.height() - rect.height(), 0))
    left = min(max(rect.left(), room.left()), room.left() + limit.width())
    top = min(max(rect.top(), room.top()), room.top() + limit.height())
    return QRect(QPoint(left, top), rect.size())
