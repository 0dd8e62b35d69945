"""A drawn chart on a page of the PDF: the same shapes and texts at the same places as in SVG, in one Figure with its alternative text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

from fpdf.structure_tree import StructElem

from capt_engine.records import Chart, ConfusionMatrix, LineChart
from capt_engine.reports.document import Block, Column, Grid
from capt_engine.reports.pdf.blocks import caption_pieces, text_pieces
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.grid import grid_pieces
from capt_engine.reports.pdf.theme import BOTTOM, CAPTION, LEFT, NOTE, POINT, TOP, WIDTH, Style
from capt_engine.reports.svg import confusion_matrix, draw
from capt_engine.reports.svg.elements import RADIUS, Area, Cells, Drawing, Element, Line, Mark, Text, outline, rgb
from capt_engine.reports.svg.elements import WIDTH as UNITS
from capt_engine.reports.svg.notes import cut_names, note

_LETTERS = 0.9
"""Of the drawing's letters: DejaVu Sans is wider than the fonts of a page."""
_LOWER = 0.85
"""Of a line chart, which is as high as it is wide enough."""
_SCALE = 0.9 * WIDTH / UNITS
"""Millimetres for a unit of a drawing, whose letters are then as large as those of the text."""
HALF = UNITS / 2 + 8
"""The width of one of two drawings that share a row, in units of a drawing."""
_TALLEST = BOTTOM - TOP - 22


def figure_pieces(canvas: Canvas, parent: StructElem, chart: Chart) -> Iterator[Piece]:
    """Yield `chart` as PDF pieces: its caption, its drawing in one piece, its note, and the names cut short in it.

    canvas: the PDF to draw on. parent: the structure element that takes the figure. A chart without values says that
    there is nothing to draw.
    """
    parent = canvas.tree.branch("Div", parent)
    yield from caption_pieces(canvas, parent, chart.caption)
    drawing = draw(chart)
    if drawing is None:
        yield from text_pieces(canvas, parent, "There is nothing to draw.", NOTE, gap=1.6)
        return
    scale = min(_SCALE * (_LOWER if isinstance(chart, LineChart) else 1.0), _TALLEST / drawing.height)
    below = note(chart)

    def draw_at(top: float) -> None:
        box = canvas.box(LEFT, top, UNITS * scale, drawing.height * scale)
        with canvas.marked(parent, "Figure", drawing.alt, box):
            paint(canvas, drawing, LEFT, top, scale)

    yield Piece(drawing.height * scale, draw_at, gap=1.5, keep=bool(below))
    if below:
        yield from text_pieces(canvas, parent, below, NOTE, gap=1.2)
    if rows := cut_names(chart):
        yield from grid_pieces(canvas, parent, Grid("Names that are cut above", (Column("Name"),), rows))


def pair_pieces(canvas: Canvas, parent: StructElem, pair: Sequence[ConfusionMatrix]) -> Iterator[Piece]:
    """Yield two confusion matrices as one PDF piece, side by side under their captions, and the note that both share.

    canvas: the PDF to draw on. parent: the structure element that takes the figures. Both must fit half the width.
    """
    scale = _SCALE
    elements = [canvas.tree.branch("Div", parent) for _ in pair]
    captions = [canvas.wrap(one.caption, CAPTION, HALF * scale) for one in pair]
    drawings = [drawing for one in pair if (drawing := confusion_matrix.draw(one, HALF)) is not None]
    above = max(map(len, captions)) * CAPTION.line_height + 1.5
    high = max(drawing.height for drawing in drawings) * scale

    def draw_at(top: float) -> None:
        for place, (element, caption, drawing) in enumerate(zip(elements, captions, drawings, strict=True)):
            left = LEFT + place * (WIDTH / 2 + 3)
            with canvas.marked(element, "P"):
                canvas.lines(left, top, caption, CAPTION)
            box = canvas.box(left, top + above, HALF * scale, drawing.height * scale)
            with canvas.marked(element, "Figure", drawing.alt, box):
                paint(canvas, drawing, left, top + above, scale)

    yield Piece(above + high, draw_at, gap=5.0, keep=True)
    yield from text_pieces(canvas, parent, note(pair[0]), NOTE, gap=1.2)


def in_pairs(blocks: Sequence[Block]) -> Iterator[Block | tuple[ConfusionMatrix, ConfusionMatrix]]:
    """Yield `blocks` of a section in order, with each two confusion matrices that can share a row as one tuple."""
    waiting: ConfusionMatrix | None = None
    for block in blocks:
        if isinstance(block, ConfusionMatrix) and confusion_matrix.fits(block, HALF):
            if waiting is not None:
                yield waiting, block
            waiting = block if waiting is None else None
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        yield block
    if waiting is not None:
        yield waiting


def paint(canvas: Canvas, drawing: Drawing, left: float, top: float, scale: float) -> None:
    """Draw a laid-out chart on the current page of `canvas`, its top left corner at (left, top), in millimetres.

    scale: millimetres for one unit of the `drawing`.
    """
    for element in drawing.elements:
        _paint(canvas, element, left, top, scale)


def _paint(canvas: Canvas, element: Element, left: float, top: float, scale: float) -> None:
    def placed(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
        return [(left + x * scale, top + y * scale) for x, y in points]

    match element:
        case Line():
            dash = tuple(part * scale for part in element.dash)
            canvas.stroke(placed(element.points), element.width * scale, rgb(element.role), dash)
        case Area():
            canvas.area(placed(element.points), rgb(element.role), element.opacity)
        case Cells():
            for x, y, width, height in element.boxes:
                canvas.fill(left + x * scale, top + y * scale, width * scale, height * scale, rgb(element.role))
        case Mark():
            _paint_mark(canvas, element, left, top, scale)
        case Text():
            style = Style(element.size * scale / POINT * _LETTERS, element.bold, rgb(element.role))
            (place,) = placed(((element.x, element.y),))
            align = {"start": "left", "end": "right"}.get(element.align, element.align)
            with canvas.turned(element.turn, *place):
                canvas.line_of_text(*place, canvas.readable(element.text), style, align, height=0)
        case _:
            assert_never(element)


def _paint_mark(canvas: Canvas, mark: Mark, left: float, top: float, scale: float) -> None:
    """The mark on a slightly larger one of paper."""
    for role, larger in (("paper", 1.25), (mark.role, 1.0)):
        if corners := outline(replace(mark, x=0, y=0)):
            x, y = left + mark.x * scale, top + mark.y * scale
            canvas.area([(x + dx * scale * larger, y + dy * scale * larger) for dx, dy in corners], rgb(role))
        else:
            canvas.disc(left + mark.x * scale, top + mark.y * scale, RADIUS * scale * larger, rgb(role))


def page_of(drawing: Drawing) -> bytes:
    """Return the laid-out chart `drawing` as a PDF of one page of its size; the same drawing gives the same bytes."""
    canvas = Canvas([element.text for element in drawing.elements if isinstance(element, Text)])
    scale, margin = WIDTH / UNITS, 3.0
    try:
        # Without a date of our own fpdf2 would write the clock's.
        canvas.describe(canvas.readable(drawing.title), "", datetime.fromtimestamp(0, UTC))
        canvas.pdf.add_page(format=(WIDTH + 2 * margin, drawing.height * scale + 2 * margin))
        with canvas.artifact():
            paint(canvas, drawing, margin, margin, scale)
        return bytes(canvas.pdf.output())
    finally:
        canvas.fonts.close()
