"""A confusion matrix of a report: right answers in blue, wrong ones in orange, each cell with its count where there is room."""

from __future__ import annotations

from collections.abc import Iterator

from fpdf.structure_tree import StructElem

from capt_engine.records import ConfusionMatrix
from capt_engine.reports.document import Column, Grid
from capt_engine.reports.pdf.blocks import caption_pieces, text_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.grid import grid_pieces
from capt_engine.reports.pdf.theme import (
    BLUE,
    HAIRLINE,
    INK,
    LEFT,
    MUTED,
    NOTE,
    ORANGE,
    SMALL,
    WHITE,
    WIDTH,
    Style,
    mixed,
)

_TALLEST = 150.0
_COUNTED = 26  # classes up to which a cell has room for its count
_AXIS = Style(7.4, color=MUTED, leading=1.3)
_NAME_WIDTH = 46.0


def matrix_pieces(canvas: Canvas, parent: StructElem, block: ConfusionMatrix) -> Iterator[Piece]:
    """The matrix, kept whole; the names that had no room beside it, or of very many classes the commonest mistakes, below."""
    yield from caption_pieces(canvas, parent, block.caption)
    if not block.names:
        yield from text_pieces(canvas, parent, "There is nothing to draw.", NOTE, gap=1.6)
        return
    figure = canvas.tree.branch("Div", parent)
    heat = _Heat(canvas, block)

    def draw(top: float) -> None:
        with canvas.marked(figure, "Figure", block.alt):
            heat.draw(top)

    note = "Rows: labels; columns: answers. Colour: the share of the row, blue where right, orange where wrong."
    yield Piece(heat.height, draw, gap=1.5, keep=True)
    yield from text_pieces(canvas, parent, note, NOTE, gap=1.2)
    if heat.key:
        rows = tuple((str(number + 1), name) for number, name in enumerate(block.names))
        yield from grid_pieces(
            canvas, parent, Grid("Names of the numbered classes", (Column("No.", "right"), Column("Class")), rows)
        )
    if not heat.counted:
        yield from grid_pieces(canvas, parent, _mistakes(block))


def _mistakes(block: ConfusionMatrix) -> Grid:
    found = [
        (count, row, column)
        for row, counts in enumerate(block.counts)
        for column, count in enumerate(counts)
        if row != column and count
    ]
    found.sort(key=lambda item: (-item[0], item[1], item[2]))
    rows = tuple((block.names[row], block.names[column], f"{count:,}") for count, row, column in found[:20])
    return Grid(
        "The commonest mistakes", (Column("Label"), Column("Answer"), Column("Pictures", "right")), rows, total=None
    )


class _Heat:
    """One matrix, measured and ready to draw."""

    def __init__(self, canvas: Canvas, block: ConfusionMatrix) -> None:
        self._canvas = canvas
        self._block = block
        count = len(block.names)
        self.counted = count <= _COUNTED
        widest = max(canvas.width(canvas.readable(name), SMALL) for name in block.names)
        self._name_width = min(widest, _NAME_WIDTH) + 10 if count <= 60 else 10.0
        self._cell = min(13.0, (WIDTH - self._name_width - 2) / count, _TALLEST / count)
        self._row = min(self._cell, 8.0 if count <= 8 else 6.2) if self.counted else self._cell
        self._named_columns = self.counted and widest <= self._cell - 1.5
        self.key = widest > _NAME_WIDTH and count <= 60
        self.height = count * self._row + 11

    def draw(self, top: float) -> None:
        canvas, block = self._canvas, self._block
        count = len(block.names)
        left, upper = LEFT + self._name_width, top + 9.5
        width = self._cell * count
        canvas.line_of_text(left - 2.5, top + 4.6, "label ↓", _AXIS, "right", height=4)
        canvas.line_of_text(left + width / 2, top - 0.3, "answer →", _AXIS, "center", height=4)
        size = min(7.2, self._row / 0.3528 * 0.62)
        for number, name in enumerate(block.names):
            every = 1 if self._row >= 2.6 else 10
            if number == 0 or (number + 1) % every == 0:
                label = name if self._named_columns else str(number + 1)
                canvas.line_of_text(
                    left + (number + 0.5) * self._cell,
                    top + 4.6,
                    canvas.readable(label),
                    Style(min(7.2, max(size, 4.5)), color=INK),
                    "center",
                    height=4,
                )
                self._row_name(number, name, left, upper, max(size, 4.5))
            self._draw_row(number, left, upper, size)
        canvas.rule(upper, left, width, 0.25, MUTED)
        canvas.rule(upper + count * self._row, left, width, 0.25, MUTED)

    def _row_name(self, number: int, name: str, left: float, upper: float, size: float) -> None:
        canvas = self._canvas
        style = Style(min(7.4, size))
        y = upper + number * self._row
        beside = left - 2.5
        if not self._named_columns:
            canvas.line_of_text(beside, y, str(number + 1), Style(style.size, color=MUTED), "right", height=self._row)
            beside -= 6.0
        if len(self._block.names) <= 60:
            canvas.line_of_text(
                beside, y, canvas.fitted(name, style, self._name_width - 9), style, "right", height=self._row
            )

    def _draw_row(self, number: int, left: float, upper: float, size: float) -> None:
        canvas = self._canvas
        counts = self._block.counts[number] if number < len(self._block.counts) else ()
        total = sum(counts)
        y = upper + number * self._row
        for column, value in enumerate(counts[: len(self._block.names)]):
            x = left + column * self._cell
            share = value / total if total else 0.0
            if value:
                canvas.fill(
                    x, y, self._cell, self._row, mixed(BLUE if column == number else ORANGE, 0.12 + 0.83 * share)
                )
            if self.counted:
                color = WHITE if share > 0.6 else INK if value else mixed(MUTED, 0.55)
                canvas.line_of_text(
                    x + self._cell / 2, y, str(value), Style(size, color=color), "center", height=self._row
                )
        if self.counted:
            canvas.rule(y + self._row, left, self._cell * len(self._block.names), 0.08, HAIRLINE)
