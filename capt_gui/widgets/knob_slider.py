"""A labelled slider with named stops."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from capt_gui.plain_text import plain_label, set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.input import keep_wheel_for_focus
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.painting import draw_box

_INSET = 12


class _StopSlider(QSlider):
    """A slider that rests only on its stops, and shows them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = theme
        self.setMinimumHeight(28)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        keep_wheel_for_focus(self)
        self.setPageStep(1)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(200, 28)

    def _stop_x(self, stop: int) -> float:
        room = self.width() - 2 * _INSET
        return _INSET + room * stop / max(self.maximum(), 1)

    def _go_to(self, x: float) -> None:
        room = max(self.width() - 2 * _INSET, 1)
        self.setValue(round((x - _INSET) / room * self.maximum()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._go_to(event.position().x())
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())
            event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        here = self._stop_x(self.value())
        filled = theme.color("accent") if self.isEnabled() else theme.color("control")
        track = QRectF(_INSET, middle - 2, self.width() - 2 * _INSET, 4)
        draw_box(painter, track, theme.color("border"), 2)
        track.setRight(max(here, track.left()))
        draw_box(painter, track, filled, 2)
        for stop in range(self.maximum() + 1):
            painter.setBrush(filled if stop <= self.value() else theme.color("control"))
            painter.drawEllipse(QPointF(self._stop_x(stop), middle), 3, 3)
        painter.setBrush(theme.color("surface"))
        painter.setPen(QPen(filled, 3))
        painter.drawEllipse(QPointF(here, middle), 7.5, 7.5)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawEllipse(QPointF(here, middle), 11.5, 11.5)


class KnobSlider(QWidget):
    """One plain knob: a title, the stop chosen, and words at both ends."""

    value_changed = Signal(object)

    def __init__(self, theme: Theme, title: str, low_text: str, high_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stops: list[tuple[str, object]] = []
        name = text(title, "strong", wrap=False)
        self._shown = plain_label()
        self.slider = _StopSlider(theme)
        self.slider.setRange(0, 0)
        self.slider.setAccessibleName(title)
        self.slider.valueChanged.connect(self._on_moved)
        name.setBuddy(self.slider)
        top = fill(QHBoxLayout(), name, None, self._shown)
        ends = (text(low_text, "caption", wrap=False), None, text(high_text, "caption", wrap=False))
        fill(QVBoxLayout(self), top, self.slider, fill(QHBoxLayout(), *ends), spacing=2)
        self.setFocusProxy(self.slider)
        theme.changed.connect(self.slider.update)

    def set_stops(self, stops: list[tuple[str, object]]) -> None:
        """Offer these (label, value) stops without emitting `value_changed`.

        The present value stays if it is among them; else the first is taken.
        """
        before = self.value()
        self._stops = list(stops)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(stops) - 1, 0))
            self.slider.setValue(self._index_of(before) or 0)
        self.slider.setEnabled(len(stops) > 1)
        self._describe()

    def value(self) -> object:
        """Return the value of the current stop, None when there are no stops."""
        return self._stops[self.slider.value()][1] if self._stops else None

    def set_value(self, value: object) -> None:
        """Move to the stop with this value without emitting `value_changed`; a value without a stop changes nothing."""
        index = self._index_of(value)
        if index is not None:
            with QSignalBlocker(self.slider):
                self.slider.setValue(index)
            self._describe()

    def set_help(self, text: str) -> None:
        """Set the sentence that explains the slider, shown as its tooltip."""
        set_tooltip(self, text)

    def label(self) -> str:
        """Return the label of the current stop, as shown beside the title; "" without stops."""
        return self._shown.text()

    def _index_of(self, value: object) -> int | None:
        return next((index for index, (_, own) in enumerate(self._stops) if own == value), None)

    def _on_moved(self) -> None:
        self._describe()
        self.value_changed.emit(self.value())

    def _describe(self) -> None:
        shown = self._stops[self.slider.value()][0] if self._stops else ""
        self._shown.setText(shown)
        self.slider.setAccessibleDescription(shown)
        self.slider.update()
