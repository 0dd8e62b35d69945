"""One picture among linked ones, and the zoom, place and cross-hair that all of them share."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy

from capt_gui.theme import Theme
from capt_gui.widgets.painting import (
    PaintedWidget,
    draw_box,
    draw_empty,
    draw_mark,
    draw_text,
    line_height,
    rounded,
    text_width,
)

_HIGHEST_ZOOM = 64.0
_LOWEST_ZOOM = 0.1
_STEP = 1.25
_PAD = 8
_TAG_PAD = 9.0
_OVERLAY = 0.6
_WINDOW_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F11)


class PaneView(QObject):
    """The part of the pictures that is seen, and the pixel that is pointed at; in picture pixels."""

    changed = Signal()
    cursor_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.width, self.height = 0, 0
        self.is_fit = True
        self.zoom = 1.0
        self.centre = QPointF()
        self.cursor: tuple[int, int] | None = None

    def set_size(self, width: int, height: int) -> None:
        """Set the size of the pictures in pixels; a new size shows the whole picture and points at no pixel.

        The same size again changes nothing.
        """
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            self.set_cursor(None)
            self.set_fit()

    def set_fit(self) -> None:
        """Show the whole picture, as large as the pane allows."""
        self.is_fit = True
        self.centre = QPointF(self.width / 2, self.height / 2)
        self.changed.emit()

    def set_zoom(self, zoom: float, from_zoom: float, anchor: QPointF | None = None) -> None:
        """Zoom to `zoom` logical screen pixels per picture pixel, within 0.1 and 64 (or `from_zoom`, if that is more).

        from_zoom: the present zoom. anchor: the point of the picture that stays where it is on the screen, None for
        the middle.
        """
        zoom = min(max(zoom, _LOWEST_ZOOM), max(_HIGHEST_ZOOM, from_zoom))
        if anchor is not None:
            self.centre = anchor + (self.centre - anchor) * (from_zoom / zoom)
        self.is_fit, self.zoom = False, zoom
        self._keep_inside()
        self.changed.emit()

    def move(self, by: QPointF) -> None:
        """Move the part in sight by so many picture pixels; while the whole picture is shown nothing moves."""
        if not self.is_fit:
            self.centre += by
            self._keep_inside()
            self.changed.emit()

    def set_cursor(self, pixel: tuple[int, int] | None) -> None:
        """Point at the pixel (x, y), from the top left corner; None, or a pixel outside the picture, points at none."""
        if pixel is not None and not (0 <= pixel[0] < self.width and 0 <= pixel[1] < self.height):
            pixel = None
        if pixel != self.cursor:
            self.cursor = pixel
            self.cursor_changed.emit()

    def step_cursor(self, right: int, down: int) -> None:
        """Move the pixel pointed at by so many pixels, but not off the picture; the first one is in the middle."""
        x, y = self.cursor or (self.width // 2, self.height // 2)
        if self.cursor is not None:
            x, y = min(max(x + right, 0), self.width - 1), min(max(y + down, 0), self.height - 1)
        self.set_cursor((x, y))

    def _keep_inside(self) -> None:
        self.centre.setX(min(max(self.centre.x(), 0), self.width))
        self.centre.setY(min(max(self.centre.y(), 0), self.height))


class ImagePane(PaintedWidget):
    """Paints one picture where the shared view says.

    A picture that is seen whole is drawn smoothly, as any viewer draws it: a small one would else be a mosaic, and nothing of it is
    to be read. Its honest pixels come with the first zoom, from twofold enlargement on; a map of values always shows them.

    window_asked: a double click, Enter or F11 wants the picture to fill the window, or to go back.
    """

    window_asked = Signal()

    def __init__(self, theme: Theme, view: PaneView, empty_text: str, *, shows_values: bool = False) -> None:
        """shows_values: the picture is a map of values, such as a perturbation, of which every pixel counts."""
        super().__init__(theme)
        self._view = view
        self._shows_values = shows_values
        self._empty_text = empty_text
        self._image: QImage | None = None
        self._overlay: QImage | None = None
        self._overlay_share = QSizeF(1, 1)
        self._is_tall = False
        self._dragged_from: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 64)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        view.changed.connect(self.update)
        view.cursor_changed.connect(self.update)

    def set_image(self, image: QImage | None) -> None:
        """Show a picture in this pane; None shows the text of the empty state."""
        self._image = image
        self.update()

    def set_overlay(self, overlay: QImage | None, share: QSizeF | None = None) -> None:
        """Lay a picture of colours over the picture, half seen through; None takes it away.

        share: how many times as wide and high as the picture it is, for one whose last patches are cut off at the
        picture's edge; None for exactly as large.
        """
        self._overlay, self._overlay_share = overlay, share or QSizeF(1, 1)
        self.update()

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands in the place of a picture while there is none."""
        self._empty_text = text
        self.update()

    def set_tall(self, tall: bool) -> None:
        """Let the pane be as high as there is room (True), as in a window of its own, or about as high as wide."""
        self._is_tall = tall
        self.updateGeometry()

    def zoom(self) -> float:
        """Return the present zoom, in logical screen pixels per picture pixel."""
        view = self._view
        if not view.is_fit:
            return view.zoom
        room = min(
            (self.width() - 2 * _PAD) / max(view.width, 1),
            (self.height() - 2 * _PAD) / max(view.height, 1),
        )
        return max(room, 0.01)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Multiply the zoom by `factor` around the point `at`, in pixels of this pane; None for its middle."""
        zoom = self.zoom()
        self._view.set_zoom(zoom * factor, zoom, self._to_picture(at) if at is not None else None)

    def hasHeightForWidth(self) -> bool:
        """Return True, as the height of a pane follows its width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height in pixels for a `width` in pixels: the same, but from 64 to 460; the least where it may be tall."""
        return 64 if self._is_tall else min(max(width, 64), 460)

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, at which a small picture can be recognised."""
        return QSize(280, 280)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the pixel under the mouse, and move the picture while the left button drags it."""
        here = event.position()
        if self._dragged_from is not None:
            self._view.move((self._dragged_from - here) / self.zoom())
            self._dragged_from = here
        spot = self._to_picture(here)
        self._view.set_cursor((int(spot.x() // 1), int(spot.y() // 1)) if self._image is not None else None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag the picture with the left mouse button."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from = event.position()
            if not self._view.is_fit:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End dragging the picture."""
        self._dragged_from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for the picture to fill the window, or to go back to its place."""
        if event.button() == Qt.MouseButton.LeftButton and self._image is not None:
            self._dragged_from = None
            self.unsetCursor()
            self.window_asked.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Point at no pixel any more when the mouse leaves, which takes the cross-hair away."""
        super().leaveEvent(event)
        self._view.set_cursor(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the mouse; without a picture the event is ignored, so that the page scrolls."""
        turn = event.angleDelta().y()
        if self._image is None or not turn:
            event.ignore()
            return
        self.zoom_by(_STEP ** (turn / 120), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and −, show the whole picture with 0 and pixel for pixel with 1; arrow keys move the cross-hair.

        With Shift the arrow keys move the picture. Enter and F11 ask for the whole window.
        """
        key = event.key()
        arrows = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if self._image is None:
            super().keyPressEvent(event)
        elif key in _WINDOW_KEYS:
            self.window_asked.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self._view.set_fit()
        elif key == Qt.Key.Key_1:
            self.zoom_by(1 / (self.devicePixelRatioF() * self.zoom()))
        elif Qt.Key(key) in arrows:
            right, down = arrows[Qt.Key(key)]
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._view.move(QPointF(right, down) * (32 / self.zoom()))
            else:
                self._view.step_cursor(right, down)
                self._reveal_cursor()
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter) -> None:
        """Paint the picture at the present zoom with the cross-hair on it, or the text of the empty state."""
        ground = rounded(QRectF(self.rect()), 10)
        painter.fillPath(ground, self._theme.color("surface_raised"))
        if self._image is None:
            draw_empty(painter, QRectF(self.rect()).adjusted(16, 16, -16, -16), self._empty_text, self._theme)
        else:
            painter.setClipPath(ground)
            self._draw_content(painter, self._image)
            painter.setClipping(False)

    def _draw_content(self, painter: QPainter, image: QImage) -> None:
        """Paint the picture and what lies over it, inside the pane's round corners."""
        self._draw_picture(painter, image)
        if self._view.cursor is not None:
            self._draw_cross(painter, self._view.cursor, self.zoom())

    def _reveal_cursor(self) -> None:
        """Move the picture just so far that the pixel pointed at is in sight."""
        if self._view.cursor is None:
            return
        x, y = self._view.cursor
        spot = self._to_screen(QPointF(x + 0.5, y + 0.5))
        edge = 2 * _PAD
        beyond = spot - QPointF(
            min(max(spot.x(), edge), self.width() - edge), min(max(spot.y(), edge), self.height() - edge)
        )
        if not beyond.isNull():
            self._view.move(beyond / self.zoom())

    def _draw_picture(self, painter: QPainter, image: QImage) -> None:
        zoom = self.zoom()
        corner, far = self._to_picture(QPointF(0, 0)), self._to_picture(QPointF(self.width(), self.height()))
        # Only the pixels in sight: at 64-fold zoom the whole picture would be some 14,000 pixels wide.
        seen = QRect(
            max(int(corner.x()), 0),
            max(int(corner.y()), 0),
            min(int(far.x()) + 1, image.width()) - max(int(corner.x()), 0),
            min(int(far.y()) + 1, image.height()) - max(int(corner.y()), 0),
        )
        if seen.isEmpty():
            return
        target = QRectF(self._to_screen(QPointF(seen.topLeft())), QPointF(0, 0))
        target.setSize(QSize(seen.width(), seen.height()).toSizeF() * zoom)
        smooth = zoom * self.devicePixelRatioF() < 2 or (self._view.is_fit and not self._shows_values)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, image, QRectF(seen))
        if self._overlay is not None:
            self._draw_overlay(painter, self._overlay, target, QRectF(seen))

    def _draw_overlay(self, painter: QPainter, overlay: QImage, target: QRectF, seen: QRectF) -> None:
        """Paint the part of the overlay that lies over the pixels `seen`; patches keep their edges."""
        across = overlay.width() / (self._view.width * self._overlay_share.width())
        down = overlay.height() / (self._view.height * self._overlay_share.height())
        part = QRectF(seen.x() * across, seen.y() * down, seen.width() * across, seen.height() * down)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.setOpacity(_OVERLAY)
        painter.drawImage(target, overlay, part)
        painter.setOpacity(1.0)

    def _draw_tag(self, painter: QPainter, words: str, corner: Qt.Corner, *, attacked: bool) -> None:
        """Write in an upper corner of the pane which picture is seen there, with the mark of clean or attacked ones."""
        theme = self._theme
        high = line_height(theme, "caption") + 8
        wide = text_width(theme, "caption", words) + 2 * _TAG_PAD + 16
        left = 10.0 if corner == Qt.Corner.TopLeftCorner else self.width() - wide - 10
        place = QRectF(left, 10, wide, high)
        ground = theme.color("surface")
        ground.setAlphaF(0.92)
        draw_box(painter, place, ground, high / 2)
        draw_mark(
            painter,
            QPointF(place.left() + _TAG_PAD + 4, place.center().y()),
            8,
            theme.color("attacked" if attacked else "clean"),
            attacked,
        )
        draw_text(painter, place.adjusted(_TAG_PAD + 14, 0, -4, 0), words, theme, "caption")

    def _picture_rect(self) -> QRectF:
        """The part of the pane that the picture covers, in pixels of the pane."""
        whole = QRectF(self._to_screen(QPointF(0, 0)), self._to_screen(QPointF(self._view.width, self._view.height)))
        return whole.intersected(QRectF(self.rect()))

    def _draw_cross(self, painter: QPainter, pixel: tuple[int, int], zoom: float) -> None:
        box = QRectF(self._to_screen(QPointF(*pixel)), QPointF(0, 0))
        box.setSize(QSize(1, 1).toSizeF() * zoom)
        if zoom < 6:
            box = QRectF(box.center() - QPointF(3, 3), box.center() + QPointF(3, 3))
        x, y = round(box.center().x()) + 0.5, round(box.center().y()) + 0.5
        lines = (
            (QPointF(x, 0), QPointF(x, box.top())),
            (QPointF(x, box.bottom()), QPointF(x, self.height())),
            (QPointF(0, y), QPointF(box.left(), y)),
            (QPointF(box.right(), y), QPointF(self.width(), y)),
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # White on a darker shade, so that it can be seen on any picture.
        for pen in (QPen(QColor(0, 0, 0, 90), 3), QPen(QColor(255, 255, 255, 220), 1)):
            painter.setPen(pen)
            for start, end in lines:
                painter.drawLine(start, end)
            painter.drawRect(box)

    def _to_picture(self, spot: QPointF) -> QPointF:
        middle = QPointF(self.width() / 2, self.height() / 2)
        return self._view.centre + (spot - middle) / self.zoom()

    def _to_screen(self, spot: QPointF) -> QPointF:
        middle = QPointF(self.width() / 2, self.height() / 2)
        return middle + (spot - self._view.centre) * self.zoom()
