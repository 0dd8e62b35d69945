"""Paragraphs, facts and lights of a report as pieces of its PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
    WARM,
    WHITE,
    WIDTH,
    Style,
)

_STYLES = {"text": BODY, "lead": LEAD, "note": NOTE}
_LONGEST_LINE = 160.0  # a longer line is tiring to come back from
_LIMIT = Style(9, color=INK, leading=1.5)
_FACT = Style(7.8, leading=1.4)
_FACT_NAME = Style(7.8, color=SMALL_MUTED.color, leading=1.4)
_TWO_COLUMNS = 4
"""So many facts and more stand in two columns."""
_SHORT_VALUE = 2
"""Of at most so many lines is a value that stays in its column."""
_GUTTER = 7.0
_CHECK = Style(6.8, leading=1.28)
_CHECK_NAME = Style(6.8, bold=True, leading=1.28)
_CHECK_TEXT = Style(6.6, color=SMALL_MUTED.color, leading=1.3188)
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
        for piece in text_pieces(canvas, parent, caption, CAPTION, gap=3.0, tag=tag):
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


@dataclass(frozen=True)
class _Fact:
    """A name and its value as lines, at home in one column or across both."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    is_wide: bool

    @property
    def height(self) -> float:
        return max(len(self.names), len(self.values)) * _FACT.line_height + 1.1


def facts_pieces(canvas: Canvas, parent: StructElem, block: Facts) -> Iterator[Piece]:
    """Yield the names and values in `block` as PDF pieces, names on the left and values on the right.

    Of four and more, short ones stand in two columns, read from left to right. canvas: the PDF to draw on. parent: the
    structure element that takes the table. A value longer than 40 lines is cut.
    """
    table = canvas.tree.branch("Table", parent)
    widest = max((canvas.width(canvas.readable(name), _FACT_NAME) for name, _ in block.pairs), default=0.0)
    two = len(block.pairs) >= _TWO_COLUMNS
    name_width = min(max(widest, 24.0), 36.0 if two else 56.0)
    half = (WIDTH - _GUTTER) / 2
    facts = []
    for name, value in block.pairs:
        names = canvas.wrap(name, _FACT_NAME, name_width)
        short = canvas.wrap(value, _FACT, half - name_width - 4) if two else ()
        wide = not two or len(short) > _SHORT_VALUE
        values = canvas.wrap(value, _FACT, WIDTH - name_width - 4)[:40] if wide else short
        facts.append(_Fact(names, values, wide))
    rows = _in_rows(facts)
    for row in rows:
        if len(row) == 1 and not row[0].is_wide:
            value = block.pairs[facts.index(row[0])][1]
            row[0] = replace(row[0], values=canvas.wrap(value, _FACT, WIDTH - name_width - 4))
    for number, row in enumerate(rows):
        yield Piece(
            max(fact.height for fact in row),
            partial(_draw_facts, canvas, [canvas.tree.branch("TR", table) for _ in row], row, name_width),
            gap=3.0 if number == 0 else 0.0,
            keep=number in (0, len(rows) - 2) and len(rows) > 1,
        )


def _in_rows(facts: Sequence[_Fact]) -> list[list[_Fact]]:
    """Two short ones that follow each other share a row."""
    rows: list[list[_Fact]] = []
    for fact in facts:
        if rows and len(rows[-1]) == 1 and not rows[-1][0].is_wide and not fact.is_wide:
            rows[-1].append(fact)
        else:
            rows.append([fact])
    return rows


def _draw_facts(
    canvas: Canvas, elements: Sequence[StructElem], row: Sequence[_Fact], name_width: float, top: float
) -> None:
    for place, (element, fact) in enumerate(zip(elements, row, strict=True)):
        left = LEFT + place * ((WIDTH - _GUTTER) / 2 + _GUTTER)
        with canvas.marked(element, "TH", attributes=ROW):
            canvas.lines(left, top + 0.55, fact.names, _FACT_NAME)
        with canvas.marked(element, "TD"):
            canvas.lines(left + name_width + 4, top + 0.55, fact.values, _FACT)
    with canvas.artifact():
        canvas.rule(top + max(fact.height for fact in row), weight=0.12, color=HAIRLINE)


def lights_pieces(canvas: Canvas, parent: StructElem, block: Lights) -> Iterator[Piece]:
    """Yield the checks in `block` as PDF pieces: the summary, then a row for each check.

    A row has the status as shape, word and colour, the check's name, its message and its number at the right.
    canvas: the PDF to draw on. parent: the structure element that takes them.
    """
    for piece in text_pieces(canvas, parent, block.summary, CAPTION, gap=3.0):
        yield Piece(piece.height, piece.draw, piece.gap, keep=True)
    if not block.lights:
        return
    table = canvas.tree.branch("Table", parent)
    value_width = min(max(canvas.width(canvas.readable(light.value), SMALL) for light in block.lights), 32.0) + 0.1
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
    word_style = Style(_CHECK.size, bold=True, color=color, leading=_CHECK.leading)
    name_left, name_width = LEFT + 18, 36.0
    text_left = name_left + name_width + 3
    text_width = LEFT + WIDTH - text_left - (value_width + 4 if light.value else 0)
    names = canvas.wrap(light.name, _CHECK_NAME, name_width)[:6]
    values = canvas.wrap(light.value, _CHECK, value_width)[:12]
    messages = canvas.wrap(light.message, _CHECK_TEXT, text_width)[:20] if light.message else ()
    height = max(len(names), len(messages), len(values)) * _CHECK.line_height + 1.4

    def draw(top: float) -> None:
        with canvas.artifact():
            canvas.rule(top, weight=0.12, color=HAIRLINE)
            status_mark(canvas, LEFT + 2.2, top + 0.7 + _CHECK.line_height / 2, light.status)
        with canvas.marked(row, "TD"):
            canvas.line_of_text(LEFT + 6, top + 0.7, canvas.fitted(word, word_style, 11.5), word_style)
        with canvas.marked(row, "TH", attributes=ROW):
            canvas.lines(name_left, top + 0.7, names, _CHECK_NAME)
        with canvas.marked(row, "TD"):
            canvas.lines(LEFT + WIDTH, top + 0.7, values, _CHECK, "right")
        with canvas.marked(row, "TD"):
            canvas.lines(text_left, top + 0.7, messages, _CHECK_TEXT)

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
