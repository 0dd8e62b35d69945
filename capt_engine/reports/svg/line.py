"""The one drawing of a line chart: lines with marks, intervals as bands, levels across."""

from __future__ import annotations

import math
from collections.abc import Iterator

from capt_engine.formatting import number, percent, tick, unbroken
from capt_engine.records import LOG, LineChart
from capt_engine.reports.svg import plot
from capt_engine.reports.svg.axis import Axis, has_gap, place_axis, share_axis, title_of, value_axis
from capt_engine.reports.svg.elements import SMALL, Area, Drawing, Element, Line, Text
from capt_engine.reports.svg.lettering import fitted, width

_MARKED = 40
"""A line of more points than this is drawn without a mark at each."""
_INSET = 12.0

Points = tuple[tuple[float, float, float, float], ...]


def draw(chart: LineChart) -> Drawing | None:
    """Lay out `chart` as lines with marks, bands for intervals, and its levels; None where it has no finite point."""
    lines = [(one.name, tuple(sorted(p for p in one.points if all(map(math.isfinite, p))))) for one in chart.series]
    points = [point for _, some in lines for point in some]
    if not points:
        return None
    rows = plot.legend_rows([name for name, _ in lines]) if len(lines) > 1 or lines[0][0] else []
    levels = [level for level in chart.levels if math.isfinite(level.value)]
    values = [value for point in points for value in point[1:]] + [level.value for level in levels]
    labels = [label for _, label in _up(chart, values, 1.0, 0.0).ticks]
    box = plot.frame(labels, len(rows))
    up = _up(chart, values, box.bottom, box.top)
    xs = [x for x, _, _, _ in points]
    across = place_axis(xs, chart.x_scale, chart.x_labels, box.left + _INSET, box.right - _INSET)
    x_title, y_title = title_of(chart.x_title, across.is_log), title_of(chart.y_title, chart.y_scale == LOG)
    elements = [*plot.legend(rows), *plot.axes(box, across, up, x_title, y_title, broken=has_gap(across, xs))]
    for place, (_, some) in enumerate(lines):
        elements += _band(some, across, up, plot.color(place))
    for level in levels:
        elements += _level(level.name, up(level.value), box)
    for place, (name, some) in enumerate(lines):
        elements += _line(chart, place, name, some, across, up)
    return Drawing(box.height, chart.caption, chart.alt, tuple(elements))


def _up(chart: LineChart, values: list[float], start: float, end: float) -> Axis:
    inside = all(0 <= value <= 1 for value in values)
    return share_axis(start, end) if chart.percent and inside else value_axis(values, chart.y_scale, start, end)


def _band(points: Points, across: Axis, up: Axis, role: str) -> Iterator[Element]:
    if not any(low < high for _, _, low, high in points):
        return
    if len(points) == 1:
        x, _, low, high = points[0]
        yield Line(((across(x), up(low)), (across(x), up(high))), role, 1.3)
        return
    edge = [(across(x), up(high)) for x, _, _, high in points]
    edge += [(across(x), up(low)) for x, _, low, _ in reversed(points)]
    yield Area(tuple(edge), role, 0.14)


def _level(name: str, y: float, box: plot.Frame) -> Iterator[Element]:
    yield Line(((box.left, y), (box.right, y)), "muted", 1.2, (5, 4))
    label = fitted(name, box.right - box.left, SMALL)
    above = y - 9 > box.top
    yield Text(box.right - width(label, SMALL), y + (-9 if above else 9), label, "muted", size=SMALL)


def _line(chart: LineChart, place: int, name: str, points: Points, across: Axis, up: Axis) -> Iterator[Element]:
    places = tuple((across(x), up(y)) for x, y, _, _ in points)
    if len(places) > 1:
        yield plot.stroke(place, places)
    if len(places) > _MARKED:
        return
    for (x, y), point in zip(places, points, strict=True):
        yield plot.mark(place, x, y, _tip(chart, name, point))


def _tip(chart: LineChart, name: str, point: tuple[float, float, float, float]) -> str:
    x, y, low, high = point
    where = chart.x_labels[int(x)] if x in range(len(chart.x_labels)) else tick(x)
    interval = f" ({value_text(low, chart.percent)} to {value_text(high, chart.percent)})" if low < high else ""
    return f"{name}, {where}: {value_text(y, chart.percent)}{interval}"


def value_text(value: float, is_share: bool) -> str:
    """Return `value` as a chart shows it: in percent where `is_share`, else as a number; a dash where not finite."""
    if not math.isfinite(value):
        return "–"
    return unbroken(percent(value)) if is_share else number(value)
