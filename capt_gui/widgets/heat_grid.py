"""A table of shares as shades: rows × columns, each cell with its number; the arrow keys read them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

_ROW = 26
_GAP = 2
_PAD = 6
_NARROWEST, _WIDEST = 30, 92
_LONGEST_NAME = 150
_FAINTEST, _STRONGEST = 0.04, 0.5
_TURNED_HIGHEST = 96


@dataclass(frozen=True)
class Shade:
    """One cell: a share in [0, 1] that says how strong its shade is, what stands in it, its words, and the role of its colour."""

    share: float
    text: str
    words: str
    role: str = "accent"


class HeatGrid(QWidget):
    """Names on the left and above; `gap_before` sets a column apart. `current_changed(words)` when a cell is pointed at, "" for none;
    `chosen(row, column)` when one is clicked, or Return or Space pressed on it."""

    current_changed = Signal(str)
    chosen = Signal(int, int)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()
        self._cells: tuple[tuple[Shade, ...], ...] = ()
        self._apart = -1
        self._current: tuple[int, int] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        theme.changed.connect(self.update)

    def set_cells(
        self, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Shade]], gap_before: int = -1
    ) -> None:
        """Show these; one list of cells for each row."""
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._cells = tuple(tuple(line) for line in cells)
        self._apart = gap_before
        self._current = None
        self.setAccessibleDescription(self.tr("Arrow keys read the cells out"))
        self.updateGeometry()
        self.update()

    def current_words(self) -> str:
        """The words of the cell that is read out."""
        if self._current is None:
            return ""
        row, column = self._current
        return self._cells[row][column].words

    def text_of(self, row: int, column: int) -> str:
        """What stands in a cell."""
        return self._cells[row][column].text

    def sizeHint(self) -> QSize:
        """As high as the rows need, as wide as comfortable cells."""
        return QSize(
            round(self._names_width() + len(self._columns) * 56), round(self._head() + len(self._rows) * _ROW + 4)
        )

    def minimumSizeHint(self) -> QSize:
        """Cells may be narrow."""
        return QSize(round(self._names_width() + len(self._columns) * _NARROWEST), self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        """The tooltip: the words of a cell."""
        if isinstance(event, QHelpEvent):
            place = self._at(event.pos().toPointF())
            words = self._cells[place[0]][place[1]].words if place is not None else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names of columns that stand upright at another width need another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at a cell."""
        self._point(self._at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a cell."""
        place = self._at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._point(place)
            self.chosen.emit(*place)

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing."""
        self._point(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring, and a cell to start from."""
        super().focusInEvent(event)
        if self._current is None and self._cells and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._point((0, 0))
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Point at nothing."""
        super().focusOutEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys move from cell to cell; Return and Space choose one."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current is not None:
            self.chosen.emit(*self._current)
            return
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not self._cells:
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 0)
        if self._current is not None:
            row = min(max(row + move[0], 0), len(self._rows) - 1)
            column = min(max(column + move[1], 0), len(self._columns) - 1)
        self._point((row, column))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Names, shades, numbers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._cells:
            self._paint_heads(painter)
            for row in range(len(self._rows)):
                self._paint_row(painter, row)
        if self.hasFocus():
            draw_focus_ring(painter, QRectF(self.rect()), self._theme)

    def _paint_heads(self, painter: QPainter) -> None:
        theme = self._theme
        metrics = QFontMetricsF(theme.font("caption"))
        painter.setFont(theme.font("caption"))
        for column, name in enumerate(self._columns):
            here = self._current is not None and self._current[1] == column
            painter.setPen(theme.color("text" if here else "text_muted"))
            cell = self._cell(0, column)
            if not self._turned():
                head = QRectF(cell.left() - 2, _PAD, cell.width() + 4, metrics.height())
                painter.drawText(head, Qt.AlignmentFlag.AlignCenter, elided(metrics, name, head.width()))
                continue
            painter.save()
            painter.translate(cell.center().x(), cell.top() - 4)
            painter.rotate(-90)
            room = self._head() - _PAD - 4
            line = QRectF(0, -metrics.height() / 2, room, metrics.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, elided(metrics, name, room))
            painter.restore()

    def _paint_row(self, painter: QPainter, row: int) -> None:
        theme = self._theme
        small, body = QFontMetricsF(theme.font("caption")), QFontMetricsF(theme.font("body"))
        here = self._current is not None and self._current[0] == row
        first = self._cell(row, 0)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text" if here else "text_muted"))
        name = QRectF(_PAD, first.top(), self._names_width() - _PAD - 8, first.height())
        words = elided(body, self._rows[row], name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(theme.font("caption"))
        for column, shade in enumerate(self._cells[row]):
            cell = self._cell(row, column)
            painter.setPen(Qt.PenStyle.NoPen)
            strength = _FAINTEST + (_STRONGEST - _FAINTEST) * min(max(shade.share, 0.0), 1.0)
            painter.setBrush(theme.mixed(shade.role, strength) if shade.text else theme.mixed("grid", 0.35))
            painter.drawRoundedRect(cell, 4, 4)
            painter.setPen(theme.color("text"))
            painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, elided(small, shade.text, cell.width()))
            if self._current == (row, column):
                painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "control"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(cell, 4, 4)

    def _cell(self, row: int, column: int) -> QRectF:
        gap = 10 if 0 <= self._apart <= column else 0
        width = self._cell_width()
        left = self._names_width() + column * width + gap
        return QRectF(left, self._head() + row * _ROW, width - _GAP, _ROW - _GAP)

    def _names_width(self) -> float:
        metrics = QFontMetricsF(self._theme.font("body"))
        longest = max((metrics.horizontalAdvance(name) for name in self._rows), default=0.0)
        return min(longest, _LONGEST_NAME) + _PAD + 10

    def _turned(self) -> bool:
        """Whether the names of columns stand upright, for want of room."""
        metrics = QFontMetricsF(self._theme.font("caption"))
        width = self._cell_width()
        return any(metrics.horizontalAdvance(name) > width - 4 for name in self._columns)

    def _cell_width(self) -> float:
        room = self.width() - self._names_width() - _PAD - (10 if self._apart >= 0 else 0)
        return min(max(room / max(len(self._columns), 1), 8.0), _WIDEST)

    def _head(self) -> float:
        metrics = QFontMetricsF(self._theme.font("caption"))
        if not self._turned():
            return _PAD + metrics.height() + 6
        longest = max((metrics.horizontalAdvance(name) for name in self._columns), default=0.0)
        return _PAD + min(longest, _TURNED_HIGHEST) + 8

    def _at(self, spot: QPointF) -> tuple[int, int] | None:
        for row in range(len(self._rows)):
            for column in range(len(self._columns)):
                if self._cell(row, column).contains(spot):
                    return row, column
        return None

    def _point(self, place: tuple[int, int] | None) -> None:
        if place != self._current:
            self._current = place
            words = self.current_words()
            self.setAccessibleDescription(words or self.tr("Arrow keys read the cells out"))
            self.current_changed.emit(words)
            self.update()
