"""Lines over steps, epochs or budgets, with bands and levels."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRectF, Qt

from capt_engine import records
from capt_engine.formatting import number, percent, tick
from capt_engine.records import LINEAR, LOG
from capt_gui.theme import Theme
from capt_gui.widgets.axes_chart import AxesChart
from capt_gui.widgets.legend import Entry

# a band is its line's colour, so faint that the line and the grid stay readable
_BAND = 0.18
# room around what is drawn, as a share of it, so that strokes and marks at the ends are whole
_ROOM = 0.03
_WIDE_UP_TO = 500
_ALL_READ_OUT = 12


@dataclass(frozen=True)
class Line:
    """One line: `xs` ascending, `ys` beside them, perhaps a band from `lows` to `highs`; `marks` draws a dot at each value."""

    name: str
    role: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    style: Qt.PenStyle = Qt.PenStyle.SolidLine
    marks: bool = False

    def points(self) -> tuple[tuple[float, float, float, float], ...]:
        """Return the line's points (x, y, low, high) in order; low and high are y where the line has no band."""
        return tuple(zip(self.xs, self.ys, self.lows or self.ys, self.highs or self.ys, strict=True))


@dataclass(frozen=True)
class Level:
    """A dashed line across the chart, at one value."""

    name: str
    role: str
    value: float


class LineChart(AxesChart):
    """Lines with their values at one place, the latest where none is chosen.

    share: values are fractions and the scale is 0 to 100 %; otherwise it starts at zero and holds what there is.
    """

    def __init__(self, theme: Theme, title: str, x_name: str, y_name: str, empty: str, *, share: bool = False) -> None:
        """x_name, y_name: the names of the axes; empty: the text where there is nothing to draw."""
        super().__init__(theme, title, empty, share=share)
        self._x_name, self._y_name = x_name, y_name
        self._lines: tuple[Line, ...] = ()
        self._levels: tuple[Level, ...] = ()
        self._end, self._scale, self._x_title = 0.0, LINEAR, x_name
        # the place on a logarithmic axis at which 0 stands
        self._zero = 1.0
        self._dots: Any = None

    def set_lines(
        self,
        lines: tuple[Line, ...],
        levels: tuple[Level, ...] = (),
        end: float = 0.0,
        *,
        scale: str = LINEAR,
        x_title: str = "",
    ) -> None:
        """Show these lines and, as dashed lines across the chart, these levels.

        end: the x at which the axis ends, 0 where that is unknown. scale: LINEAR or LOG, of the x axis; on LOG a 0
        stands at half the smallest x above it. x_title: the name of the x axis with its unit in saved charts, "" for
        the name that is shown.
        """
        self._lines, self._levels, self._end = lines, levels, end
        self._x_title = x_title or self._x_name
        self._places = sorted({x for line in lines for x in line.xs})
        positive = [place for place in self._places if place > 0]
        self._scale = scale if positive else LINEAR
        self._zero = min(positive, default=1.0) / 2
        self._draw()

    def description(self) -> str:
        """Return the values at the chosen x, or at the last where none is chosen, as a sentence."""
        if not self._places:
            return self._empty
        place = self._place()
        values = [f"{line.name} {self._value(line, place)}" for line in self._lines if line.xs]
        values += [f"{level.name} {self._written(level.value)}" for level in self._levels]
        return f"{self._x_name} {tick(place)}: " + ", ".join(values)

    def record(self) -> records.LineChart | None:
        """Return lines, levels and a description of the chart, for saving it to a file; None while it has no points."""
        if not self._places:
            return None
        levels = tuple(records.Level(f"{one.name}, {self._written(one.value)}", one.value) for one in self._levels)
        return records.LineChart(
            self.accessibleName(),
            self._x_title,
            self._y_name,
            tuple(records.Series(line.name, line.points()) for line in self._lines),
            f"{self.accessibleName()}. {'. '.join(self._as_text(line) for line in self._lines if line.xs)}.",
            self._scale,
            percent=self._share,
            levels=levels,
        )

    def _draw_items(self, item: Any) -> None:
        import pyqtgraph as pg

        theme = self._theme
        for line in self._lines:
            color, xs = theme.color(line.role), [self._at(x) for x in line.xs]
            if line.lows and line.highs:
                tint = theme.color(line.role)
                tint.setAlphaF(_BAND)
                ends = (pg.PlotCurveItem(xs, list(line.highs)), pg.PlotCurveItem(xs, list(line.lows)))
                item.addItem(pg.FillBetweenItem(*ends, brush=tint))
            # strokes of one pixel are drawn many times faster, and of a thousand steps a wider one shows no more
            width = 2 if len(xs) <= _WIDE_UP_TO else 1
            curve = item.plot(xs, list(line.ys), pen=pg.mkPen(color, width=width, style=line.style), antialias=True)
            curve.setDownsampling(auto=True, method="peak")
            curve.setClipToView(True)
            if line.marks or len(xs) == 1:
                item.addItem(pg.ScatterPlotItem(xs, list(line.ys), size=7, pen=None, brush=color))
        for level in self._levels:
            pen = pg.mkPen(theme.color(level.role), width=1.4, style=Qt.PenStyle.DashLine)
            item.addItem(pg.InfiniteLine(level.value, angle=0, pen=pen))
        self._dots = pg.ScatterPlotItem(size=9, pen=pg.mkPen(theme.color("surface"), width=2))
        item.addItem(self._dots)

    def _style_axes(self, left: Any, bottom: Any) -> None:
        super()._style_axes(left, bottom)
        bottom.whole = True
        bottom.places = [self._at(place) for place in self._places] if self._scale == LOG else ()
        bottom.written = self._tick_at

    def _show_place(self) -> None:
        place = self._place()
        entries = [Entry(self._x_name, tick(place))]
        entries += [
            Entry(line.name, self._value(line, place), line.role, line.style) for line in self._lines if line.xs
        ]
        dashed = Qt.PenStyle.DashLine
        entries += [Entry(level.name, self._written(level.value), level.role, dashed) for level in self._levels]
        self._legend.set_entries(entries)
        self._dots.setVisible(self._cursor is not None)
        if self._cursor is not None:
            here = [(line, _index(line, place)) for line in self._lines if line.xs and line.xs[0] <= place]
            self._dots.setData(
                [self._at(line.xs[index]) for line, index in here],
                [line.ys[index] for line, index in here],
                brush=[self._theme.color(line.role) for line, _ in here],
            )

    def _everything(self) -> QRectF:
        """The coordinates of all there is, and of what is still to come."""
        low, high = self._places[0], max(self._end, self._places[-1])
        if self._scale == LINEAR:
            low, high = min(low, 1.0), high if high > min(low, 1.0) else min(low, 1.0) + 1
        elif high <= low:
            high = low * 10
        low, high = self._at(low), self._at(high)
        values = [y for line in self._lines for y in (*line.ys, *line.highs, *line.lows) if math.isfinite(y)]
        values += [level.value for level in self._levels]
        bottom, top = (0.0, 1.0) if self._share else (min([*values, 0.0]), max([*values, 0.0]) or 1.0)
        across, up = (high - low) * _ROOM, (top - bottom) * _ROOM
        return QRectF(low - across, bottom - up, high - low + 2 * across, top - bottom + 2 * up)

    def _at(self, place: float) -> float:
        """The coordinate of a place of the x axis."""
        return math.log10(max(place, self._zero)) if self._scale == LOG else place

    def _tick_at(self, at: float) -> str:
        """Return the text of the place at a coordinate."""
        if self._scale == LOG:
            return tick(self._places[max(bisect_right(self._places, at + 1e-9, key=self._at) - 1, 0)])
        return tick(at)

    def _place(self) -> float:
        """Return the x that is read out: the chosen one, or the latest."""
        return self._places[-1] if self._cursor is None else self._cursor

    def _value(self, line: Line, place: float) -> str:
        """The line's value there, or the one before."""
        index = _index(line, place)
        text = self._written(line.ys[index])
        if line.lows and line.highs:
            low = self._written(line.lows[index])
            if self._share:
                low = low.removesuffix(" %")
            text += f" ({low}–{self._written(line.highs[index])})"
        return text

    def _as_text(self, line: Line) -> str:
        """A line as text: its values, or of many the first and the last."""
        places = line.xs if len(line.xs) <= _ALL_READ_OUT else (line.xs[0], line.xs[-1])
        values = ", ".join(self.tr("{} at {}").format(self._value(line, place), tick(place)) for place in places)
        return self.tr("{} by {}: {}").format(line.name, self._x_name, values)

    def _written(self, value: float) -> str:
        if self._share:
            return percent(value)
        return number(value)


def _index(line: Line, place: float) -> int:
    """The last value up to a place, or the first."""
    return max(bisect_right(line.xs, place) - 1, 0)
