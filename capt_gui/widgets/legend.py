"""Names and values beside a stroke of their line, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import PaintedWidget, elided

_SWATCH = 18
_BETWEEN = 14


class Entry(NamedTuple):
    """One line: its name, the value that is read out, and its stroke; without a role there is none."""

    name: str
    value: str
    role: str = ""
    style: Qt.PenStyle = Qt.PenStyle.SolidLine


class Legend(PaintedWidget):
    """Entries beside each other; those that do not fit begin another row."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._entries: tuple[Entry, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(80)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these entries, each a name with a value and perhaps a stroke, in place of the present ones."""
        self._entries = tuple(entries)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the entries in as many rows as the new width asks for."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def draw(self, painter: QPainter) -> None:
        """Paint the stroke, name and value of each entry."""
        theme, metrics = self._theme, self._metrics()
        painter.setFont(theme.font("caption"))
        for entry, left, row in self._places(self.width()):
            middle = row * self._line() + metrics.height() / 2
            baseline = row * self._line() + metrics.ascent()
            x = left
            if entry.role:
                painter.setPen(QPen(theme.color(entry.role), 2, entry.style))
                painter.drawLine(QPointF(x, middle), QPointF(x + _SWATCH, middle))
                x += _SWATCH + 5
            painter.setPen(theme.color("text_muted"))
            room = self.width() - x - metrics.horizontalAdvance(entry.value) - 4
            name = elided(metrics, entry.name, max(room, 20.0))
            painter.drawText(QPointF(x, baseline), name)
            painter.setPen(theme.color("text"))
            painter.drawText(QPointF(x + metrics.horizontalAdvance(name) + 4, baseline), entry.value)

    def _places(self, width: int) -> Iterator[tuple[Entry, float, int]]:
        metrics, left, row = self._metrics(), 0.0, 0
        for entry in self._entries:
            room = metrics.horizontalAdvance(entry.name) + metrics.horizontalAdvance(entry.value) + 4
            room += _SWATCH + 5 if entry.role else 0
            if left and left + room > width:
                left, row = 0.0, row + 1
            yield entry, left, row
            left += room + _BETWEEN

    def _on_theme_changed(self) -> None:
        self._fit()

    def _fit(self) -> None:
        rows = max((row for _, _, row in self._places(self.width())), default=0) + 1
        self.setFixedHeight(round(rows * self._line()))
        self.update()

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self._theme.font("caption"))

    def _line(self) -> float:
        return self._metrics().height() + 1
