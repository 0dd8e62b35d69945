"""Clean and adversarial picture in one place: parted by a handle, one after the other, or their difference."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from capt_engine.formatting import whole_percent
from capt_gui.theme import Theme
from capt_gui.widgets.image_pane import ImagePane, PaneView

WIPE, FLICKER, DIFFERENCE = "wipe", "flicker", "difference"

_KNOB = 13.0
_REACH = 14.0
_KEY_STEP = 0.02
_FLICKER_KEYS = (Qt.Key.Key_F, Qt.Key.Key_Space)
_MOVES = {Qt.Key.Key_Left: -_KEY_STEP, Qt.Key.Key_Right: _KEY_STEP, Qt.Key.Key_Home: -1.0, Qt.Key.Key_End: 1.0}


class ComparePane(ImagePane):
    """A pane over two pictures and their difference. mode: WIPE, FLICKER or DIFFERENCE.

    other_shown(bool): the adversarial picture is shown in the clean one's place, as long as F or Space is held.
    """

    other_shown = Signal(bool)

    def __init__(self, theme: Theme, view: PaneView, empty_text: str) -> None:
        super().__init__(theme, view, empty_text)
        self.mode = WIPE
        self._clean: QImage | None = None
        self._attacked: QImage | None = None
        self._difference: QImage | None = None
        self._is_other = self._is_wiping = False
        # the place of the handle, as a share of the picture in sight
        self._share = 0.5

    def set_mode(self, mode: str) -> None:
        """Show the pictures parted by a handle (WIPE), one after the other (FLICKER), or their DIFFERENCE."""
        self.mode = mode
        self._shows_values = mode == DIFFERENCE
        self.show_other(False)
        self._refresh()

    def set_images(self, clean: QImage | None, attacked: QImage | None, difference: QImage | None) -> None:
        """Show these pictures; without an attacked one the clean one stands alone, without any the text of the empty state."""
        self._clean, self._attacked, self._difference = clean, attacked, difference
        self._refresh()

    @property
    def share(self) -> float:
        """The place of the handle, from 0 at the left end of the picture in sight to 1 at its right end."""
        return self._share

    def set_share(self, share: float) -> None:
        """Put the handle to a place, from 0 at the left end of the picture in sight to 1 at its right end."""
        self._share = min(max(share, 0.0), 1.0)
        self._describe()
        self.update()

    def show_other(self, other: bool) -> None:
        """Show the adversarial picture (True) or the clean one; only where they flicker."""
        other = other and self.mode == FLICKER and self._attacked is not None
        if other != self._is_other:
            self._is_other = other
            self.other_shown.emit(other)
            self._refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle with the left button; where it is out of reach, begin to drag the picture."""
        if event.button() == Qt.MouseButton.LeftButton and self._can_wipe() and self._is_near(event.position()):
            self._is_wiping = True
            self._wipe_to(event.position())
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the handle while it is held; else point at the pixel under the mouse, and move the picture."""
        if self._is_wiping:
            self._wipe_to(event.position())
            return
        super().mouseMoveEvent(event)
        if self._can_wipe() and self._dragged_from is None:
            near = abs(event.position().x() - self._handle_x()) <= _REACH
            self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the handle, or end dragging the picture."""
        self._is_wiping = False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the handle with Left, Right, Home and End; show the adversarial picture while F or Space is held.

        With Ctrl the arrow keys move the cross-hair, as they do in every other pane.
        """
        key, held = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self._can_wipe() and key in _MOVES and held == Qt.KeyboardModifier.NoModifier:
            self.set_share(self._share + _MOVES[key])
        elif self.mode == FLICKER and key in _FLICKER_KEYS and self._image is not None:
            if not event.isAutoRepeat():
                self.show_other(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show the clean picture again once F or Space is let go."""
        if self.mode == FLICKER and event.key() in _FLICKER_KEYS:
            if not event.isAutoRepeat():
                self.show_other(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the clean picture again when the keys go elsewhere."""
        super().focusOutEvent(event)
        self.show_other(False)

    def _draw_content(self, painter: QPainter, image: QImage) -> None:
        if not self._can_wipe():
            super()._draw_content(painter, image)
            if self.mode != DIFFERENCE:
                words = self.tr("Adversarial") if self._is_other else self.tr("Clean")
                self._draw_tag(painter, words, Qt.Corner.TopLeftCorner, attacked=self._is_other)
            return
        assert self._attacked is not None
        x = self._handle_x()
        painter.save()
        painter.setClipRect(QRectF(0, 0, x, self.height()), Qt.ClipOperation.IntersectClip)
        self._draw_picture(painter, image)
        painter.restore()
        painter.save()
        painter.setClipRect(QRectF(x, 0, self.width() - x, self.height()), Qt.ClipOperation.IntersectClip)
        self._draw_picture(painter, self._attacked)
        painter.restore()
        if self._view.cursor is not None:
            self._draw_cross(painter, self._view.cursor, self.zoom())
        self._draw_tag(painter, self.tr("Clean"), Qt.Corner.TopLeftCorner, attacked=False)
        self._draw_tag(painter, self.tr("Adversarial"), Qt.Corner.TopRightCorner, attacked=True)
        self._draw_handle(painter, x)

    def _draw_handle(self, painter: QPainter, x: float) -> None:
        rect = self._picture_rect()
        x = round(x)
        for pen in (QPen(QColor(0, 0, 0, 90), 4), QPen(QColor(255, 255, 255, 235), 2)):
            painter.setPen(pen)
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        knob = QPointF(x, rect.center().y())
        painter.setPen(QPen(QColor(0, 0, 0, 90), 1))
        painter.setBrush(QColor(255, 255, 255, 245))
        painter.drawEllipse(knob, _KNOB, _KNOB)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(40, 44, 54))
        for way in (-1, 1):
            tip, base = knob + QPointF(way * 8, 0), knob + QPointF(way * 3, 0)
            painter.drawPolygon(QPolygonF([tip, base + QPointF(0, -4), base + QPointF(0, 4)]))

    def _can_wipe(self) -> bool:
        return self.mode == WIPE and self._clean is not None and self._attacked is not None

    def _handle_x(self) -> float:
        rect = self._picture_rect()
        return rect.left() + self._share * rect.width()

    def _is_near(self, position: QPointF) -> bool:
        """True if a press takes the handle: anywhere on a picture that is shown whole, as that cannot be dragged."""
        return self._view.is_fit or abs(position.x() - self._handle_x()) <= _REACH

    def _wipe_to(self, position: QPointF) -> None:
        rect = self._picture_rect()
        if rect.width() > 0:
            self.set_share((position.x() - rect.left()) / rect.width())

    def _refresh(self) -> None:
        attacked = self._attacked if self._is_other else None
        shown = self._difference if self.mode == DIFFERENCE else attacked or self._clean
        self.set_image(shown)
        self._describe()

    def _describe(self) -> None:
        words = {
            WIPE: self.tr(
                "The clean picture left of the handle, the adversarial one right of it; the handle is at {}."
            ),
            FLICKER: self.tr("The clean picture; the adversarial one while F or Space is held."),
            DIFFERENCE: self.tr(
                "The adversarial picture minus the clean one: orange is brighter than before, blue is darker."
            ),
        }
        names = {WIPE: self.tr("Wipe"), FLICKER: self.tr("Flicker"), DIFFERENCE: self.tr("Difference")}
        self.setAccessibleName(names[self.mode])
        self.setAccessibleDescription(words[self.mode].format(whole_percent(self._share)))
