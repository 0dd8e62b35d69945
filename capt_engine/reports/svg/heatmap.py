"""The one drawing of a heat map: shares as shaded cells, each with its number."""

from __future__ import annotations

from capt_engine.formatting import whole_percent
from capt_engine.records import HeatMap
from capt_engine.reports.svg.elements import WIDTH, Cells, Drawing, Element, Line, Text, on_shade, shade
from capt_engine.reports.svg.lettering import fitted, width
from capt_engine.reports.svg.line import value_text

_ROW = 26.0
_HEAD = 28.0
_WIDEST_NAME, _WIDEST_LAST = 190.0, 200.0
_WIDEST_CELL = 84.0
_TURNED = 62.0


def draw(chart: HeatMap) -> Drawing | None:
    """Lay out `chart` as shaded cells, each with its share in percent; None where it has no row or no column."""
    if not chart.rows or not chart.columns:
        return None
    names = [fitted(row.name, _WIDEST_NAME) for row in chart.rows]
    lasts = [fitted(row.last, _WIDEST_LAST) for row in chart.rows]
    corner = fitted(chart.corner, _WIDEST_NAME, bold=True)
    last = fitted(chart.last, _WIDEST_LAST, bold=True)
    left = max(*map(width, names), width(corner, bold=True)) + 12
    end = max(*map(width, lasts), width(last, bold=True))
    cell = min(_WIDEST_CELL, (WIDTH - left - (end + 14 if end else 0)) / len(chart.columns))
    right = left + cell * len(chart.columns) + (end + 14 if end else 0)
    turned = any(width(name, bold=True) > cell - 6 for name in chart.columns)
    top = _TURNED + 16 if turned else _HEAD
    elements: list[Element] = [
        Text(0, top - 14, corner, bold=True),
        Text(right, top - 14, last, align="end", bold=True),
    ]
    for place, name in enumerate(chart.columns):
        middle = left + (place + 0.5) * cell
        if turned:
            elements.append(
                Text(middle, top - 8, fitted(name, _TURNED * 1.2, bold=True), bold=True, turn=-50, tip=name)
            )
        else:
            elements.append(Text(middle, top - 14, fitted(name, cell), align="center", bold=True))
    for place, (row, name, label) in enumerate(zip(chart.rows, names, lasts, strict=True)):
        y = top + place * _ROW
        elements.append(Text(0, y + _ROW / 2, name, tip=row.name))
        for column, share in enumerate(row.shares):
            elements += _cell(chart, row.name, column, share, (left + column * cell, y, cell))
        elements.append(Text(right, y + _ROW / 2, label, align="end"))
    bottom = top + len(chart.rows) * _ROW
    elements += [Line(((0, edge), (right, edge)), "grey") for edge in (top - 1, bottom + 1)]
    return Drawing(
        bottom + 4, chart.caption, chart.alt, tuple(one for one in elements if not isinstance(one, Text) or one.text)
    )


def _cell(
    chart: HeatMap, name: str, column: int, share: float | None, box: tuple[float, float, float]
) -> list[Element]:
    x, y, cell = box
    middle = (x + cell / 2, y + _ROW / 2)
    if share is None:
        return [Text(*middle, "–", "muted", "center")]
    ground = shade(share, "d")
    label = value_text(share, is_share=True)
    if width(label) > cell - 2:
        label = whole_percent(share).removesuffix(" %")
    tip = f"{name}, {chart.columns[column]}: {value_text(share, is_share=True)}"
    bold = ground[1] in "45"
    return [
        Cells(((x + 1, y + 1, cell - 2, _ROW - 2),), ground, tip),
        Text(*middle, label, on_shade(ground), "center", bold=bold),
    ]
