"""The painted bars of one list of probabilities, clean against attacked."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy

from capt_engine.formatting import percent
from capt_gui.plain_text import show_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.input import arrow_step
from capt_gui.widgets.painting import (
    RIGHT,
    PaintedWidget,
    draw_box,
    draw_empty,
    draw_mark,
    draw_text,
    elided,
    line_height,
    text_width,
)

_BAR = 10
_BETWEEN = 3
_ROW_GAP = 12
# Bars and gaps may shrink to this share where room is short.
_TIGHTEST = 0.62
_PAD = 8


class BarRow(NamedTuple):
    """One class: its probabilities and which answers chose it."""

    name: str
    clean: float
    attacked: float | None
    wins_clean: bool
    wins_attacked: bool


class BarArea(PaintedWidget):
    """Bars of several classes under the answers they belong to; Up and Down move through the classes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._rows: tuple[BarRow, ...] = ()
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_rows(self, rows: tuple[BarRow, ...]) -> None:
        """Show `rows`, each a class with its clean and attacked probability, from the top; no rows show the empty state.

        Exactly one row must have `wins_clean` set.
        """
        self._rows = rows
        self._current = -1
        self.setAccessibleDescription("; ".join(self._row_text(row) for row in rows) or self._empty_text())
        self.setMaximumHeight(self._height(1.0))
        self.updateGeometry()
        self.update()

    def rows(self) -> tuple[BarRow, ...]:
        """Return the rows shown (a class with its clean and attacked probability each), from the top."""
        return self._rows

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels, as high as the rows of all classes need."""
        return QSize(360, self._height(1.0))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, at which the rows stand as close together as they may."""
        return QSize(220, self._height(_TIGHTEST))

    def tooltip_at(self, position: QPointF) -> str:
        """Return name and probabilities of the class at `position`, in pixels of this widget; "" beside them all."""
        row = self._row_at(position.y())
        return self._row_text(self._rows[row]) if row >= 0 else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the class under the mouse."""
        self._set_current(self._row_at(event.position().y()))

    def leaveEvent(self, _event: QEvent) -> None:
        """Take the highlight away when the mouse leaves."""
        self._set_current(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the highlight with Up and Down, and show the probabilities of that class in a tooltip."""
        if self._rows and (step := arrow_step(event)):
            self._set_current(min(max(self._current + step, 0), len(self._rows) - 1))
            text = self._row_text(self._rows[self._current])
            self.setAccessibleDescription(text)
            spot = QPointF(self.width() / 3, self._top() + (self._current + 1) * self._row_height())
            show_tooltip(self.mapToGlobal(spot).toPoint(), text, self)
        else:
            super().keyPressEvent(event)

    def draw(self, painter: QPainter) -> None:
        """Paint the clean and the attacked answer above the bars, or the text of the empty state without rows."""
        if not self._rows:
            draw_empty(painter, QRectF(self.rect()), self._empty_text(), self._theme)
            return
        self._draw_answers(painter)
        for number, row in enumerate(self._rows):
            self._draw_row(painter, number, row)

    def _draw_answers(self, painter: QPainter) -> None:
        theme = self._theme
        small, strong = line_height(theme, "caption"), line_height(theme, "strong")
        sides = [(self.tr("Clean"), "clean", next(row for row in self._rows if row.wins_clean))]
        sides += [(self.tr("Under attack"), "attacked", row) for row in self._rows if row.wins_attacked]
        room = (self.width() - 2 * _PAD) / max(len(sides), 2)
        for number, (title, role, row) in enumerate(sides):
            left = _PAD + number * room
            value = percent(row.clean if role == "clean" else row.attacked or 0.0)
            draw_mark(painter, QPointF(left + 5, _PAD + small / 2), 9, theme.color(role), number == 1)
            place = QRectF(left + 16, _PAD, room - 20, small)
            draw_text(painter, place, title, theme, "caption", "text_muted")
            name_room = room - 8 - text_width(theme, "strong", " " + value)
            name = elided(QFontMetricsF(theme.font("strong")), row.name, name_room)
            draw_text(painter, QRectF(left, _PAD + small + 2, room, strong), f"{name} {value}", theme, "strong")

    def _draw_row(self, painter: QPainter, number: int, row: BarRow) -> None:
        theme, width = self._theme, self.width()
        top = self._top() + number * self._row_height()
        if number == self._current:
            place = QRectF(_PAD / 2, top - self._gap() / 2 + 1, width - _PAD, self._row_height() - 2)
            draw_box(painter, place, theme.color("surface_raised"), 7)
        left, length = self._bar_span()
        font = "strong" if row.wins_clean or row.wins_attacked else "body"
        bar = _BAR * self._tightness()
        middle = top + (self._row_height() - self._gap()) / 2
        height = line_height(theme, font)
        place = QRectF(_PAD, middle - height / 2, left - _PAD - 12, height)
        draw_text(painter, place, row.name, theme, font, align=RIGHT)
        bars = [(row.clean, "clean", row.wins_clean)]
        if row.attacked is not None:
            bars.append((row.attacked, "attacked", row.wins_attacked))
        for order, (value, role, wins) in enumerate(bars):
            y = top + order * (bar + _BETWEEN * self._tightness()) if len(bars) > 1 else middle - bar / 2
            draw_box(painter, QRectF(left, y, length, bar), theme.color("grid"), 3)
            draw_box(painter, QRectF(left, y, max(length * value, 2), bar), theme.color(role), 3)
            # Side by side, so that they never touch however little height a row gets.
            self._draw_value(painter, left + length + 8 + order * self._column_width(), middle, value, role, wins)

    def _draw_value(self, painter: QPainter, left: float, middle: float, value: float, role: str, wins: bool) -> None:
        theme = self._theme
        font = theme.font("strong" if wins else "caption")
        font.setPixelSize(theme.font("caption").pixelSize())
        place = QRectF(left, middle - 10, self._value_width(), 20)
        draw_text(painter, place, percent(value), theme, font, "text" if wins else "text_muted", RIGHT)
        if wins:
            draw_mark(painter, QPointF(place.right() + 9, middle), 7, theme.color(role), role == "attacked")

    def _top(self) -> float:
        heights = line_height(self._theme, "caption") + line_height(self._theme, "strong")
        return 2 * _PAD + 2 + heights + _ROW_GAP

    def _natural_row(self) -> float:
        pair = any(row.attacked is not None for row in self._rows)
        return (2 * _BAR + _BETWEEN if pair else 16) + _ROW_GAP

    def _height(self, tightness: float) -> int:
        return round(self._top() + max(len(self._rows), 3) * self._natural_row() * tightness + _PAD)

    def _tightness(self) -> float:
        """Return the share of their natural height that the rows get, at most 1."""
        room = self.height() - self._top() - _PAD
        natural = max(len(self._rows), 3) * self._natural_row()
        return min(max(room / natural, _TIGHTEST), 1.0)

    def _row_height(self) -> float:
        return self._natural_row() * self._tightness()

    def _gap(self) -> float:
        return _ROW_GAP * self._tightness()

    def _value_width(self) -> float:
        return text_width(self._theme, "strong", percent(0.0004))

    def _column_width(self) -> float:
        return self._value_width() + 18

    def _bar_span(self) -> tuple[float, float]:
        """Return the left edge and the full length of the bars, beside the longest name that is allowed its room."""
        longest = max(text_width(self._theme, "strong", row.name) for row in self._rows)
        left = _PAD + min(longest + 2, 0.36 * self.width()) + 12
        columns = 2 if any(row.attacked is not None for row in self._rows) else 1
        return left, max(self.width() - left - columns * self._column_width() - 8 - _PAD, 20)

    def _row_at(self, y: float) -> int:
        row = int((y - self._top() + self._gap() / 2) // self._row_height())
        return row if 0 <= row < len(self._rows) else -1

    def _set_current(self, row: int) -> None:
        if row != self._current:
            self._current = row
            self.update()

    def _row_text(self, row: BarRow) -> str:
        text = self.tr("{}: clean {}").format(row.name, percent(row.clean))
        if row.attacked is not None:
            text += self.tr(", under attack {}").format(percent(row.attacked))
        return text

    def _empty_text(self) -> str:
        return self.tr("The answers of the model appear here.")
