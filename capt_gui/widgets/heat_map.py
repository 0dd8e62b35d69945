"""A table of shares as shades: rows × columns, from two cells to two hundred classes; mouse and arrow keys read the cells out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import RIGHT, draw_text, elided
from capt_gui.widgets.plot_chart import PlotChart

_ROW = 26
_PAD = 6
_NARROWEST, _WIDEST = 8, 92
_HIGHEST = 560
_LONGEST_NAME = 150
# shades run from faint to strong, but no stronger than a figure can be read on; cells without a figure begin stronger
_FAINTEST, _FAINTEST_OF_MANY, _STRONGEST = 0.04, 0.2, 0.5
_NOTHING = 0.35
_TURNED_HIGHEST = 96
# the corner over the names of rows holds a button
_LEAST_HEAD = 32.0
_APART = 0.15
_PAGE = 10

At = Callable[[int, int], str]


class HeatMap(PlotChart):
    """A heat map with names on the left and above; `gap_before` sets a column apart.

    Signals: `current_changed(words)` when a cell is pointed at, "" for none; `chosen(row, column)` when one is clicked, or Return or Space
    pressed on it.

    Painting and pointing take a time that grows with the cells in sight: figures and names stand only where they fit.
    """

    current_changed = Signal(str)
    chosen = Signal(int, int)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self._rows: tuple[str, ...] = ()
        self._columns: tuple[str, ...] = ()
        self._shares: tuple[tuple[float, ...], ...] = ()
        self._text: At = "{}{}".format
        self._words: At = "{}{}".format
        self._role: At = "{}{}".format
        self._apart = -1
        self._current: tuple[int, int] | None = None
        # widths of the longest names of rows and columns, in pixels
        self._longest = (0.0, 0.0)
        self._images: list[Any] = []
        self._marks: Any = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_cells(
        self,
        rows: Sequence[str],
        columns: Sequence[str],
        shares: Sequence[Sequence[float]],
        *,
        text: At,
        words: At,
        role: At | None = None,
        gap_before: int = -1,
    ) -> None:
        """Show a table of shares as shaded cells; zoom and chosen cell are reset if the names of rows or columns are new.

        rows, columns: those names. shares: for each row one sequence of values in [0, 1], NaN for an empty cell.
        text, words, role: functions of (row, column) that return the text in a cell, its read-out and the name of its
        colour in the theme (None for the accent). gap_before: the column that a gap sets apart, −1 for none.
        """
        same = (tuple(rows), tuple(columns)) == (self._rows, self._columns)
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._shares = tuple(tuple(line) for line in shares)
        self._text, self._words, self._role = text, words, role or _accent
        self._apart = gap_before
        if not same:
            self._current = None
            self._measure()
            self.updateGeometry()
        self._draw()
        if not same:
            self.reset_zoom()
        self._tell()

    def current_words(self) -> str:
        """Return the read-out of the cell that the mouse or the keyboard points at, "" for none."""
        return self._words(*self._current) if self._current is not None else ""

    def text_of(self, row: int, column: int) -> str:
        """Return the text that stands in the cell at `row` and `column`, counted from 0."""
        return self._text(row, column)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return the rectangle of a cell in pixels of this widget at the present zoom; row and column count from 0."""
        rect, seen = self.plot_rect(), self.seen_rect()
        across, down = rect.width() / seen.width(), rect.height() / seen.height()
        left = rect.left() + (self._left_of(column) - seen.left()) * across
        return QRectF(left, rect.top() + (row - seen.top()) * down, across, down)

    def sizeHint(self) -> QSize:
        """Return the preferred size in pixels: as high as the rows need, up to a limit, with comfortable cells."""
        return QSize(
            round(self._names_width() + len(self._columns) * 56), round(self._head() + self._cells_height() + _PAD)
        )

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, with narrow cells; the height is that of `sizeHint`."""
        return QSize(round(self._names_width() + min(len(self._columns), 24) * _NARROWEST), self.sizeHint().height())

    def tooltip_at(self, position: QPointF) -> str:
        """Return the read-out of the cell at `position`, in pixels of this widget; "" where there is no cell."""
        place = self._cell_at(self.spot_at(position))
        return self._words(*place) if place is not None else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the cells anew, and ask for another height where the names of columns need it at this width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
        self._place_view()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Point at the first cell when the keyboard brings the focus and no cell is pointed at."""
        super().focusInEvent(event)
        if self._current is None and self._rows and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._point((0, 0))

    def point_at(self, spot: QPointF | None) -> None:
        """Point at the cell at `spot`, in coordinates of the cells (one unit a cell); None points at no cell."""
        self._point(self._cell_at(spot))

    def click_at(self, spot: QPointF) -> None:
        """Point at the cell at `spot`, in coordinates of the cells, and emit `chosen`; do nothing beside the cells."""
        if (place := self._cell_at(spot)) is not None:
            self._point(place)
            self.chosen.emit(*place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from cell to cell with the arrow keys, Home, End and the page keys; emit `chosen` on Return or Space."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current is not None:
            self.chosen.emit(*self._current)
            return
        end = len(self._columns)
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Home: (0, -end),
            Qt.Key.Key_End: (0, end),
            Qt.Key.Key_PageUp: (-_PAGE, 0),
            Qt.Key.Key_PageDown: (_PAGE, 0),
        }
        move = moves.get(key)
        if move is None or not self._rows:
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 0)
        if self._current is not None:
            row = min(max(row + move[0], 0), len(self._rows) - 1)
            column = min(max(column + move[1], 0), len(self._columns) - 1)
        self._point((row, column))
        self._bring_into_sight(row, column)

    def draw(self, painter: QPainter) -> None:
        """Paint the names of columns and rows that are in sight beside the cells."""
        if self._rows:
            self._paint_columns(painter)
            self._paint_rows(painter)

    def _paint_columns(self, painter: QPainter) -> None:
        metrics, rect, seen = QFontMetricsF(self._theme.font("caption")), self.plot_rect(), self.seen_rect()
        painter.setFont(self._theme.font("caption"))
        turned, size = self._turned(), rect.width() / seen.width()
        current = self._current[1] if self._current is not None else -1
        places = range(max(int(seen.left()) - 1, 0), min(math.ceil(seen.right()), len(self._columns)))
        length = self._head() - _PAD - 4 if turned else size + 4
        for column in _spaced(places, current, size, metrics.height() if turned else 0.0):
            middle = rect.left() + (self._left_of(column) + 0.5 - seen.left()) * size
            if not rect.left() - 1 <= middle <= rect.right() + 1:
                continue
            painter.setPen(self._theme.color("text" if column == current else "text_muted"))
            name = elided(metrics, self._columns[column], length)
            if not turned:
                head = QRectF(middle - length / 2, rect.top() - metrics.height() - 5, length, metrics.height())
                painter.drawText(head, Qt.AlignmentFlag.AlignCenter, name)
                continue
            painter.save()
            painter.translate(middle, rect.top() - 4)
            painter.rotate(-90)
            painter.drawText(QPointF(0, (metrics.ascent() - metrics.descent()) / 2), name)
            painter.restore()

    def _paint_rows(self, painter: QPainter) -> None:
        font = "body" if self._cells_height() >= _ROW * len(self._rows) else "caption"
        metrics, rect, seen = QFontMetricsF(self._theme.font(font)), self.plot_rect(), self.seen_rect()
        size, width = rect.height() / seen.height(), self._names_width() - _PAD - 8
        current = self._current[0] if self._current is not None else -1
        places = range(max(int(seen.top()), 0), min(math.ceil(seen.bottom()), len(self._rows)))
        for row in _spaced(places, current, size, metrics.height()):
            middle = rect.top() + (row + 0.5 - seen.top()) * size
            if not rect.top() - 1 <= middle <= rect.bottom() + 1:
                continue
            place = QRectF(_PAD, middle - metrics.height() / 2, width, metrics.height())
            color = "text" if row == current else "text_muted"
            draw_text(painter, place, self._rows[row], self._theme, font, color, RIGHT)

    def _on_theme_changed(self) -> None:
        self._measure()
        self._draw()

    def _draw(self) -> None:
        if not self._rows:
            if self._view is not None:
                self._view.hide()
            self.update()
            return
        if self._view is None:
            self._make_view()
        self._view.show()
        self._view.setBackground(self._theme.color("surface"))
        parts = [(0, self._apart), (self._apart, len(self._columns))] if self._apart > 0 else [(0, len(self._columns))]
        for image in self._images:
            self._box.removeItem(image)
        self._images = [self._image(first, last) for first, last in parts]
        for image in self._images:
            self._box.addItem(image, ignoreBounds=True)
        self._marks.restyle(self._theme)
        self._marks.show_cells(len(self._rows), len(self._columns), self._text)
        whole = QRectF(0, 0, self._left_of(len(self._columns)), len(self._rows))
        self._set_whole(whole, (min(3 / len(self._columns), 1.0), min(3 / len(self._rows), 1.0)))
        self._place_view()
        self._frame()

    def _make_view(self) -> None:
        import pyqtgraph

        from capt_gui.widgets.plot_items import CellMarks

        view = pyqtgraph.GraphicsView(self, useOpenGL=False)
        box = pyqtgraph.ViewBox(enableMenu=False, invertY=True, border=None)
        view.setCentralItem(box)
        self._marks = CellMarks(self._left_of)
        self._marks.setZValue(10)
        box.addItem(self._marks, ignoreBounds=True)
        self._adopt(view, box)

    def _image(self, first: int, last: int) -> Any:
        """The shades of some columns: one pixel a cell."""
        import numpy as np
        import pyqtgraph

        rows, columns = range(len(self._rows)), range(first, last)
        shares: Any = np.array([line[first:last] for line in self._shares], dtype=np.float32)
        roles = [self._role(row, column) for row in rows for column in columns]
        names = sorted(set(roles))
        which = np.array([names.index(role) for role in roles]).reshape(shares.shape)
        colors: Any = np.array([_rgb(self._theme.color(name)) for name in names], dtype=np.float32)
        ground: Any = np.array(_rgb(self._theme.color("surface")), dtype=np.float32)
        faintest = _FAINTEST if self._cells_height() >= _ROW * len(self._rows) else _FAINTEST_OF_MANY
        strength: Any = (faintest + (_STRONGEST - faintest) * np.clip(shares, 0, 1))[..., None]
        pixels: Any = strength * colors[which] + (1 - strength) * ground
        pixels[np.isnan(shares)] = _rgb(self._theme.mixed("grid", _NOTHING))
        image = pyqtgraph.ImageItem(np.rint(pixels).astype(np.uint8), axisOrder="row-major", autoLevels=False)
        image.setRect(QRectF(self._left_of(first), 0, last - first, len(self._rows)))
        return image

    def _place_view(self) -> None:
        if self._view is not None:
            width = self._cell_width() * len(self._columns) + (self._cell_width() * _APART if self._apart > 0 else 0)
            left, top = round(self._names_width()), round(self._head())
            self._view.setGeometry(left, top, max(round(width), 1), max(round(self._cells_height()), 1))

    def _left_of(self, column: int) -> float:
        return column + (_APART if 0 < self._apart <= column else 0.0)

    def _cells_height(self) -> float:
        return min(len(self._rows) * _ROW, _HIGHEST)

    def _measure(self) -> None:
        rows, columns = (QFontMetricsF(self._theme.font(role)) for role in ("body", "caption"))
        self._longest = (
            max((rows.horizontalAdvance(name) for name in self._rows), default=0.0),
            max((columns.horizontalAdvance(name) for name in self._columns), default=0.0),
        )

    def _names_width(self) -> float:
        return min(self._longest[0], _LONGEST_NAME) + _PAD + 10

    def _turned(self) -> bool:
        """Say whether the names of columns stand upright, for want of room."""
        return self._longest[1] > self._cell_width() - 4

    def _cell_width(self) -> float:
        """The width of a column while everything is in sight."""
        room = self.width() - self._names_width() - _PAD
        count = len(self._columns) + (_APART if self._apart > 0 else 0.0)
        return min(max(room / max(count, 1), 0.5), _WIDEST)

    def _head(self) -> float:
        if not self._turned():
            return max(_PAD + QFontMetricsF(self._theme.font("caption")).height() + 6, _LEAST_HEAD)
        return _PAD + min(self._longest[1], _TURNED_HIGHEST) + 8

    def _cell_at(self, spot: QPointF | None) -> tuple[int, int] | None:
        if spot is None or not self._rows:
            return None
        row, column = int(spot.y()), int(spot.x())
        if 0 < self._apart <= column:
            column = int(spot.x() - _APART) if spot.x() >= self._left_of(self._apart) else -1
        inside = 0 <= row < len(self._rows) and 0 <= column < len(self._columns)
        return (row, column) if inside else None

    def _focus_spot(self) -> QPointF | None:
        if self._current is None:
            return None
        return QPointF(self._left_of(self._current[1]) + 0.5, self._current[0] + 0.5)

    def _bring_into_sight(self, row: int, column: int) -> None:
        seen, left = self.seen_rect(), self._left_of(column)
        seen.moveLeft(min(max(seen.left(), left + 1 - seen.width()), left))
        seen.moveTop(min(max(seen.top(), row + 1 - seen.height()), row))
        self._look_at(seen)

    def _point(self, place: tuple[int, int] | None) -> None:
        if place != self._current:
            self._current = place
            self._frame()
            self._tell()

    def _frame(self) -> None:
        if self._marks is not None:
            self._marks.point_at(self._current, self._theme.color("focus" if self.hasFocus() else "control"))
        self.update()

    def _tell(self) -> None:
        words = self.current_words()
        self.setAccessibleDescription(words or self.tr("Arrow keys read the cells out"))
        self.current_changed.emit(words)


def _spaced(places: range, current: int, size: float, room: float) -> list[int]:
    """The places whose names are written where each has `size` pixels and a name takes `room`: evenly spaced, and the current one."""
    step = max(math.ceil(room / max(size, 0.1)), 1)
    shown = [place for place in places if place % step == 0]
    if current in places and current not in shown:
        shown = [place for place in shown if abs(place - current) >= step]
        shown.append(current)
    return shown


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


def _accent(_row: int, _column: int) -> str:
    return "accent"
