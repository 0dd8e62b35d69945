"""A table whose last column explains each row: two rows side by side, the explanation in small letters below the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fpdf.structure_tree import StructElem

from capt_engine.reports.document import Column
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.tags import COLUMN, ROW
from capt_engine.reports.pdf.theme import HAIRLINE, INK, LEFT, MUTED, WIDTH, Style

_GUTTER = 7.0
_HALF = (WIDTH - _GUTTER) / 2
_BETWEEN = 3.0
_STYLE = Style(7.2, leading=1.3)
_BOLD = Style(7.2, bold=True, leading=1.3)
_SMALL = Style(6.4, color=MUTED, leading=1.28)
_AIR = 1.7
_LEAST_NAME = 24.0

Cells = list[tuple[str, ...]]


def widths_of(canvas: Canvas, columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> list[float] | None:
    """Return the width of each column but the last in half the page, in millimetres; None where they do not fit.

    canvas: the PDF whose letters are measured. columns: of the table, the last of which is small. rows: its cells.
    """
    widths = []
    for number, column in enumerate(columns[:-1]):
        heading = max(canvas.width(word, _BOLD) for word in (column.title or " ").split() or [""])
        widths.append(max(heading, *(canvas.width(canvas.readable(row[number]), _STYLE) for row in rows)))
    rest = _HALF - 2 - _BETWEEN * (len(widths) - 1) - sum(widths[1:])
    return [rest, *widths[1:]] if rest >= min(_LEAST_NAME, widths[0]) else None


def explained_pieces(
    canvas: Canvas,
    table: StructElem,
    columns: Sequence[Column],
    rows: Sequence[tuple[str, ...]],
    widths: Sequence[float],
) -> Iterator[Piece]:
    """Yield the table as PDF pieces: its header, which every page repeats, then two rows a piece, read from left to right.

    table: the structure element that takes the rows. widths: of the columns, as `widths_of` returns them.
    """

    def wrapped(cells: Sequence[str], style: Style) -> Cells:
        some = [canvas.wrap(cell, style, width) for cell, width in zip(cells, widths, strict=False)]
        return [*some, canvas.wrap(cells[-1], _SMALL, _HALF - 2)]

    def height(cells: Cells, style: Style) -> float:
        return max(map(len, cells[:-1])) * style.line_height + len(cells[-1]) * _SMALL.line_height

    titles = wrapped([column.title for column in columns], _BOLD)
    above = height(titles, _BOLD) + 2.2
    heading = canvas.tree.branch("TR", table)

    def draw_cells(cells: Cells, place: int, top: float, style: Style, element: StructElem | None) -> None:
        left = LEFT + place * (_HALF + _GUTTER) + 1
        x, below = left, top + max(map(len, cells[:-1])) * style.line_height
        for number, lines in enumerate(cells):
            is_last = number == len(cells) - 1
            right = not is_last and columns[number].align == "right"
            attributes = COLUMN if style.bold else ROW if number == 0 else ""
            tag = "TH" if attributes else "TD"
            with canvas.artifact() if element is None else canvas.marked(element, tag, attributes=attributes):
                if is_last:
                    canvas.lines(left, below, lines, _SMALL)
                else:
                    width = widths[number]
                    canvas.lines(x + (width if right else 0), top, lines, style, "right" if right else "left")
            if not is_last:
                x += widths[number] + _BETWEEN

    def draw_header(top: float, *, again: bool = False) -> None:
        for place in range(min(2, len(rows))):
            with canvas.artifact():
                left = LEFT + place * (_HALF + _GUTTER)
                canvas.rule(top, left, _HALF, 0.35, INK)
                canvas.rule(top + above, left, _HALF, 0.2, MUTED)
            draw_cells(titles, place, top + 1.0, _BOLD, None if again or place else heading)

    header = Piece(above, draw_header, gap=2.0, keep=True, again=Piece(above, partial(draw_header, again=True)))
    yield header
    for first in range(0, len(rows), 2):
        pair = [wrapped(row, _STYLE) for row in rows[first : first + 2]]
        elements = [canvas.tree.branch("TR", table) for _ in pair]
        high = max(height(cells, _STYLE) for cells in pair) + _AIR
        is_last = first + 2 >= len(rows)

        def draw(
            top: float,
            pair: list[Cells] = pair,
            elements: list[StructElem] = elements,
            high: float = high,
            is_last: bool = is_last,
        ) -> None:
            for place, (cells, element) in enumerate(zip(pair, elements, strict=True)):
                with canvas.artifact():
                    weight, color = (0.35, INK) if is_last else (0.1, HAIRLINE)
                    canvas.rule(top + high, LEFT + place * (_HALF + _GUTTER), _HALF, weight, color)
                draw_cells(cells, place, top + _AIR / 2, _STYLE, element)

        keep = (first == 0 or first + 4 >= len(rows)) and not is_last
        yield Piece(high, draw, keep=keep, again=header.again)
