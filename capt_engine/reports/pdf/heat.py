"""A table of shares whose cells are shaded: the fuller the blue, the larger the share, each with its figure."""

from __future__ import annotations

from collections.abc import Iterator

from fpdf.structure_tree import StructElem

from capt_engine.records import HeatMap, HeatRow
from capt_engine.reports.pdf.blocks import caption_pieces, text_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import BLUE, HAIRLINE, INK, LEFT, MUTED, NOTE, WIDTH, Style, mixed

_SIZES = (7.8, 7.0, 6.2)
_NAME, _CELL = 38.0, 19.0
_WHOLE = 30


def heat_pieces(canvas: Canvas, parent: StructElem, block: HeatMap) -> Iterator[Piece]:
    """The table, row by row, with its head again on each page."""
    yield from caption_pieces(canvas, parent, block.caption)
    table = _Heat(canvas, canvas.tree.branch("Table", parent), block)
    header = table.header()
    yield header
    for number, row in enumerate(block.rows):
        piece = table.row(row, is_last=number == len(block.rows) - 1)
        # A table is looked at as a whole; of one longer than a page neither the head nor the note is left alone.
        keep = len(block.rows) <= _WHOLE or number == 0 or number >= len(block.rows) - 2
        yield Piece(piece.height, piece.draw, keep=keep, again=header.again)
    yield from text_pieces(canvas, parent, block.note, NOTE, gap=1.6)


class _Heat:
    """One table, measured and ready to draw."""

    def __init__(self, canvas: Canvas, table: StructElem, block: HeatMap) -> None:
        self._canvas, self._table, self._block = canvas, table, block
        for size in _SIZES:
            self._style, self._bold = Style(size, leading=1.4), Style(size, bold=True, leading=1.4)
            lasts = [canvas.width(canvas.readable(row.last), self._style) for row in block.rows]
            self._last = max([*lasts, canvas.width(canvas.readable(block.last), self._bold)]) + 4
            names = [canvas.width(canvas.readable(row.name), self._style) for row in block.rows]
            self._name = min(max([*names, 14.0]), _NAME) + 3
            self._cell = min(_CELL, (WIDTH - self._name - self._last) / max(len(block.columns), 1))
            if self._cell >= canvas.width("100.0 %", self._style) + 2:
                break
        self._height = self._style.line_height + 2.0
        self._width = self._name + self._cell * len(block.columns) + self._last

    def _left(self, column: int) -> float:
        return LEFT + self._name + self._cell * column

    def header(self) -> Piece:
        """The titles between two rules."""
        canvas, block, height = self._canvas, self._block, self._height
        row = canvas.tree.branch("TR", self._table)

        def rules(top: float) -> None:
            canvas.rule(top, width=self._width, weight=0.35, color=INK)
            canvas.rule(top + height, width=self._width, weight=0.2, color=MUTED)

        def title(number: int, top: float) -> None:
            if number == 0:
                canvas.line_of_text(
                    LEFT + 1, top, canvas.fitted(block.corner, self._bold, self._name), self._bold, height=height
                )
            elif number <= len(block.columns):
                name = canvas.fitted(block.columns[number - 1], self._bold, self._cell)
                middle = self._left(number - 1) + self._cell / 2
                canvas.line_of_text(middle, top, name, self._bold, "center", height=height)
            else:
                canvas.line_of_text(
                    LEFT + self._width - 1, top, canvas.readable(block.last), self._bold, "right", height=height
                )

        def draw(top: float) -> None:
            with canvas.artifact():
                rules(top)
            for number in range(len(block.columns) + 2):
                with canvas.marked(row, "TH"):
                    title(number, top)

        def draw_again(top: float) -> None:
            with canvas.artifact():
                rules(top)
                for number in range(len(block.columns) + 2):
                    title(number, top)

        return Piece(height, draw, gap=2.0, keep=True, again=Piece(height, draw_again))

    def row(self, told: HeatRow, is_last: bool) -> Piece:
        """One kind."""
        canvas, height = self._canvas, self._height
        row = canvas.tree.branch("TR", self._table)

        def draw(top: float) -> None:
            with canvas.artifact():
                for number, share in enumerate(told.shares):
                    if share is not None:
                        ground = mixed(BLUE, 0.03 + 0.6 * share)
                        canvas.fill(self._left(number) + 0.15, top + 0.15, self._cell - 0.3, height - 0.3, ground)
                weight, color = (0.35, INK) if is_last else (0.1, HAIRLINE)
                canvas.rule(top + height, width=self._width, weight=weight, color=color)
            with canvas.marked(row, "TH"):
                canvas.line_of_text(
                    LEFT + 1, top, canvas.fitted(told.name, self._style, self._name - 2), self._style, height=height
                )
            for number, share in enumerate(told.shares):
                shown = "–" if share is None else f"{share * 100:.1f} %"
                with canvas.marked(row, "TD"):
                    canvas.line_of_text(
                        self._left(number) + self._cell / 2, top, shown, self._style, "center", height=height
                    )
            with canvas.marked(row, "TD"):
                canvas.line_of_text(
                    LEFT + self._width - 1, top, canvas.readable(told.last), self._style, "right", height=height
                )

        return Piece(height, draw)
