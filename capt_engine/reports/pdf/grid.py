"""A table of a report as pieces of its PDF: widths from its contents, a header on every page, no row split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from fpdf.structure_tree import StructElem

from capt_engine.reports.document import Column, Grid
from capt_engine.reports.pdf.blocks import caption_pieces, text_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.explained import explained_pieces, widths_of
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.tags import COLUMN, ROW, spanning
from capt_engine.reports.pdf.text import unbroken_parts
from capt_engine.reports.pdf.theme import HAIRLINE, INK, LEFT, MUTED, NOTE, WIDTH, ZEBRA, Style

MOST_ROWS = 400
_LEADING = 1.3
_SMALL = 0.86
"""Letters of sentences that explain the other columns, as a part of the others."""
_AIR = 1.2
"""Above and below the lines of a row together, in millimetres."""
_SIZES = (7.4, 7.0, 6.6, 6.0)
_KEPT_WHOLE = 6
"""A table of no more rows stays on one page."""
_LONGEST_CELL = 30  # lines; a cell must never be taller than a page
_FOLDED, _MOST_COLUMNS, _APART = 6, 4, 7.0
"""A narrow table of so many rows and more is set in up to four columns, as the index of a book is."""
_DEEPEST = 30
"""Rows of one such column; a longer table goes on below."""


def grid_pieces(canvas: Canvas, parent: StructElem, block: Grid) -> Iterator[Piece]:
    """Yield the table `block` as PDF pieces: its caption, a header that every page repeats, and its rows, never split.

    Of more than 400 rows the first and last 200 are drawn, and a line says so; more than 14 columns make several
    tables. canvas: the PDF to draw on. parent: the structure element that takes the table.
    """
    if not block.columns:
        yield from caption_pieces(canvas, parent, block.caption)
        return
    for first, count in _parts(len(block.columns)):
        table = canvas.tree.branch("Table", parent)
        yield from caption_pieces(canvas, table, "" if first else block.caption, "Caption")
        yield from _table(canvas, table, block, [*([0] if first else []), *range(first, first + count)])
    total = block.total if block.total is not None else len(block.rows)
    half, shown = _most(block) // 2, len(block.rows)
    if max(total, shown) > min(shown, 2 * half):
        some = f"The first {half} and the last {half}" if shown > 2 * half else f"{shown:,}"
        note = f"{some} of {total:,} rows are shown; the CSV attached to this file holds them all."
        yield from text_pieces(canvas, parent, note, NOTE, gap=1.6)


def _most(block: Grid) -> int:
    return min(block.printed or MOST_ROWS, MOST_ROWS)


def _parts(columns: int, most: int = 14) -> Iterator[tuple[int, int]]:
    """Very many columns are set as several tables, each with the first column again."""
    first = 0
    while first < columns:
        count = min(most if first == 0 else most - 1, columns - first)
        yield first, count
        first += count


def _table(canvas: Canvas, tagged: StructElem, block: Grid, chosen: Sequence[int]) -> Iterator[Piece]:
    columns = [block.columns[number] for number in chosen]
    rows: list[tuple[str, ...] | None] = [
        tuple(row[number] if number < len(row) else "" for number in chosen) for row in block.rows
    ]
    if len(rows) > _most(block):
        half = _most(block) // 2
        rows = [*rows[:half], None, *rows[-half:]]
    filled = [row for row in rows if row is not None]
    explains = len(rows) == len(filled) and len(rows) > 1 and len(columns) > 1 and columns[-1].is_small
    if explains and (halves := widths_of(canvas, columns, filled)) is not None:
        yield from explained_pieces(canvas, tagged, columns, filled, halves)
        return
    style, widths = _fit(canvas, columns, filled)
    table = _Table(canvas, tagged, columns, widths, style, zebra=len(rows) > 5)
    if len(rows) >= _FOLDED and (side := _side_by_side(table.width)) > 1:
        yield from table.folded(filled, side)
        return
    header = table.header()
    yield header
    for number, row in enumerate(rows):
        last = number == len(rows) - 1
        piece = table.left_out(len(block.rows) - len(rows) + 1) if row is None else table.row(row, number, last)
        keep = (number == 0 or number == len(rows) - 2 or len(rows) <= _KEPT_WHOLE) and not last
        yield Piece(piece.height, piece.draw, keep=keep, again=header.again)


def _side_by_side(width: float) -> int:
    """Return the number of columns of a narrow table that a page bears."""
    return max(min(int((WIDTH + _APART) // (width + _APART)), _MOST_COLUMNS), 1)


def _fit(canvas: Canvas, columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> tuple[Style, list[float]]:
    """The largest type at which no number and no word of a heading is broken, and the width of each column."""
    room = WIDTH - _between(len(columns)) * (len(columns) - 1) - 2
    cells = [
        {line for row in rows for line in canvas.readable(row[number]).split("\n")} for number in range(len(columns))
    ]
    # Names may be broken into short pieces before numbers are broken at all.
    for shortest in (24.0, 13.0, 8.0):
        for size in _SIZES:
            style, bold = Style(size, leading=_LEADING), Style(size, bold=True, leading=_LEADING)
            natural, least = [], []
            for column, lines in zip(columns, cells, strict=True):
                title = canvas.readable(column.title)
                letters = _smaller(style) if column.is_small else style
                heading = max((canvas.width(word, bold) for word in unbroken_parts(title)), default=0.0)
                wide = max((canvas.width(line, letters) for line in lines), default=0.0)
                natural.append(max(wide, min(canvas.width(title, bold), max(heading, wide, 26.0))))
                least.append(max(heading, wide if column.align == "right" else min(wide, shortest)))
            if sum(natural) <= room:
                return style, _spread(natural, columns, room)
            if sum(least) <= room:
                return style, _shared(natural, least, room)
    return style, [width * room / sum(least) for width in least]


def _smaller(style: Style) -> Style:
    return Style(style.size * _SMALL, color=MUTED, leading=style.leading)


def _between(columns: int) -> float:
    """The white between two columns."""
    return 4.0 if columns <= 8 else 2.4


def _spread(natural: list[float], columns: Sequence[Column], room: float) -> list[float]:
    """Some air for each column, more for words than for numbers, so that numbers stay near what they belong to."""
    weights = [0.4 if column.align == "right" else 1.0 for column in columns]
    share = min((room - sum(natural)) / sum(weights), 26.0 if len(columns) > 2 else 6.0)
    return [width + weight * share for width, weight in zip(natural, weights, strict=True)]


def _shared(natural: list[float], least: list[float], room: float) -> list[float]:
    """Every column its least, and the rest of the room to those that lack most, in proportion."""
    lacking = [max(wish - floor, 0.0) for wish, floor in zip(natural, least, strict=True)]
    rest, total = room - sum(least), sum(lacking)
    return [floor + (rest * lack / total if total else 0.0) for floor, lack in zip(least, lacking, strict=True)]


class _Table:
    """The drawing of one table's rows."""

    def __init__(
        self,
        canvas: Canvas,
        table: StructElem,
        columns: Sequence[Column],
        widths: list[float],
        style: Style,
        zebra: bool,
    ) -> None:
        self._canvas = canvas
        self._table = table
        self._columns = columns
        self._widths = widths
        self._style = style
        self._bold = Style(style.size, bold=True, leading=style.leading)
        self._zebra = zebra
        self._between = _between(len(widths))
        self.width = sum(widths) + self._between * (len(widths) - 1) + 2

    def _cells(self, cells: Sequence[str], style: Style) -> list[tuple[str, ...]]:
        wrapped = []
        for cell, width, column in zip(cells, self._widths, self._columns, strict=True):
            lines = self._canvas.wrap(cell, self._letters(column, style), width)
            if len(lines) > _LONGEST_CELL:
                lines = (*lines[: _LONGEST_CELL - 1], f"… ({len(cell):,} letters)")
            wrapped.append(lines)
        return wrapped

    def _letters(self, column: Column, style: Style) -> Style:
        return _smaller(style) if column.is_small and not style.bold else style

    def _draw_cell(self, number: int, lines: tuple[str, ...], top: float, style: Style, start: float = LEFT) -> None:
        left = start + 1 + sum(self._widths[:number]) + self._between * number
        align = self._columns[number].align
        style = self._letters(self._columns[number], style)
        self._canvas.lines(left + (self._widths[number] if align == "right" else 0), top, lines, style, align)

    def _height(self, cells: Sequence[tuple[str, ...]]) -> float:
        """The height of a row below the header."""
        styles = [self._letters(column, self._style) for column in self._columns]
        return max(len(lines) * style.line_height for lines, style in zip(cells, styles, strict=True)) + _AIR

    def header(self) -> Piece:
        """The titles between two rules; their repetitions on later pages are decoration to a screen reader."""
        cells = self._cells([column.title for column in self._columns], self._bold)
        height = max(len(lines) for lines in cells) * self._bold.line_height + 2.8
        row = self._canvas.tree.branch("TR", self._table)

        def draw(top: float, *, again: bool = False) -> None:
            with self._canvas.artifact():
                self._canvas.rule(top, width=self.width, weight=0.35, color=INK)
                self._canvas.rule(top + height, width=self.width, weight=0.2, color=MUTED)
            for number, lines in enumerate(cells):
                with self._canvas.artifact() if again else self._canvas.marked(row, "TH", attributes=COLUMN):
                    place = top + height - 1.3 - len(lines) * self._bold.line_height
                    self._draw_cell(number, lines, place, self._bold)

        return Piece(height, draw, gap=2.0, keep=True, again=Piece(height, partial(draw, again=True)))

    def row(self, cells: Sequence[str], number: int, last: bool) -> Piece:
        """One row, never split."""
        wrapped = self._cells(cells, self._style)
        height = self._height(wrapped)
        row = self._canvas.tree.branch("TR", self._table)
        shaded = self._zebra and number % 2 == 1

        def draw(top: float) -> None:
            with self._canvas.artifact():
                if shaded:
                    self._canvas.fill(LEFT, top, self.width, height, ZEBRA)
                if last or not self._zebra:
                    weight, color = (0.35, INK) if last else (0.1, HAIRLINE)
                    self._canvas.rule(top + height, width=self.width, weight=weight, color=color)
            for column, lines in enumerate(wrapped):
                head = {"tag": "TD"} if column else {"tag": "TH", "attributes": ROW}
                with self._canvas.marked(row, **head):
                    self._draw_cell(column, lines, top + _AIR / 2, self._style)

        return Piece(height, draw)

    def folded(self, rows: Sequence[tuple[str, ...]], side: int) -> Iterator[Piece]:
        """The rows in `side` columns side by side, read one column after the other."""
        titles = self._cells([column.title for column in self._columns], self._bold)
        above = max(len(lines) for lines in titles) * self._bold.line_height + 2.8
        heading = self._canvas.tree.branch("TR", self._table)
        most = side * _DEEPEST
        for first in range(0, len(rows), most):
            part = [self._cells(row, self._style) for row in rows[first : first + most]]
            deep = -(-len(part) // side)
            high = max(self._height(row) for row in part)
            elements = [self._canvas.tree.branch("TR", self._table) for _ in part]
            draw = partial(self._draw_folded, (titles, above, heading, not first), (part, elements, deep, high))
            yield Piece(above + deep * high, draw, gap=2.0)

    def _draw_folded(
        self,
        heading: tuple[list[tuple[str, ...]], float, StructElem, bool],
        body: tuple[list[list[tuple[str, ...]]], list[StructElem], int, float],
        top: float,
    ) -> None:
        titles, above, head, is_first = heading
        part, elements, deep, high = body
        for start in range(0, len(part), deep):
            left = LEFT + start // deep * (self.width + _APART)
            some = part[start : start + deep]
            end = top + above + len(some) * high
            with self._canvas.artifact():
                for odd in range(1, len(some), 2):
                    self._canvas.fill(left, top + above + odd * high, self.width, high, ZEBRA)
                for y, weight, color in ((top, 0.35, INK), (top + above, 0.2, MUTED), (end, 0.35, INK)):
                    self._canvas.rule(y, left, self.width, weight, color)
            for number, lines in enumerate(titles):
                again = start > 0 or not is_first
                with self._canvas.artifact() if again else self._canvas.marked(head, "TH", attributes=COLUMN):
                    heading_top = top + above - 1.3 - len(lines) * self._bold.line_height
                    self._draw_cell(number, lines, heading_top, self._bold, left)
            for place, (row, element) in enumerate(zip(some, elements[start : start + deep], strict=True)):
                for column, lines in enumerate(row):
                    tag = {"tag": "TD"} if column else {"tag": "TH", "attributes": ROW}
                    with self._canvas.marked(element, **tag):
                        self._draw_cell(column, lines, top + above + place * high + _AIR / 2, self._style, left)

    def left_out(self, count: int) -> Piece:
        """The line in place of the rows that are not shown."""
        style = Style(self._style.size, color=MUTED, leading=self._style.leading)
        row = self._canvas.tree.branch("TR", self._table)
        text = f"··· {count:,} rows are left out here; the CSV attached to this file holds them all ···"

        def draw(top: float) -> None:
            with self._canvas.artifact():
                self._canvas.rule(top + style.line_height + 3, width=self.width, weight=0.1, color=HAIRLINE)
            with self._canvas.marked(row, "TD", attributes=spanning(len(self._columns))):
                self._canvas.line_of_text(LEFT + self.width / 2, top + 1.5, text, style, "center")

        return Piece(style.line_height + 3, draw, keep=True)
