"""A chart as a figure of the page: its drawing as SVG, its caption, and its values as a table that can be unfolded."""

from __future__ import annotations

from collections.abc import Iterator

from capt_engine.formatting import Cell, tick
from capt_engine.records import Chart, ConfusionMatrix, HeatMap, LineChart
from capt_engine.reports.html.text import text
from capt_engine.reports.svg import draw, painter, values
from capt_engine.reports.svg.line import value_text
from capt_engine.reports.svg.notes import note


def figure(chart: Chart, number: int) -> Iterator[str]:
    """Yield the HTML of `chart` as figure `number` of the page: drawing, caption, note, and a folded table of values.

    A confusion matrix of many classes has no such table; a chart without values says that there is nothing to draw.
    """
    yield '<figure class="chart">\n'
    drawing = draw(chart)
    if drawing is None:
        yield '<p class="note">There is nothing to draw.</p>\n'
    else:
        yield f'<div class="scroll" role="region" tabindex="0" aria-label="Figure {number}">'
        yield from painter.pieces(drawing, f"f{number}")
        yield "</div>\n"
    yield f"<figcaption><b>Figure {number}.</b> {text(chart.caption)}</figcaption>\n"
    if label := note(chart):
        yield f'<p class="note">{text(label)}</p>\n'
    if not (isinstance(chart, ConfusionMatrix) and chart.is_dense):
        yield '<details class="figures"><summary>The values as a table</summary><div class="scroll">\n'
        yield from _table(chart)
        yield "</div></details>\n"
    yield "</figure>\n"


def _table(chart: Chart) -> Iterator[str]:
    yield '<table class="data"><thead><tr>'
    yield "".join(f'<th scope="col">{text(title)}</th>' if title else "<td></td>" for title in values.columns(chart))
    yield "</tr></thead><tbody>\n"
    is_share = isinstance(chart, HeatMap) or (not isinstance(chart, ConfusionMatrix) and chart.percent)
    for first, *others in values.rows(chart):
        cells = "".join(
            f"<td>{text(_cell(cell, is_share and not (place == 0 and isinstance(chart, LineChart))))}</td>"
            for place, cell in enumerate(others)
        )
        yield f'<tr><th scope="row">{text(_cell(first, False))}</th>{cells}</tr>\n'
    yield "</tbody></table>\n"


def _cell(cell: Cell, is_share: bool) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return value_text(cell, is_share=True) if is_share else tick(cell)
    return str(cell)
