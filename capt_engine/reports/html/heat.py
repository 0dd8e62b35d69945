"""A table of shares whose cells are shaded, as a real table: every figure can be read, copied and heard."""

from __future__ import annotations

from collections.abc import Iterator

from capt_engine.records import HeatMap
from capt_engine.reports.html.text import percent, text

STEPS = (0.1, 0.25, 0.5, 0.75)
"""A cell takes one of five grounds by its share, so that its figure can always be read on it."""


def heat(block: HeatMap, number: int) -> Iterator[str]:
    """The table; a cell that was not measured has a dash and no ground."""
    yield f'<div class="table"><div class="scroll" role="region" tabindex="0" aria-labelledby="t{number}">'
    yield f'<table class="grid heat"><caption id="t{number}"><span><b>Table {number}.</b> {text(block.caption)}</span></caption>\n'
    yield f'<thead><tr><th scope="col">{text(block.corner)}</th>'
    yield "".join(f'<th scope="col" class="c">{text(column)}</th>' for column in block.columns)
    yield f'<th scope="col" class="r">{text(block.last)}</th></tr></thead>\n<tbody>\n'
    for row in block.rows:
        cells = "".join(_cell(share) for share in row.shares)
        yield f'<tr><th scope="row">{text(row.name)}</th>{cells}<td class="r">{text(row.last)}</td></tr>\n'
    yield f'</tbody></table></div>\n<p class="note">{text(block.note)}</p></div>\n'


def _cell(share: float | None) -> str:
    if share is None:
        return '<td class="c">–</td>'
    return f'<td class="c w{sum(share > edge for edge in STEPS) + 1}">{percent(share)}</td>'
