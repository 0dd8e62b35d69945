"""Axes and cells drawn with pyqtgraph. Loaded when a chart first has something to draw: it takes longer than the window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText, QTransform

from capt_gui.theme import Theme

_GAP = 2.0
# cells smaller than this have no gaps between them, in pixels
_LEAST_WITH_GAPS = 9.0


class Axis(pg.AxisItem):  # type: ignore[misc]
    """One row of ticks: at `places`, as many as there is room for, or where there are none at round values. whole: at integers only."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.written: Callable[[float], str] = "{:g}".format
        self.places: Sequence[float] = ()
        self.whole = False
        self._room = 34.0
        self.enableAutoSIPrefix(False)

    def boundingRect(self) -> QRectF:
        """Return the rectangle of the axis with room for the texts at its ends, which pyqtgraph leaves out."""
        rect: QRectF = super().boundingRect()
        return rect.adjusted(-self._room, -self._room, self._room, self._room)

    def restyle(self, theme: Theme, *, grid: bool) -> None:
        """Take the theme's colours and font; `grid` draws lines across the plot at the ticks."""
        font = theme.font("caption")
        self._room = (2.2 if self.orientation == "left" else 4.4) * QFontMetricsF(font).height()
        self.setStyle(tickFont=font, tickLength=0, tickTextOffset=6, hideOverlappingLabels=False)
        self.setPen(pg.mkPen(None))
        self.setTickPen(pg.mkPen(theme.color("grid"), width=1))
        self.setTextPen(pg.mkPen(theme.color("text_muted")))
        self.setGrid(255 if grid else False)
        # the grid lies below the curves
        self.setZValue(-1)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Return the values at which ticks stand between `low` and `high`, where the axis is `size` pixels long.

        The result is in the form of pyqtgraph: one (spacing, values) pair.
        """
        if self.places:
            return [(1.0, apart(self.places, low, high, 0.6 * self._room * (high - low) / max(size, 1)))]
        return [(1.0, ticks(low, high, max(2, int(size / self._room)), whole=self.whole))]

    def tickStrings(self, values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
        """Return the text of each tick in `values`; scale and spacing, which pyqtgraph gives, are not used."""
        return [self.written(value) for value in values]


def ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """Return about `count` round values from `low` to `high`, ascending; with `whole`, integers only.

    A range that is empty or not finite gives `low` alone.
    """
    if high <= low or not math.isfinite(high - low):
        return [low]
    raw = (high - low) / max(count, 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    if whole:
        step = float(max(1, math.ceil(step)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def apart(places: Sequence[float], low: float, high: float, least: float) -> list[float]:
    """Return those of ascending places from `low` to `high` that are `least` or more from the one returned before."""
    kept: list[float] = []
    for place in places:
        if low <= place <= high and (not kept or place - kept[-1] >= least):
            kept.append(place)
    return kept


class CellMarks(pg.GraphicsObject):  # type: ignore[misc]
    """The figures of the cells, the gaps between them and the frame of one of them; only what is in sight is visited.

    Cells are one unit wide and high. left_of: where a column begins.
    """

    def __init__(self, left_of: Callable[[int], float]) -> None:
        super().__init__()
        self._left_of = left_of
        self._shape = (0, 0)
        self._text: Callable[[int, int], str] = "{}{}".format
        self._figures: dict[str, QStaticText] = {}
        self._font = QFont()
        self._ink, self._ground, self._frame = QColor(), QColor(), QColor()
        self._current: tuple[int, int] | None = None

    def show_cells(self, rows: int, columns: int, text: Callable[[int, int], str]) -> None:
        """Mark a table of so many rows and columns; `text(row, column)` is drawn in the cells if all in sight fit."""
        self.prepareGeometryChange()
        self._shape, self._text = (rows, columns), text
        self.update()

    def restyle(self, theme: Theme) -> None:
        """Take the theme's colours and font, and paint again."""
        self._figures.clear()
        self._font = theme.font("caption")
        self._ink, self._ground = theme.color("text"), theme.color("surface")
        self.update()

    def point_at(self, current: tuple[int, int] | None, frame: QColor) -> None:
        """Draw a frame of colour `frame` around the cell `current`, a (row, column) pair; None for no cell."""
        self._current, self._frame = current, frame
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the rectangle of all cells, one unit each, with room for the frame of a cell at the edge."""
        rows, columns = self._shape
        return QRectF(-1, -1, self._left_of(columns) + 2, rows + 2)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint gaps, figures and frame of the cells in sight, in pixels so that letters and gaps keep their size."""
        box = self.getViewBox()
        seen = box.viewRect()
        rows = range(max(int(seen.top()), 0), min(math.ceil(seen.bottom()), self._shape[0]))
        columns = [
            column
            for column in range(max(int(seen.left()) - 1, 0), min(math.ceil(seen.right()), self._shape[1]))
            if self._left_of(column) + 1 > seen.left()
        ]
        place = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        unit = place.mapRect(QRectF(0, 0, 1, 1))
        if min(unit.width(), unit.height()) >= _LEAST_WITH_GAPS:
            self._paint_gaps(painter, place, rows, columns)
        if unit.height() >= QFontMetricsF(self._font).height() and unit.width() >= _LEAST_WITH_GAPS:
            self._paint_figures(painter, place, rows, columns)
        if self._current is not None:
            row, column = self._current
            painter.setPen(QPen(self._frame, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            cell = place.mapRect(QRectF(self._left_of(column), row, 1, 1))
            reach = 0.0 if unit.width() >= _LEAST_WITH_GAPS else 2.0
            painter.drawRoundedRect(cell.adjusted(-reach, -reach, reach, reach), 3, 3)
        painter.restore()

    def _paint_gaps(self, painter: QPainter, place: QTransform, rows: range, columns: list[int]) -> None:
        if not rows or not columns:
            return
        lines = []
        left, right = self._left_of(columns[0]), self._left_of(columns[-1]) + 1
        for row in range(rows.start, rows.stop + 1):
            lines += [place.map(QPointF(left, row)), place.map(QPointF(right, row))]
        for column in columns:
            for x in (self._left_of(column), self._left_of(column) + 1):
                lines += [place.map(QPointF(x, rows.start)), place.map(QPointF(x, rows.stop))]
        painter.setPen(QPen(self._ground, _GAP))
        painter.drawLines(lines)

    def _paint_figures(self, painter: QPainter, place: QTransform, rows: range, columns: list[int]) -> None:
        """All figures in sight, or none where one of them would not fit: a table with gaps would read as a table with zeros."""
        cells = [
            (row, column, self._figure(words))
            for row in rows
            for column in columns
            if (words := self._text(row, column))
        ]
        unit = place.mapRect(QRectF(0, 0, 1, 1))
        if max((figure.size().width() for _, _, figure in cells), default=0.0) > unit.width() - _GAP:
            return
        painter.setFont(self._font)
        painter.setPen(self._ink)
        for row, column, figure in cells:
            spare = (unit.size() - figure.size()) / 2
            painter.drawStaticText(
                place.map(QPointF(self._left_of(column), row)) + QPointF(spare.width(), spare.height()), figure
            )

    def _figure(self, words: str) -> QStaticText:
        if words not in self._figures:
            self._figures[words] = QStaticText(words)
            self._figures[words].setTextFormat(Qt.TextFormat.PlainText)
            self._figures[words].prepare(font=self._font)
        return self._figures[words]
