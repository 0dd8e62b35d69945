"""The painted bars of one list of probabilities, clean against attacked."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from capt_engine.formatting import percent
from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, draw_mark, elided

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


class BarArea(QWidget):
    """The painted part; up and down move through the classes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: tuple[BarRow, ...] = ()
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._on_theme_changed)

    def set_rows(self, rows: tuple[BarRow, ...]) -> None:
        """Show these classes, the first on top."""
        self._rows = rows
        self._current = -1
        self.setAccessibleDescription("; ".join(self._words(row) for row in rows) or self._empty_text())
        self.setMaximumHeight(self._height(1.0))
        self.updateGeometry()
        self.update()

    def rows(self) -> tuple[BarRow, ...]:
        """The classes shown, from the top."""
        return self._rows

    def sizeHint(self) -> QSize:
        """As high as the classes need."""
        return QSize(360, self._height(1.0))

    def minimumSizeHint(self) -> QSize:
        """Rows may stand closer where room is short."""
        return QSize(220, self._height(_TIGHTEST))

    def event(self, event: QEvent) -> bool:
        """The tooltip: both probabilities of a class."""
        if isinstance(event, QHelpEvent):
            row = self._row_at(event.pos().y())
            QToolTip.showText(event.globalPos(), self._words(self._rows[row]) if row >= 0 else "", self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the class under the mouse."""
        self._set_current(self._row_at(event.position().y()))

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing."""
        self._set_current(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move from class to class."""
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        step = steps.get(Qt.Key(event.key()), 0)
        if step and self._rows:
            self._set_current(min(max(self._current + step, 0), len(self._rows) - 1))
            row = self._rows[self._current]
            self.setAccessibleDescription(self._words(row))
            spot = QPointF(self.width() / 3, self._top() + (self._current + 1) * self._row_height())
            QToolTip.showText(self.mapToGlobal(spot).toPoint(), self._words(row), self)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The bars, or the words of the empty state."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._rows:
            self._paint_legend(painter)
            for number, row in enumerate(self._rows):
                self._paint_row(painter, number, row)
        else:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.color("text_muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._empty_text())
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), self._theme)

    def _paint_legend(self, painter: QPainter) -> None:
        theme = self._theme
        small, strong = theme.font("caption"), theme.font("strong")
        small_metrics, strong_metrics = QFontMetricsF(small), QFontMetricsF(strong)
        sides = [(self.tr("Clean"), "clean", next(row for row in self._rows if row.wins_clean))]
        sides += [(self.tr("Under attack"), "attacked", row) for row in self._rows if row.wins_attacked]
        room = (self.width() - 2 * _PAD) / max(len(sides), 2)
        for number, (title, role, row) in enumerate(sides):
            left = _PAD + number * room
            value = percent(row.clean if role == "clean" else row.attacked or 0.0)
            draw_mark(painter, QPointF(left + 5, _PAD + small_metrics.height() / 2), 9, theme.color(role), number == 1)
            painter.setFont(small)
            painter.setPen(theme.color("text_muted"))
            painter.drawText(QPointF(left + 16, _PAD + small_metrics.ascent()), title)
            painter.setFont(strong)
            painter.setPen(theme.color("text"))
            baseline = _PAD + small_metrics.height() + 2 + strong_metrics.ascent()
            name = elided(strong_metrics, row.name, room - 8 - strong_metrics.horizontalAdvance(" " + value))
            painter.drawText(QPointF(left, baseline), f"{name} {value}")

    def _paint_row(self, painter: QPainter, number: int, row: BarRow) -> None:
        theme = self._theme
        top = self._top() + number * self._row_height()
        if number == self._current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("surface_raised"))
            painter.drawRoundedRect(
                QRectF(_PAD / 2, top - self._gap() / 2 + 1, self.width() - _PAD, self._row_height() - 2), 7, 7
            )
        left, width = self._bar_span()
        font = theme.font("strong" if row.wins_clean or row.wins_attacked else "body")
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        height = self._row_height() - self._gap()
        bar = _BAR * self._tightness()
        middle = top + height / 2
        name_rect = QRectF(_PAD, middle - metrics.height() / 2, left - _PAD - 12, metrics.height())
        name = elided(metrics, row.name, name_rect.width())
        painter.drawText(name_rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        bars = [(row.clean, "clean", row.wins_clean)]
        if row.attacked is not None:
            bars.append((row.attacked, "attacked", row.wins_attacked))
        for place, (value, role, wins) in enumerate(bars):
            y = top + place * (bar + _BETWEEN * self._tightness()) if len(bars) > 1 else middle - bar / 2
            self._paint_bar(painter, QRectF(left, y, width, bar), value, role)
            # Side by side, so that they never touch however little height a row gets.
            self._paint_value(painter, left + width + 8 + place * self._column_width(), middle, value, role, wins)

    def _paint_bar(self, painter: QPainter, track: QRectF, value: float, role: str) -> None:
        theme = self._theme
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("grid"))
        painter.drawRoundedRect(track, 3, 3)
        painter.setBrush(theme.color(role))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(track.width() * value, 2), track.height()), 3, 3)

    def _paint_value(self, painter: QPainter, left: float, middle: float, value: float, role: str, wins: bool) -> None:
        theme = self._theme
        font = theme.font("strong" if wins else "caption")
        font.setPixelSize(theme.font("caption").pixelSize())
        painter.setFont(font)
        painter.setPen(theme.color("text" if wins else "text_muted"))
        text = QRectF(left, middle - 10, self._value_width(), 20)
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent(value))
        if wins:
            draw_mark(painter, QPointF(text.right() + 9, middle), 7, theme.color(role), role == "attacked")

    def _top(self) -> float:
        heights = (QFontMetricsF(self._theme.font(role)).height() for role in ("caption", "strong"))
        return 2 * _PAD + 2 + sum(heights) + _ROW_GAP

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
        return QFontMetricsF(self._theme.font("strong")).horizontalAdvance(percent(0.0004))

    def _column_width(self) -> float:
        return self._value_width() + 18

    def _bar_span(self) -> tuple[float, float]:
        """Left edge and full length of the bars, beside the longest name that is allowed its room."""
        metrics = QFontMetricsF(self._theme.font("strong"))
        longest = max(metrics.horizontalAdvance(row.name) for row in self._rows)
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

    def _words(self, row: BarRow) -> str:
        text = self.tr("{}: clean {}").format(row.name, percent(row.clean))
        if row.attacked is not None:
            text += self.tr(", under attack {}").format(percent(row.attacked))
        return text

    def _empty_text(self) -> str:
        return self.tr("The answers of the model appear here.")

    @Slot()
    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()
