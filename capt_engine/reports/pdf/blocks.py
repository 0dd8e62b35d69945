"""Paragraphs, facts and lights of a report as pieces of its PDF."""

from __future__ import annotations

from collections.abc import Iterator

from fpdf.structure_tree import StructElem

from capt_engine.reports.document import Facts, Light, Lights, Paragraph
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.tags import ROW
from capt_engine.reports.pdf.theme import (
    BLUE,
    BODY,
    CAPTION,
    GREY,
    HAIRLINE,
    INK,
    LEAD,
    LEFT,
    NOTE,
    ORANGE,
    ORANGE_INK,
    RGB,
    SMALL,
    SMALL_MUTED,
    SMALL_STRONG,
    WARM,
    WHITE,
    WIDTH,
    Style,
)

_STYLES = {"text": BODY, "lead": LEAD, "note": NOTE}
_LONGEST_LINE = 150.0  # a longer line is tiring to come back from
_LIMIT = Style(9, color=INK, leading=1.5)
_WORDS: dict[str, tuple[str, RGB]] = {
    "pass": ("passed", BLUE),
    "fail": ("FAILED", ORANGE_INK),
    "not run": ("not run", (89, 97, 113)),
}


def text_pieces(
    canvas: Canvas, parent: StructElem, text: str, style: Style, *, gap: float, tag: str = "P"
) -> Iterator[Piece]:
    """Yield `text` as PDF pieces (parts of a page that are never split), one for each line it is broken into.

    No line is left alone at the beginning or end of a page. canvas: the PDF to draw on. style: font size, weight and
    colour. gap: millimetres of white above the first line. tag: the kind of structure element to make under `parent`,
    such as "P".
    """
    element = canvas.tree.branch(tag, parent)
    lines = canvas.wrap(text, style, _LONGEST_LINE if style.size < LEAD.size else WIDTH)

    def drawn(line: str) -> Piece:
        def draw(top: float) -> None:
            with canvas.marked(element, "Span"):
                canvas.line_of_text(LEFT, top, line, style)

        return Piece(style.line_height, draw, gap if number == 0 else 0.0, keep)

    for number, line in enumerate(lines):
        keep = len(lines) > 1 and number in (0, len(lines) - 2)
        yield drawn(line)


def caption_pieces(canvas: Canvas, parent: StructElem, caption: str, tag: str = "P") -> Iterator[Piece]:
    """Yield the title `caption` of a table or chart as PDF pieces that stay on one page with what follows.

    canvas: the PDF to draw on. parent: the structure element that takes the caption. tag: its kind, "Caption" where the
    parent is a table. An empty caption yields none.
    """
    if caption:
        for piece in text_pieces(canvas, parent, caption, CAPTION, gap=5.0, tag=tag):
            yield Piece(piece.height, piece.draw, piece.gap, keep=True)


def paragraph_pieces(canvas: Canvas, parent: StructElem, block: Paragraph) -> Iterator[Piece]:
    """Yield the paragraph `block` as PDF pieces; one of kind "limit" stands on a warm ground with a bar beside it.

    canvas: the PDF to draw on. parent: the structure element that takes the paragraph.
    """
    if block.kind != "limit":
        yield from text_pieces(canvas, parent, block.text, _STYLES.get(block.kind, BODY), gap=2.6)
        return
    element = canvas.tree.branch("P", parent)
    lines = canvas.wrap(block.text, _LIMIT, WIDTH - 13)
    for start in range(0, len(lines), 40):
        part = lines[start : start + 40]

        def draw(top: float, part: tuple[str, ...] = part, height: float = len(part) * _LIMIT.line_height + 5) -> None:
            with canvas.artifact():
                canvas.fill(LEFT, top, WIDTH, height, WARM)
                canvas.fill(LEFT, top, 1.1, height, ORANGE)
            with canvas.marked(element, "Span"):
                canvas.lines(LEFT + 6.5, top + 2.5, part, _LIMIT)

        yield Piece(len(part) * _LIMIT.line_height + 5, draw, gap=3.2 if start == 0 else 0.0)


def facts_pieces(canvas: Canvas, parent: StructElem, block: Facts) -> Iterator[Piece]:
    """Yield the names and values in `block` as PDF pieces, a row each: names on the left, values on the right.

    canvas: the PDF to draw on. parent: the structure element that takes the table. A value longer than 40 lines is cut.
    """
    table = canvas.tree.branch("Table", parent)
    style, name_style = Style(8.4, leading=1.45), Style(8.4, leading=1.45, color=SMALL_MUTED.color)
    widest = max((canvas.width(canvas.readable(name), name_style) for name, _ in block.pairs), default=0.0)
    name_width = min(max(widest, 26.0), 58.0)
    value_left = LEFT + name_width + 5
    for number, (name, value) in enumerate(block.pairs):
        names = canvas.wrap(name, name_style, name_width)
        values = canvas.wrap(value, style, LEFT + WIDTH - value_left)[:40]
        row = canvas.tree.branch("TR", table)
        height = max(len(names), len(values)) * style.line_height + 1.5

        def draw(
            top: float,
            row: StructElem = row,
            names: tuple[str, ...] = names,
            values: tuple[str, ...] = values,
            height: float = height,
            last: bool = number == len(block.pairs) - 1,
        ) -> None:
            with canvas.marked(row, "TH", attributes=ROW):
                canvas.lines(LEFT, top + 0.75, names, name_style)
            with canvas.marked(row, "TD"):
                canvas.lines(value_left, top + 0.75, values, style)
            if not last:
                with canvas.artifact():
                    canvas.rule(top + height, weight=0.12, color=HAIRLINE)

        yield Piece(
            height,
            draw,
            gap=3.0 if number == 0 else 0.0,
            keep=number in (0, len(block.pairs) - 2) and len(block.pairs) > 1,
        )


def lights_pieces(canvas: Canvas, parent: StructElem, block: Lights) -> Iterator[Piece]:
    """Yield the checks in `block` as PDF pieces: the summary, then a row for each check.

    A row has the status as shape, word and colour, the check's name, its number at the right and its message below.
    canvas: the PDF to draw on. parent: the structure element that takes them.
    """
    for piece in text_pieces(canvas, parent, block.summary, CAPTION, gap=3.0):
        yield Piece(piece.height, piece.draw, piece.gap, keep=True)
    if not block.lights:
        return
    table = canvas.tree.branch("Table", parent)
    value_width = min(max(canvas.width(canvas.readable(light.value), SMALL) for light in block.lights), 44.0) + 0.1
    for number, light in enumerate(block.lights):
        yield _light_piece(
            canvas,
            canvas.tree.branch("TR", table),
            light,
            value_width,
            first=number == 0,
            keep=number in (0, len(block.lights) - 2),
        )


def _light_piece(canvas: Canvas, row: StructElem, light: Light, value_width: float, first: bool, keep: bool) -> Piece:
    word, color = _WORDS.get(light.status, (light.status, GREY))
    word_style = Style(SMALL.size, bold=True, color=color, leading=SMALL.leading)
    text_left = LEFT + 25
    text_width = WIDTH - 25 - value_width - 6
    names = canvas.wrap(light.name, SMALL_STRONG, text_width)
    values = canvas.wrap(light.value, SMALL, value_width)[:12]
    messages = (
        canvas.wrap(light.message, SMALL_MUTED, WIDTH - 25 if len(values) <= len(names) else text_width)[:20]
        if light.message
        else ()
    )
    height = max(len(names) + len(messages), len(values)) * SMALL.line_height + 2.6

    def draw(top: float) -> None:
        middle = top + 1.3 + SMALL.line_height / 2
        with canvas.artifact():
            canvas.rule(top, weight=0.12, color=HAIRLINE)
            status_mark(canvas, LEFT + 2.2, middle, light.status)
        with canvas.marked(row, "TD"):
            canvas.line_of_text(LEFT + 6.5, top + 1.3, canvas.fitted(word, word_style, 18), word_style)
        with canvas.marked(row, "TH", attributes=ROW):
            below = canvas.lines(text_left, top + 1.3, names, SMALL_STRONG)
        with canvas.marked(row, "TD"):
            canvas.lines(LEFT + WIDTH, top + 1.3, values, SMALL, "right")
        with canvas.marked(row, "TD"):
            canvas.lines(text_left, below, messages, SMALL_MUTED)

    return Piece(height, draw, gap=1.4 if first else 0.0, keep=keep)


def status_mark(canvas: Canvas, x: float, y: float, status: str) -> None:
    """Draw the mark of a check's `status` around (x, y), in millimetres on the page of `canvas`.

    "pass" is a disc with a tick, "fail" a triangle with an exclamation mark, any other a ring with a dash.
    """
    if status == "pass":
        canvas.disc(x, y, 1.6, BLUE)
        canvas.stroke(((x - 0.75, y + 0.05), (x - 0.2, y + 0.6), (x + 0.8, y - 0.55)), 0.38, WHITE)
    elif status == "fail":
        canvas.area(((x, y - 2.2), (x + 2.0, y + 1.4), (x - 2.0, y + 1.4)), ORANGE)
        canvas.stroke(((x, y - 0.85), (x, y + 0.35)), 0.4, WHITE)
        canvas.fill(x - 0.2, y + 0.67, 0.4, 0.4, WHITE)
    else:
        canvas.disc(x, y, 1.6, GREY)
        canvas.disc(x, y, 1.25, WHITE)
        canvas.stroke(((x - 0.6, y), (x + 0.6, y)), 0.35, GREY)
