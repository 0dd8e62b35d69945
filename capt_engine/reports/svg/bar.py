"""The one drawing of lying bars and of a histogram: bars with their intervals as whiskers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from capt_engine.formatting import tick
from capt_engine.records import LINEAR, Bar, BarChart, Bin, Histogram
from capt_engine.reports.svg import plot
from capt_engine.reports.svg.axis import Axis, part_axis, share_axis, value_axis
from capt_engine.reports.svg.elements import SMALL, WIDTH, Area, Drawing, Element, Line, Text
from capt_engine.reports.svg.lettering import fitted, width
from capt_engine.reports.svg.line import value_text

_WIDEST_NAME = 210.0
_FEW = 8
_CUT = 20.0
_FILL = 0.72
_PALE = 0.22


def draw(chart: BarChart) -> Drawing | None:
    """Lay out `chart` as bars that lie below one another, with names and values; None where it has no bar."""
    bars = chart.drawn
    if not bars:
        return None
    groups = [(name, list(some)) for name, some in groupby(bars, lambda bar: bar.name)]
    rows = plot.legend_rows(chart.series)
    top = 6.0 + (len(rows) * 21 + 8 if rows else 0)
    step = (22.0 if len(bars) <= _FEW else 15.0) if not rows else 15.0
    gap = 0.0 if not rows else 9.0
    names = [fitted(name, _WIDEST_NAME) for name, _ in groups]
    left = max(map(width, names)) + 10
    labels = [value_text(bar.value, chart.percent) for bar in bars]
    right = WIDTH - max(width(one, bold=True) for one in labels) - 12
    left_out = len(chart.bars) - len(bars)
    bottom = top + len(bars) * step + len(groups) * gap + 2 + (_CUT if left_out else 0)
    ends = [0.0, *(end for bar in bars for end in (bar.value, *_interval(bar)))]
    across = _across(chart, ends, left, right)
    elements: list[Element] = [*_legend(rows)]
    elements += [Line(((across(value), top), (across(value), bottom)), "line") for value, _ in across.ticks]
    elements += [Text(x, bottom + 11, shown, "muted", "center") for x, shown in across.named]
    if chart.x_title:
        title = fitted(chart.x_title, right - left, bold=True)
        elements.append(Text((left + right) / 2, bottom + 31, title, align="center", bold=True))
    y = top
    for place, (name, (_, some)) in enumerate(zip(names, groups, strict=True)):
        if left_out and place == len(groups) // 2:
            elements.append(
                Text(left + 8, y + _CUT / 2, f"⋮ {left_out:,} between these are not drawn", "muted", size=SMALL)
            )
            y += _CUT
        y += gap / 2
        elements.append(Text(left - 9, y + len(some) * step / 2, name, align="end", tip=some[0].name))
        for bar in some:
            elements += _bar(chart, bar, y + step / 2, step, across)
            y += step
        y += gap / 2
    elements.append(Line(((across(0), top), (across(0), bottom)), "grey"))
    return Drawing(bottom + (44 if chart.x_title else 22), chart.caption, chart.alt, tuple(elements))


def _across(chart: BarChart, ends: Sequence[float], left: float, right: float) -> Axis:
    if chart.percent and min(ends) >= 0 and max(ends) <= 1:
        return share_axis(left, right)
    return value_axis(ends, LINEAR, left, right)


def _legend(rows: Sequence[Sequence[tuple[int, float, str]]]) -> Iterator[Element]:
    for place, row in enumerate(rows):
        y = 8 + place * 21
        for number, x, label in row:
            yield from _box(x, x + 30, y, 12, number, "")
            yield Text(x + 38, y, label)


def _bar(chart: BarChart, bar: Bar, middle: float, step: float, across: Axis) -> Iterator[Element]:
    shown = value_text(bar.value, chart.percent)
    interval = _interval(bar)
    series = f", {chart.series[bar.series]}" if chart.series else ""
    of = f" ({' to '.join(value_text(end, chart.percent) for end in interval)})" if interval else ""
    yield from _box(across(0), across(bar.value), middle, step * 0.62, bar.series, f"{bar.name}{series}: {shown}{of}")
    if interval and interval[0] < interval[1]:
        yield from plot.whisker((across(interval[0]), across(interval[1])), middle, lying=True)
    yield Text(WIDTH, middle, shown, align="end", bold=True)


def _box(start: float, end: float, middle: float, height: float, series: int, tip: str) -> Iterator[Element]:
    """A bar; of a second series only its edge is strong, so that the two differ without colour."""
    role = plot.color(series)
    corners = (
        (start, middle - height / 2),
        (end, middle - height / 2),
        (end, middle + height / 2),
        (start, middle + height / 2),
    )
    yield Area(corners, role, _PALE if series else _FILL, tip)
    if series:
        yield Line((*corners, corners[0]), role, 1.2)


def _interval(bar: Bar | Bin) -> tuple[float, ...]:
    return () if bar.low is None or bar.high is None or not math.isfinite(bar.low + bar.high) else (bar.low, bar.high)


def draw_histogram(chart: Histogram) -> Drawing | None:
    """Lay out `chart` as bars that stand over a continuous axis; None where it has no bin with a finite value."""
    bins = [one for one in chart.bins if math.isfinite(one.value)]
    if not bins:
        return None
    values = [0.0, *(end for one in bins for end in (one.value, *_interval(one)))]
    shares = chart.percent and max(values) <= 1
    edges = sorted({edge for one in bins for edge in (one.start, one.end)})

    def up(start: float, end: float) -> Axis:
        return part_axis(values, start, end) if shares else value_axis(values, LINEAR, start, end)

    box = plot.frame([label for _, label in up(1, 0).ticks], 0)
    across = Axis(edges[0], edges[-1], box.left, box.right, tuple((edge, tick(edge)) for edge in edges))
    y_axis = up(box.bottom, box.top)
    elements = [*plot.axes(box, across, y_axis, chart.x_title, chart.y_title)]
    for one in bins:
        start, end, top = across(one.start) + 1, across(one.end) - 1, y_axis(one.value)
        interval = _interval(one)
        of = f" ({' to '.join(value_text(edge, chart.percent) for edge in interval)})" if interval else ""
        tip = f"{tick(one.start)} to {tick(one.end)}: {value_text(one.value, chart.percent)}{of}"
        corners = ((start, top), (end, top), (end, box.bottom), (start, box.bottom))
        elements.append(Area(corners, plot.color(0), _FILL, tip))
        if interval and interval[0] < interval[1]:
            elements += plot.whisker((y_axis(interval[0]), y_axis(interval[1])), (start + end) / 2, lying=False)
    return Drawing(box.height, chart.caption, chart.alt, tuple(elements))
