"""Zoom and pointing that charts over a pyqtgraph view share."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QRubberBand, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import PaintedWidget

_STEP = 1.25
_ZOOM_KEYS = {Qt.Key.Key_Plus: _STEP**2, Qt.Key.Key_Equal: _STEP**2, Qt.Key.Key_Minus: _STEP**-2}


class PlotChart(PaintedWidget):
    """A chart that can be looked at closer. `zoom_changed()` when more or less of it is in sight.

    Dragging draws the part to look at, the wheel (with Ctrl, or once the chart has the focus) and + and − look closer and wider, Shift
    and dragging moves, a double click, 0 or Escape shows everything again. The view itself lets the mouse through, so that the wheel
    otherwise scrolls the page, and pointing is one code path.
    """

    zoom_changed = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        # pyqtgraph's view and the box of its coordinates, made when there is something to draw
        self._view: Any = None
        self._box: Any = None
        self._whole = QRectF(0, 0, 1, 1)
        self._seen = QRectF(self._whole)
        # the smallest part, as shares of everything, that is worth looking at
        self._least = (0.002, 0.002)
        self._pressed: QPointF | None = None
        self._moved: QRectF | None = None
        self._band = QRubberBand(QRubberBand.Shape.Rectangle, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(name)

    def plot_rect(self) -> QRectF:
        """Return the rectangle of the plot without its axes, in pixels of this widget; empty before it is drawn."""
        if self._box is None:
            return QRectF()
        rect: QRectF = self._box.sceneBoundingRect()
        return rect.translated(QPointF(self._view.pos()))

    def seen_rect(self) -> QRectF:
        """Return the part of the plot that is in sight, in coordinates of the values."""
        return QRectF(self._seen)

    def is_zoomed(self) -> bool:
        """Return True while less than everything is in sight."""
        size, whole = self._seen.size(), self._whole.size()
        return size.width() < whole.width() * 0.9999 or size.height() < whole.height() * 0.9999

    def reset_zoom(self) -> None:
        """Show everything there is in the chart."""
        self._look_at(self._whole)

    def zoom(self, factor: float, spot: QPointF | None = None) -> None:
        """Enlarge what is in sight by `factor` (below 1 shrinks it), but never show more than everything.

        spot: the point that stays where it is, in coordinates of the values; None for the middle.
        """
        seen = self._seen
        at = seen.center() if spot is None else spot
        part = QRectF(0, 0, seen.width() / factor, seen.height() / factor)
        part.moveTopLeft(at - (at - seen.topLeft()) / factor)
        self._look_at(part)

    def point_at(self, spot: QPointF | None) -> None:
        """Point at what is drawn at `spot`, in coordinates of the values; None for nothing.

        Each chart has to override this.
        """
        raise NotImplementedError

    def click_at(self, spot: QPointF) -> None:
        """Answer a click at `spot`, in coordinates of the values; does nothing unless a chart overrides this."""

    def spot_at(self, position: QPointF) -> QPointF | None:
        """Return the coordinates of the values at a pixel of this widget; None beside the plot or without one."""
        rect = self.plot_rect()
        if self._view is None or not self._view.isVisible() or not rect.contains(position):
            return None
        return self._spot(position, rect)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at what is under the mouse; with a button held, draw the part to zoom to, or move the part in sight."""
        if self._pressed is None:
            self.point_at(self.spot_at(event.position()))
            return
        moved = event.position() - self._pressed
        if self._moved is not None:
            rect = self.plot_rect()
            across, down = self._moved.width() / rect.width(), self._moved.height() / rect.height()
            self._look_at(self._moved.translated(-moved.x() * across, moved.y() * down * self._down()))
        elif moved.manhattanLength() >= QApplication.startDragDistance():
            self._band.setGeometry(self._band_rect(event.position()))
            self._band.show()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to draw the part to zoom to or, with Shift or the middle button, to move the part in sight."""
        middle = event.button() == Qt.MouseButton.MiddleButton
        if self.spot_at(event.position()) is None or not (middle or event.button() == Qt.MouseButton.LeftButton):
            super().mousePressEvent(event)
            return
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._pressed = event.position()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._moved = QRectF(self._seen) if middle or shift else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Zoom to the rectangle that was drawn; without one it was a click, which goes to `click_at`."""
        pressed, moved = self._pressed, self._moved
        self._pressed = self._moved = None
        if pressed is None or moved is not None:
            return
        if self._band.isHidden():
            if (spot := self.spot_at(event.position())) is not None:
                self.click_at(spot)
            return
        drawn, rect = QRectF(self._band_rect(event.position(), pressed)), self.plot_rect()
        self._band.hide()
        if min(drawn.width(), drawn.height()) > 3:
            ends = (self._spot(drawn.topLeft(), rect), self._spot(drawn.bottomRight(), rect))
            self._look_at(QRectF(*ends).normalized())

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show everything again, however far the chart was zoomed."""
        self.reset_zoom()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the mouse if Ctrl is held or the chart has the focus.

        Otherwise, and where no wider view is left, the event is ignored, so that the page scrolls.
        """
        turned, spot = event.angleDelta().y(), self.spot_at(event.position())
        meant = self.hasFocus() or bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not turned or spot is None or not meant or (turned < 0 and not self.is_zoomed()):
            event.ignore()
            return
        self.zoom(_STEP ** (turned / 120), spot)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom in and out with + and −, and show everything with 0 or Escape."""
        key = Qt.Key(event.key())
        if self._view is not None and key in _ZOOM_KEYS:
            self.zoom(_ZOOM_KEYS[key], self._focus_spot())
        elif key == Qt.Key.Key_0 or (key == Qt.Key.Key_Escape and self.is_zoomed()):
            self.reset_zoom()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing any more when the mouse leaves the chart."""
        self.point_at(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Point at nothing any more when the chart loses the keyboard focus."""
        super().focusOutEvent(event)
        self.point_at(None)

    def draw(self, painter: QPainter) -> None:
        """Paint what the plotting library does not; nothing unless a chart overrides this."""

    def _adopt(self, view: Any, box: Any) -> None:
        """Take a new view: transparent for the mouse, out of the way of Tab, its range ruled from here."""
        self._view, self._box = view, box
        view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setFrameShape(view.Shape.NoFrame)
        box.setMouseEnabled(x=False, y=False)
        box.disableAutoRange()
        box.setDefaultPadding(0)

    def _set_whole(self, whole: QRectF, least: tuple[float, float]) -> None:
        """Say where everything is; who looks at a part goes on looking at it."""
        was_zoomed = self.is_zoomed()
        self._whole, self._least = whole, least
        self._look_at(self._seen if was_zoomed else whole)

    def _look_at(self, part: QRectF) -> None:
        whole = self._whole
        width = min(max(part.width(), whole.width() * self._least[0]), whole.width())
        height = min(max(part.height(), whole.height() * self._least[1]), whole.height())
        left = min(max(part.center().x() - width / 2, whole.left()), whole.right() - width)
        top = min(max(part.center().y() - height / 2, whole.top()), whole.bottom() - height)
        was = QRectF(self._seen)
        self._seen = QRectF(left, top, width, height)
        if self._box is not None:
            self._box.setRange(self._seen, padding=0)
        if self._seen != was:
            self.update()
            self.zoom_changed.emit()

    def _focus_spot(self) -> QPointF | None:
        """The spot that the keyboard looks closer at; None for the middle."""
        return None

    def _down(self) -> int:
        """1 where values grow upwards, −1 where they grow downwards."""
        return -1 if self._box is not None and self._box.yInverted() else 1

    def _spot(self, position: QPointF, rect: QRectF) -> QPointF:
        across = (position.x() - rect.left()) / max(rect.width(), 1)
        down = (position.y() - rect.top()) / max(rect.height(), 1)
        if self._down() > 0:
            down = 1 - down
        return self._seen.topLeft() + QPointF(across * self._seen.width(), down * self._seen.height())

    def _band_rect(self, position: QPointF, pressed: QPointF | None = None) -> QRect:
        start = pressed or self._pressed or position
        drawn = QRectF(start, position).normalized().intersected(self.plot_rect())
        return QRect(drawn.topLeft().toPoint(), drawn.bottomRight().toPoint() - QPoint(1, 1))
