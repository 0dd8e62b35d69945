"""The plot that lines and histograms stand in: its axes with their rules and words, and the legend above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capt_engine.reports.svg.axis import Axis
from capt_engine.reports.svg.elements import DASHES, MARKS, SERIES, WIDTH, Cells, Element, Line, Mark, Text
from capt_engine.reports.svg.lettering import fitted, width

HEIGHT = 250.0
"""Of a plot between its axes."""
_RIGHT = 16.0
_KEY = 30.0
_ROW = 21.0


@dataclass(frozen=True)
class Frame:
    """The edges of a plot."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Return the height of the whole drawing, with the words below the plot, in the drawing's units."""
        return self.bottom + 50


def frame(y_labels: Sequence[str], rows: int) -> Frame:
    """Return the edges of a plot, in the drawing's units, with room for the words of its y axis and its legend.

    y_labels: the words on the y axis, at its left. rows: how many rows the legend above it has.
    """
    top = (28.0 if rows == 0 else 32.0) + rows * _ROW
    left = max(map(width, y_labels)) + 12
    return Frame(left, WIDTH - _RIGHT, top, top + HEIGHT)


def axes(box: Frame, across: Axis, up: Axis, x_title: str, y_title: str, *, broken: bool = False) -> Iterator[Element]:
    """Yield the shapes and texts of both axes of the plot with the edges `box`.

    across, up: the x and the y axis. x_title, y_title: their titles. broken: mark a gap, as the x axis begins with a 0
    that has no place of its own on a log scale.
    """
    yield Text(0, 8, fitted(y_title, WIDTH, bold=True), bold=True)
    for tick, _ in up.ticks:
        y = up(tick)
        yield Line(((box.left, y), (box.right, y)), "grey" if tick == up.low else "line")
    for y, label in up.named:
        yield Text(box.left - 9, y, label, "muted", "end")
    for tick, _ in across.ticks:
        yield Line(((across(tick), box.bottom), (across(tick), box.bottom + 5)), "grey")
    for x, label in across.named:
        yield Text(x, box.bottom + 16, label, "muted", "center")
    if broken:
        x = (across.start + across(next(tick for tick, _ in across.ticks if tick > 0))) / 2
        yield Cells(((x - 3, box.bottom - 3, 6, 6),), "paper")
        for side in (-3, 3):
            yield Line(((x + side - 2, box.bottom + 5), (x + side + 2, box.bottom - 5)), "grey")
    title = fitted(x_title, box.right - box.left, bold=True)
    yield Text((box.left + box.right) / 2, box.bottom + 39, title, align="center", bold=True)


def legend_rows(names: Sequence[str]) -> list[list[tuple[int, float, str]]]:
    """Arrange the `names` of a chart's lines in the rows of a legend, as many in a row as have room.

    Each entry is (number of the line from 0, x where it begins, the name, cut where too long), in the drawing's units.
    """
    rows: list[list[tuple[int, float, str]]] = []
    x = WIDTH
    for number, name in enumerate(names):
        label = fitted(name, WIDTH - _KEY - 10)
        needed = _KEY + 8 + width(label)
        if x + needed > WIDTH:
            rows.append([])
            x = 0.0
        rows[-1].append((number, x, label))
        x += needed + 22
    return rows


def legend(rows: Sequence[Sequence[tuple[int, float, str]]]) -> Iterator[Element]:
    """Yield the shapes and texts of a legend: for each line of the chart a stroke, a mark and its name.

    rows: as `legend_rows` returns them; the first stands below the title of the y axis.
    """
    for place, row in enumerate(rows):
        y = 32 + place * _ROW
        for number, x, label in row:
            yield stroke(number, ((x, y), (x + _KEY, y)))
            yield mark(number, x + _KEY / 2, y)
            yield Text(x + _KEY + 8, y, label)


def stroke(number: int, points: tuple[tuple[float, float], ...]) -> Line:
    """Return a line through `points` in the colour and dash of a chart's line of this `number`, from 0."""
    return Line(points, color(number), 2.2, DASHES[number % len(DASHES)])


def mark(number: int, x: float, y: float, tip: str = "") -> Mark:
    """Return a mark at (x, y) in the shape and colour of a chart's line of this `number`, from 0.

    tip: words for whoever points at it, "" for none.
    """
    return Mark(x, y, MARKS[number % len(MARKS)], color(number), tip)


def color(number: int) -> str:
    """Return the palette role, such as "blue", of a chart's line of this `number`, from 0; after six they repeat."""
    return SERIES[number % len(SERIES)]


def whisker(across: tuple[float, float], end: float, *, lying: bool) -> Iterator[Line]:
    """Yield the strokes of an interval: a thin line with a short bar at either end.

    across: the ends of the interval. end: its place on the other axis. lying: True draws it along x, False along y. In
    the drawing's units.
    """
    low, high = across
    strokes = (((low, end), (high, end)), ((low, end - 4), (low, end + 4)), ((high, end - 4), (high, end + 4)))
    for (x, y), (x2, y2) in strokes:
        yield Line(((x, y), (x2, y2)) if lying else ((y, x), (y2, x2)), "ink", 1.3)
