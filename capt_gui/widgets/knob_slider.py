"""A labelled slider with named stops."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from capt_gui.theme import Theme

_INSET = 12


class _StopSlider(QSlider):
    """A slider that rests only on its stops, and shows them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = theme
        self.setMinimumHeight(28)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Scrolling the panel must not turn a knob on the way.
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        here = self._stop_x(self.value())
        filled = theme.color("accent") if self.isEnabled() else theme.color("control")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("border"))
        painter.drawRoundedRect(QRectF(_INSET, middle - 2, self.width() - 2 * _INSET, 4), 2, 2)
        painter.setBrush(filled)
        painter.drawRoundedRect(QRectF(_INSET, middle - 2, max(here - _INSET, 0), 4), 2, 2)
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
        self._title = title
        self._stops: list[tuple[str, object]] = []
        name = QLabel(title)
        name.setProperty("textRole", "strong")
        self._shown = QLabel()
        self.slider = _StopSlider(theme)
        self.slider.setRange(0, 0)
        self.slider.setAccessibleName(title)
        self.slider.valueChanged.connect(self._on_moved)
        name.setBuddy(self.slider)
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(name)
        top.addStretch()
        top.addWidget(self._shown)
        for text in (low_text, high_text):
            label = QLabel(text)
            label.setProperty("textRole", "caption")
            bottom.addWidget(label)
        bottom.insertStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.slider)
        layout.addLayout(bottom)
        self.setFocusProxy(self.slider)
        theme.changed.connect(self.slider.update)

    def set_stops(self, stops: list[tuple[str, object]]) -> None:
        """Offer these (label, value) stops, silently; the current value stays if it is among them, else the first."""
        before = self.value()
        self._stops = list(stops)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(len(stops) - 1, 0))
        self.slider.setValue(self._index_of(before) or 0)
        self.slider.blockSignals(False)
        self.slider.setEnabled(len(stops) > 1)
        self._describe()

    def value(self) -> object:
        """The value of the current stop, None without stops."""
        return self._stops[self.slider.value()][1] if self._stops else None

    def set_value(self, value: object) -> None:
        """Move to the stop with this value without saying `value_changed`; a value that is no stop changes nothing."""
        index = self._index_of(value)
        if index is not None:
            self.slider.blockSignals(True)
            self.slider.setValue(index)
            self.slider.blockSignals(False)
            self._describe()

    def set_help(self, text: str) -> None:
        """The sentence shown on hover."""
        self.setToolTip(text)

    def label(self) -> str:
        """The words of the current stop."""
        return self._shown.text()

    def _index_of(self, value: object) -> int | None:
        return next((index for index, (_, own) in enumerate(self._stops) if own == value), None)

    @Slot()
    def _on_moved(self) -> None:
        self._describe()
        self.value_changed.emit(self.value())

    def _describe(self) -> None:
        words = self._stops[self.slider.value()][0] if self._stops else ""
        self._shown.setText(words)
        self.slider.setAccessibleDescription(words)
        self.slider.update()
