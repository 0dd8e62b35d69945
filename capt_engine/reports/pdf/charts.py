"""Line and bar charts of a report, drawn as vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fpdf.structure_tree import StructElem

from capt_engine.records import Bar, BarChart, LineChart, Series
from capt_engine.reports.pdf.blocks import caption_pieces, text_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import (
    BLUE,
    HAIRLINE,
    INK,
    LEFT,
    MUTED,
    NOTE,
    RGB,
    SERIES_COLORS,
    SERIES_DASHES,
    SERIES_MARKERS,
    SMALL,
    WHITE,
    WIDTH,
    Style,
    mixed,
)

_TICK = Style(7, color=MUTED, leading=1.3)
_AXIS = Style(7.4, color=INK, leading=1.3)
_PLOT_HEIGHT = 66.0
_MOST_BARS = 40
_DIRECT_LABELS = 6


@dataclass(frozen=True)
class _Scale:
    """A value's place on the page. log: steps of equal ratio, with 0 one step below the smallest."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / (high - low) if high > low else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _bent(self, value: float) -> float:
        return math.log2(max(value, self.low)) if self.log else value


def line_chart_pieces(canvas: Canvas, parent: StructElem, block: LineChart) -> Iterator[Piece]:
    """The chart with its title, kept whole."""
    yield from caption_pieces(canvas, parent, block.caption)
    series = tuple(Series(one.name, tuple(p for p in one.points if all(map(math.isfinite, p)))) for one in block.series)
    drawn = tuple(one for one in series if one.points)
    if not drawn:
        yield from text_pieces(canvas, parent, "There is nothing to draw.", NOTE, gap=1.6)
        return
    figure = canvas.tree.branch("Div", parent)
    chart = _Lines(canvas, block, drawn)

    def draw(top: float) -> None:
        with canvas.marked(figure, "Figure", block.alt):
            chart.draw(top)

    yield Piece(chart.height, draw, gap=1.5)


class _Lines:
    """One line chart, measured and ready to draw."""

    def __init__(self, canvas: Canvas, block: LineChart, series: tuple[Series, ...]) -> None:
        self._canvas = canvas
        self._block = block
        self._series = series
        self._direct = len(series) <= _DIRECT_LABELS
        points = [point for one in series for point in one.points]
        ys = [value for point in points for value in point[1:]]
        self._percent = min(ys) >= 0 and max(ys) <= 1
        self._y_ticks = [0, 0.2, 0.4, 0.6, 0.8, 1] if self._percent else _nice_ticks(min(ys), max(ys))
        self._xs = sorted({point[0] for point in points})
        positive = [x for x in self._xs if x > 0]
        self._log = self._xs[0] >= 0 and len(positive) > 2 and positive[-1] / positive[0] > 40
        self._smallest = positive[0] if positive else 0.0
        self._label_width = 42.0 if self._direct and any(one.name for one in series) else 0.0
        self._labels = (
            [canvas.wrap(one.name, SMALL, self._label_width - 8)[:3] for one in series] if self._label_width else []
        )
        self._legend = [] if self._direct else self._legend_rows()
        self.height = 5.5 + _PLOT_HEIGHT + 11 + len(self._legend) * 5.0

    def _legend_rows(self) -> list[list[tuple[int, str]]]:
        names = [(number, self._canvas.fitted(one.name, SMALL, 46)) for number, one in enumerate(self._series)]
        return [names[start : start + 3] for start in range(0, len(names), 3)]

    def draw(self, top: float) -> None:
        canvas = self._canvas
        left, right = LEFT + 11, LEFT + WIDTH - self._label_width - 3
        upper, lower = top + 5.5, top + 5.5 + _PLOT_HEIGHT
        y_scale = _Scale(self._y_ticks[0], self._y_ticks[-1], lower, upper)
        x_scale = self._x_scale(left, right)
        canvas.line_of_text(LEFT, top - 0.5, canvas.fitted(self._block.y_title, _AXIS, WIDTH), _AXIS)
        for tick in self._y_ticks:
            y = y_scale(tick)
            base = tick == self._y_ticks[0]
            canvas.rule(y, left, right - left, 0.25 if base else 0.12, MUTED if base else HAIRLINE)
            canvas.line_of_text(left - 2, y - 1.6, _value(tick, self._percent), _TICK, "right", height=3.2)
        self._x_axis(x_scale, left, right, lower)
        for number, one in enumerate(self._series):
            low = [(x_scale(x), y_scale(low)) for x, _, low, _ in one.points]
            high = [(x_scale(x), y_scale(high)) for x, _, _, high in one.points]
            color = _color(number)
            if len(one.points) > 1:
                canvas.area([*high, *reversed(low)], color, 0.13)
            for (x, y_low), (_, y_high) in zip(low, high, strict=True):
                canvas.stroke(((x, y_low), (x, y_high)), 0.18, mixed(color, 0.6))
        for number, one in enumerate(self._series):
            self._line([(x_scale(x), y_scale(y)) for x, y, _, _ in one.points], number)
        self._names(y_scale, x_scale, right)
        for row_number, row in enumerate(self._legend):
            for place, (number, name) in enumerate(row):
                x, y = left + place * 54.0, lower + 13 + row_number * 5.0
                self._line([(x, y), (x + 6, y)], number)
                canvas.line_of_text(x + 8, y - 2, name, SMALL, height=4)

    def _x_scale(self, left: float, right: float) -> _Scale:
        low, high = self._xs[0], self._xs[-1]
        if self._log:
            return _Scale(self._smallest / 2 if low == 0 else low, high, left + 4, right - 2, log=True)
        return _Scale(low, high if high > low else low + 1, left + 4, right - 2)

    def _x_axis(self, scale: _Scale, left: float, right: float, lower: float) -> None:
        canvas = self._canvas
        ticks = self._xs if len(self._xs) <= 12 else _nice_ticks(self._xs[0], self._xs[-1])
        taken = -math.inf
        for tick in ticks:
            if not self._xs[0] <= tick <= self._xs[-1]:
                continue
            x, text = scale(tick), _value(tick, percent=False)
            canvas.stroke(((x, lower), (x, lower + 1)), 0.25, MUTED)
            half = canvas.width(text, _TICK) / 2
            if x - half > taken + 1:
                canvas.line_of_text(x, lower + 1.4, text, _TICK, "center")
                taken = x + half
        title = self._block.x_title + (" — equal steps are equal ratios" if self._log else "")
        canvas.line_of_text((left + right) / 2, lower + 5.6, canvas.fitted(title, _AXIS, right - left), _AXIS, "center")

    def _line(self, points: Sequence[tuple[float, float]], number: int) -> None:
        if len(points) > 1:
            self._canvas.stroke(points, 0.5, _color(number), SERIES_DASHES[number % len(SERIES_DASHES)])
        kind = SERIES_MARKERS[number % len(SERIES_MARKERS)]
        for x, y in points:
            self._canvas.marker(x, y, kind, WHITE, 1.45)
            self._canvas.marker(x, y, kind, _color(number), 1.05)

    def _names(self, y_scale: _Scale, x_scale: _Scale, right: float) -> None:
        """Each line's name at its end, moved apart where two ends are near."""
        if not self._label_width:
            return
        heights = [len(lines) * SMALL.line_height for lines in self._labels]
        ends = [y_scale(one.points[-1][1]) for one in self._series]
        order = sorted(range(len(ends)), key=lambda number: (ends[number], number))
        places = _apart(
            [ends[number] for number in order], [heights[number] + 0.8 for number in order], y_scale.end, y_scale.start
        )
        for number, middle in zip(order, places, strict=True):
            last = x_scale(self._series[number].points[-1][0])
            self._canvas.stroke(((last + 1.8, ends[number]), (right + 1.5, middle)), 0.15, mixed(_color(number), 0.6))
            self._canvas.marker(right + 3.6, middle, SERIES_MARKERS[number % len(SERIES_MARKERS)], _color(number), 1.05)
            style = Style(SMALL.size, color=mixed(_color(number), 0.8, INK), leading=SMALL.leading)
            self._canvas.lines(right + 6.2, middle - heights[number] / 2, self._labels[number], style)


def _apart(middles: list[float], heights: list[float], low: float, high: float) -> list[float]:
    """The middles, in order, moved as little as is simple so that nothing of these heights overlaps between low and high."""
    places = list(middles)
    below = low
    for number, height in enumerate(heights):
        places[number] = max(places[number], below + height / 2)
        below = places[number] + height / 2
    above = max(high + 2, sum(heights) + low)
    for number in range(len(places) - 1, -1, -1):
        places[number] = min(places[number], above - heights[number] / 2)
        above = places[number] - heights[number] / 2
    return places


def bar_chart_pieces(canvas: Canvas, parent: StructElem, block: BarChart) -> Iterator[Piece]:
    """Lying bars, so that names can be read; of very many the first and the last."""
    yield from caption_pieces(canvas, parent, block.caption)
    bars = tuple(bar for bar in block.bars if all(map(math.isfinite, (bar.value, *_ends(bar)))))
    left_out = len(bars) - _MOST_BARS
    if left_out > 0:
        half = _MOST_BARS // 2
        bars = (*bars[:half], *bars[-half:])
    figure = canvas.tree.branch("Div", parent)
    step = 6.2 if len(bars) <= 24 else 4.7

    def draw(top: float) -> None:
        with canvas.marked(figure, "Figure", block.alt):
            _draw_bars(canvas, bars, top, step)

    yield Piece(len(bars) * step + 7, draw, gap=1.5, keep=left_out > 0)
    if left_out > 0:
        note = f"The first {_MOST_BARS // 2} and the last {_MOST_BARS // 2} are drawn; {left_out:,} between them are left out."
        yield from text_pieces(canvas, parent, note, NOTE, gap=1.0)


def _ends(bar: Bar) -> tuple[float, float]:
    return (bar.value, bar.value) if bar.low is None or bar.high is None else (bar.low, bar.high)


def _draw_bars(canvas: Canvas, bars: Sequence[Bar], top: float, step: float) -> None:
    names = [canvas.fitted(bar.name, SMALL, 58) for bar in bars]
    left = LEFT + max([canvas.width(name, SMALL) for name in names] + [18.0]) + 3
    scale = _Scale(0, 1, left, LEFT + WIDTH - 18)
    lower = top + len(bars) * step + 1
    for share in (0, 0.25, 0.5, 0.75, 1):
        canvas.stroke(((scale(share), top), (scale(share), lower)), 0.12, HAIRLINE)
        canvas.line_of_text(scale(share), lower + 0.6, _value(share, percent=True), _TICK, "center")
    for number, (bar, name) in enumerate(zip(bars, names, strict=True)):
        middle = top + (number + 0.5) * step + 0.5
        canvas.line_of_text(left - 2.5, middle - 2, name, SMALL, "right", height=4)
        canvas.fill(left, middle - step * 0.29, scale(bar.value) - left, step * 0.58, mixed(BLUE, 0.45))
        canvas.stroke(((scale(_ends(bar)[0]), middle), (scale(_ends(bar)[1]), middle)), 0.3, INK)
        for end in _ends(bar):
            canvas.stroke(((scale(end), middle - 0.9), (scale(end), middle + 0.9)), 0.3, INK)
        canvas.line_of_text(LEFT + WIDTH, middle - 2, f"{100 * bar.value:.1f} %", SMALL, "right", height=4)
    canvas.stroke(((left, top), (left, lower)), 0.25, MUTED)


def _color(number: int) -> RGB:
    return SERIES_COLORS[number % len(SERIES_COLORS)]


def _value(value: float, percent: bool) -> str:
    return f"{100 * value:.0f} %" if percent else f"{value:.6g}".replace("-", "−")


def _nice_ticks(low: float, high: float) -> list[float]:
    """Some four to seven round numbers around a range."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 12) for number in range(first, last + 1)]
