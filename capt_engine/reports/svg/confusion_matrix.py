"""The one drawing of a confusion matrix: blue where right, orange where wrong, the fuller the larger the share of the row."""

from __future__ import annotations

import math
from collections.abc import Iterator

from capt_engine.records import ConfusionMatrix
from capt_engine.reports.svg.elements import SMALL, WIDTH, Cells, Drawing, Element, Line, Text, on_shade, shade
from capt_engine.reports.svg.lettering import fitted, width

_WIDEST_NAME = 130.0
_TURNED_NAME = 104.0
_LARGEST_CELL = 52.0
_TALLEST_CELL, _TALLEST_OF_MANY = 32.0, 24.0
_FEW = 8
"""With more classes than this rows are lower, so that two matrices may share a page."""
_CLEAR = 12.5
"""Names stand no closer than this; those between are left out."""
_TURN = -50.0
_CLEAR_TURNED = _CLEAR / math.sin(math.radians(-_TURN))


def draw(chart: ConfusionMatrix, room: float = WIDTH) -> Drawing | None:
    """Lay out `chart` as shaded cells, rows being labels and columns answers; None where it has no class.

    With up to 26 classes each cell has its count; with more the names are thinned. room: the width it takes at most, in
    units of the drawing.
    """
    if not chart.names:
        return None
    count = len(chart.names)
    names = [shown_name(name) for name in chart.names]
    turned = [fitted(name, _TURNED_NAME) for name in chart.names]
    left = max(width("Label", bold=True), *(width(name) for name in names)) + 12
    rise = max(width(name) for name in turned) * math.sin(math.radians(-_TURN))
    over = width(turned[-1]) * math.cos(math.radians(_TURN))
    cell = min(_LARGEST_CELL, (room - left - over) / count)
    high = cell if chart.is_dense else min(cell, _TALLEST_CELL if count <= _FEW else _TALLEST_OF_MANY)
    top = rise + 40
    right, bottom = left + cell * count, top + high * count
    elements: list[Element] = [
        Text(left, 8, "Answer", bold=True),
        Text(left - 10, top - 12, "Label", align="end", bold=True),
    ]
    elements += [
        Text(left - 10, top + (place + 0.5) * high, names[place], align="end", tip=chart.names[place])
        for place in range(0, count, max(1, math.ceil(_CLEAR / high)))
    ]
    elements += [
        Text(left + (place + 0.5) * cell, top - 8, turned[place], turn=_TURN, tip=chart.names[place])
        for place in range(0, count, max(1, math.ceil(_CLEAR_TURNED / cell)))
    ]
    elements += _dots(chart, left, top, cell) if chart.is_dense else _counts(chart, (left, top, cell, high))
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    elements.append(Line(corners, "grey" if chart.is_dense else "line"))
    narrow = room < WIDTH
    elements += _key(0.0 if narrow else left, bottom + 22, room)
    return Drawing(bottom + (54 if narrow else 34), chart.caption, chart.alt, tuple(elements))


def fits(chart: ConfusionMatrix, room: float) -> bool:
    """Return True if `chart` with a count in each cell can be read where it is no wider than `room`, in units of a drawing."""
    if chart.is_dense or not chart.names:
        return False
    left = max(width("Label", bold=True), *(width(shown_name(name)) for name in chart.names)) + 12
    over = width(fitted(chart.names[-1], _TURNED_NAME)) * math.cos(math.radians(_TURN))
    return (room - left - over) / len(chart.names) >= _CLEAR_TURNED * 0.8


def shown_name(name: str) -> str:
    """Return the class name as it stands beside its row: cut and ended with … where it is too wide.

    name: the whole name.
    """
    return fitted(name, _WIDEST_NAME)


def _shares(chart: ConfusionMatrix) -> Iterator[tuple[int, int, int, float]]:
    """(row, column, count, share of the row) of every cell."""
    for row, counts in enumerate(chart.counts):
        total = sum(counts)
        for column, count in enumerate(counts):
            yield row, column, count, count / total if total else 0.0


def _counts(chart: ConfusionMatrix, box: tuple[float, float, float, float]) -> Iterator[Element]:
    left, top, cell, high = box
    longest = max((len(str(count)) for counts in chart.counts for count in counts), default=1)
    size = min(SMALL, cell * min(1.26 / longest, 0.6))
    for row, column, count, share in _shares(chart):
        x, y = left + column * cell, top + row * high
        ground = shade(share, "d" if row == column else "e") if count else "soft"
        tip = f"{chart.names[row]} taken for {chart.names[column]}: {count}" if count else ""
        yield Cells(((x + 0.5, y + 0.5, cell - 1, high - 1),), ground, tip)
        if count:
            bold = ground[1] in "45"
            yield Text(x + cell / 2, y + high / 2, str(count), on_shade(ground), "center", size, bold)


def _dots(chart: ConfusionMatrix, left: float, top: float, cell: float) -> Iterator[Element]:
    """One shape a colour. A wrong answer takes no colour so faint that a small dot of it would not be seen."""
    boxes: dict[str, list[tuple[float, float, float, float]]] = {}
    for row, column, count, share in _shares(chart):
        if count:
            ground = shade(share, "d" if row == column else "e", least=2)
            boxes.setdefault(ground, []).append((left + column * cell, top + row * cell, cell, cell))
    for ground in sorted(boxes):
        yield Cells(tuple(boxes[ground]), ground)


def _key(left: float, y: float, room: float) -> Iterator[Element]:
    """The meaning of the colours."""
    x = left
    for side, label in (("d", "right"), ("e", "wrong")):
        for step in range(1, 6):
            yield Cells(((x, y - 6, 14, 12),), f"{side}{step}")
            x += 15
        yield Text(x + 6, y, label, "muted", size=SMALL)
        x += 6 + width(label, SMALL) + 20
    if room < WIDTH:
        x, y = left, y + 20
    yield Text(x, y, fitted("share of the row: to 10, 25, 50, 75, 100\u00a0%", room - x, SMALL), "muted", size=SMALL)
