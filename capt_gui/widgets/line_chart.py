"""Lines over steps, epochs or budgets, with bands and levels."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from capt_engine import records
from capt_engine.formatting import exact_percent, number, percent, tick
from capt_engine.records import LINEAR, LOG
from capt_gui.theme import Theme
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import text
from capt_gui.widgets.legend import Entry, Legend
from capt_gui.widgets.plot_chart import PlotChart

# a band is its line's colour, so faint that the line and the grid stay readable
_BAND = 0.18
# room around what is drawn, as a share of it, so that strokes and marks at the ends are whole
_ROOM = 0.03
_WIDE_UP_TO = 500
_ALL_TOLD = 12
# for the buttons in the corner
_BUTTONS = 62


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
        """The values as a chart's record has them: (x, y, low, high), both y where there is no band."""
        return tuple(zip(self.xs, self.ys, self.lows or self.ys, self.highs or self.ys, strict=True))


@dataclass(frozen=True)
class Level:
    """A dashed line across the chart, at one value."""

    name: str
    role: str
    value: float


class LineChart(PlotChart):
    """A title, a legend that carries the values at one place, and the lines; Left and Right, or the mouse, choose the place.

    share: values are fractions and the scale is 0 to 100 %; otherwise it starts at zero and holds what there is.
    """

    def __init__(self, theme: Theme, title: str, x_word: str, y_word: str, empty: str, *, share: bool = False) -> None:
        """x_word, y_word: the names of the axes; empty: the words where there is nothing to draw."""
        super().__init__(theme, title)
        self._x_word, self._y_word, self._empty, self._share = x_word, y_word, empty, share
        self._lines: tuple[Line, ...] = ()
        self._levels: tuple[Level, ...] = ()
        self._end, self._scale, self._x_title = 0.0, LINEAR, x_word
        # the place on a logarithmic axis at which 0 stands
        self._zero = 1.0
        # every x that has a value
        self._places: list[float] = []
        # the place that is read out; None reads the latest
        self._cursor: float | None = None
        self._rule: Any = None
        self._dots: Any = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleDescription(empty)
        self._title = ElidedLabel(title, "strong")
        self._legend = Legend(theme)
        self._nothing = text(empty, "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._legend)
        layout.addWidget(self._nothing, 1)
        self._title.setContentsMargins(0, 0, _BUTTONS, 0)
        self._legend.hide()
        for label in (self._legend, self._nothing):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self._draw)

    def set_lines(
        self,
        lines: tuple[Line, ...],
        levels: tuple[Level, ...] = (),
        end: float = 0.0,
        *,
        scale: str = LINEAR,
        x_title: str = "",
    ) -> None:
        """Show these lines; `end` is where the x axis will end, 0 where nobody knows.

        scale: of the x axis, LINEAR or LOG; on the latter a 0 stands one step below the smallest place above it. x_title: the name
        of the x axis with its unit, for who saves it.
        """
        self._lines, self._levels, self._end = lines, levels, end
        self._x_title = x_title or self._x_word
        self._places = sorted({x for line in lines for x in line.xs})
        positive = [place for place in self._places if place > 0]
        self._scale = scale if positive else LINEAR
        self._zero = min(positive, default=1.0) / 2
        if self._cursor not in self._places:
            self._cursor = None
        self._draw()

    def description(self) -> str:
        """Return the values that are read out now, in words."""
        place = self._place()
        if place is None:
            return self._empty
        values = [f"{line.name} {self._value(line, place)}" for line in self._lines if line.xs]
        values += [f"{level.name} {self._written(level.value)}" for level in self._levels]
        return f"{self._x_word} {self._called(place)}: " + ", ".join(values)

    def record(self) -> records.LineChart | None:
        """The chart as values, to be saved; None while it is empty."""
        if not self._places:
            return None
        levels = tuple(records.Level(f"{one.name}, {self._written(one.value)}", one.value) for one in self._levels)
        return records.LineChart(
            self.accessibleName(),
            self._x_title,
            self._y_word,
            tuple(records.Series(line.name, line.points()) for line in self._lines),
            f"{self.accessibleName()}. {'. '.join(self._told(line) for line in self._lines if line.xs)}.",
            self._scale,
            percent=self._share,
            levels=levels,
        )

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(380, 176)

    def minimumSizeHint(self) -> QSize:
        """So small that the lines can still be told apart."""
        return QSize(220, 124)

    def point_at(self, spot: QPointF | None) -> None:
        """Read out the place nearest to a spot; the latest again for none."""
        nearest = None
        if self._places and spot is not None:
            after = bisect_right(self._places, spot.x(), key=self._at)
            nearest = min(
                self._places[max(after - 1, 0) : after + 1], key=lambda place: abs(self._at(place) - spot.x())
            )
        self._read(nearest)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Read out the latest again."""
        super().focusOutEvent(event)
        self._read(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right, Home and End move through the values; Escape goes back to the latest."""
        places, key = self._places, Qt.Key(event.key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if places and key in moves:
            here = places.index(self._cursor) if self._cursor in places else len(places) - 1
            self._read(places[min(max(here + moves[key], 0), len(places) - 1)], follow=True)
        elif places and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._read(places[0 if key == Qt.Key.Key_Home else -1], follow=True)
        elif key == Qt.Key.Key_Escape and self._cursor is not None:
            self._read(None)
        else:
            super().keyPressEvent(event)

    def _draw(self) -> None:
        there = self._place() is not None
        self._nothing.setVisible(not there)
        self._legend.setVisible(there)
        if there and self._view is None:
            self._make_view()
        if self._view is not None:
            self._view.setVisible(there)
        if there:
            self._draw_lines()
            self._set_whole(self._everything(), (2 / max(len(self._places), 200), 0.005))
        self._show_place()

    def _make_view(self) -> None:
        import pyqtgraph

        from capt_gui.widgets.plot_items import Axis

        axes = {side: Axis(side) for side in ("left", "bottom")}
        view = pyqtgraph.PlotWidget(self, useOpenGL=False, enableMenu=False, axisItems=axes)
        item = view.getPlotItem()
        item.hideButtons()
        self._rule = pyqtgraph.InfiniteLine(angle=90)
        self._dots = pyqtgraph.ScatterPlotItem(size=9)
        self._adopt(view, item.getViewBox())
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addWidget(view, 1)

    def _draw_lines(self) -> None:
        import pyqtgraph as pg

        theme, item = self._theme, self._view.getPlotItem()
        self._view.setBackground(theme.color("surface"))
        item.clear()
        self._style_axes(item)
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
        self._rule.setPen(pg.mkPen(theme.color("control"), width=1))
        self._dots.setPen(pg.mkPen(theme.color("surface"), width=2))
        item.addItem(self._rule)
        item.addItem(self._dots)

    def _style_axes(self, item: Any) -> None:
        left, bottom = item.getAxis("left"), item.getAxis("bottom")
        metrics = QFontMetricsF(self._theme.font("caption"))
        left.written = self._tick
        left.restyle(self._theme, grid=True)
        left.setWidth(metrics.horizontalAdvance("100 %" if self._share else "0.0000") + 8)
        bottom.whole = True
        bottom.places = [self._at(place) for place in self._places] if self._scale == LOG else ()
        bottom.written = self._called_at
        bottom.restyle(self._theme, grid=False)
        bottom.setHeight(metrics.height() + 8)
        # the last word of the axis is centred below the last place
        item.layout.setContentsMargins(0, 2, metrics.horizontalAdvance("0000") / 2, 0)

    def _show_place(self) -> None:
        self.setAccessibleDescription(self.description())
        place = self._place()
        if place is None:
            return
        entries = [Entry(self._x_word, self._called(place))]
        entries += [
            Entry(line.name, self._value(line, place), line.role, line.style) for line in self._lines if line.xs
        ]
        dashed = Qt.PenStyle.DashLine
        entries += [Entry(level.name, self._written(level.value), level.role, dashed) for level in self._levels]
        self._legend.set_entries(entries)
        self._rule.setVisible(self._cursor is not None)
        self._dots.setVisible(self._cursor is not None)
        if self._cursor is not None:
            at = self._at(self._cursor)
            self._rule.setPos(at)
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

    def _called_at(self, at: float) -> str:
        """The words of the place at a coordinate."""
        if self._scale == LOG:
            return self._called(self._places[max(bisect_right(self._places, at + 1e-9, key=self._at) - 1, 0)])
        return self._called(at)

    def _called(self, place: float) -> str:
        """A place on the x axis in words."""
        return tick(place)

    def _place(self) -> float | None:
        """The x that is read out."""
        if self._cursor is not None:
            return self._cursor
        return self._places[-1] if self._places else None

    def _focus_spot(self) -> QPointF | None:
        return QPointF(self._at(self._cursor), self.seen_rect().center().y()) if self._cursor is not None else None

    def _value(self, line: Line, place: float) -> str:
        """The line's value there, or the one before."""
        index = _index(line, place)
        words = self._written(line.ys[index])
        if line.lows and line.highs:
            low = self._written(line.lows[index])
            if self._share:
                low = low.removesuffix(" %")
            words += f" ({low}–{self._written(line.highs[index])})"
        return words

    def _told(self, line: Line) -> str:
        """A line in words: its values, or of many the first and the last."""
        places = line.xs if len(line.xs) <= _ALL_TOLD else (line.xs[0], line.xs[-1])
        values = ", ".join(f"{self._value(line, place)} at {self._called(place)}" for place in places)
        return f"{line.name} by {self._x_word}: {values}"

    def _written(self, value: float) -> str:
        if self._share:
            return percent(value)
        return number(value)

    def _tick(self, value: float) -> str:
        return exact_percent(value) if self._share else tick(value)

    def _read(self, place: float | None, *, follow: bool = False) -> None:
        """Read out a place; follow: bring it into sight."""
        if place == self._cursor:
            return
        self._cursor = place
        if place is not None and follow:
            seen, at = self.seen_rect(), self._at(place)
            if not seen.left() <= at <= seen.right():
                seen.moveCenter(QPointF(at, seen.center().y()))
                self._look_at(seen)
        self._show_place()


def _index(line: Line, place: float) -> int:
    """The last value up to a place, or the first."""
    return max(bisect_right(line.xs, place) - 1, 0)
