"""A report as a PDF: A4, tagged (PDF/UA-1), with its files inside, and the same bytes for the same report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime

from fpdf.structure_tree import StructElem

from capt_engine.formatting import moment, size
from capt_engine.records import BarChart
from capt_engine.reports.document import (
    Attachment,
    Block,
    Facts,
    Grid,
    Lights,
    Paragraph,
    Report,
    Section,
    Strip,
    unrepeated,
)
from capt_engine.reports.pdf import blocks, figure, grid, strip
from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.contents import Contents
from capt_engine.reports.pdf.flow import Piece, flow
from capt_engine.reports.pdf.theme import BLUE, BOTTOM, FOOTER, HEADING, LEFT, NOTE, RULE, SUBTITLE, TITLE, TOP, WIDTH

_APPENDIX = "Appendix"
_FEW_FILES = 6


def write(report: Report) -> bytes:
    """Return `report` as a tagged A4 PDF file with its attachments inside; on one computer the same bytes each time.

    Characters that DejaVu Sans lacks are drawn in fonts of this computer.
    """
    canvas = Canvas(tuple(_texts(report)))
    try:
        return _drawn(canvas, report)
    finally:
        canvas.fonts.close()


def _drawn(canvas: Canvas, report: Report) -> bytes:
    canvas.describe(canvas.readable(report.title), f"Report {canvas.readable(report.id)}", _moment(report.made))
    names = _embed(canvas, report.attachments)
    contents = Contents(canvas)
    pieces = [*_title_pieces(canvas, report)]
    sections = unrepeated(report.sections)
    front = [section for section in sections if section.is_front]
    rest = [section for section in sections if not section.is_front]
    if front and not rest:
        # What would be a section of its own is a line of the last page.
        front[-1] = replace(front[-1], blocks=(*front[-1].blocks, *_files_line(names)))
    elif names:
        # The files are what a run is repeated with.
        place = next((i for i, section in enumerate(rest, 1) if section.id == "repeat"), len(rest))
        rest.insert(place, _files_section(names, report.attachments))
    for number, section in enumerate(front):
        pieces += _page_pieces(canvas, section, () if number else pieces)
    if front and rest:
        pieces += _contents_pieces(canvas, contents, [section.title for section in rest])
    for section in rest:
        pieces += _section_pieces(canvas, section, contents if front else None)
    flow(pieces, canvas.new_page)
    contents.draw()
    _footers(canvas, report)
    return bytes(canvas.pdf.output())


def _texts(value: object) -> Iterator[str]:
    """Every text anywhere in a report."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))


def _moment(made: str) -> datetime:
    try:
        when = datetime.fromisoformat(made)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    # Without a zone fpdf2 would take this computer's.
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _title_pieces(canvas: Canvas, report: Report) -> Iterator[Piece]:
    element = canvas.tree.branch("Sect")
    titles = canvas.wrap(report.title, TITLE, WIDTH)
    subtitles = canvas.wrap(report.subtitle, SUBTITLE, WIDTH) if report.subtitle else ()
    below = f"Report {report.id} · {moment(report.made)}"
    height = len(titles) * TITLE.line_height + len(subtitles) * SUBTITLE.line_height + 14

    def draw(top: float) -> None:
        with canvas.artifact():
            canvas.fill(LEFT, top, 16, 1.2, BLUE)
        top += 4.5
        with canvas.marked(element, "H1"):
            top = canvas.lines(LEFT, top, titles, TITLE)
        top += 1.2
        with canvas.marked(element, "P"):
            top = canvas.lines(LEFT, top, subtitles, SUBTITLE)
        with canvas.marked(element, "P"):
            canvas.line_of_text(LEFT, top + 1, canvas.fitted(below, NOTE, WIDTH), NOTE)
        with canvas.artifact():
            canvas.rule(top + 1 + NOTE.line_height + 2.6, color=RULE)

    yield Piece(height + 1, draw, keep=True)


def _page_pieces(canvas: Canvas, section: Section, above: Sequence[Piece]) -> list[Piece]:
    """The pieces of a section that is to fill one page at most: where it would not, pictures and charts stay in the appendix.

    above: what stands on the page already; without it the section begins a page.
    """
    element = canvas.tree.branch("Sect", title=canvas.readable(section.title))
    first = _heading_piece(canvas, element, section.title, gap=6.0)
    parts: list[tuple[Block, StructElem, list[Piece]]] = []
    for block in section.blocks:
        part = canvas.tree.branch("Div", element)
        parts.append((block, part, [*_block_pieces(canvas, part, block)]))
    for kind in (Strip, BarChart):
        needed = sum(piece.gap + piece.height for _, _, some in parts for piece in some)
        if needed + sum(piece.gap + piece.height for piece in (*above, first)) <= BOTTOM - TOP:
            break
        for left_out in [one for one in parts if isinstance(one[0], kind)]:
            parts.remove(left_out)
            canvas.tree.drop(left_out[1])
    return [replace(first, is_first=not above), *(piece for _, _, some in parts for piece in some)]


def _contents_pieces(canvas: Canvas, contents: Contents, titles: Sequence[str]) -> Iterator[Piece]:
    element = canvas.tree.branch("Sect", title=_APPENDIX)
    yield _heading_piece(canvas, element, _APPENDIX, gap=11.0)
    yield from contents.pieces(element, titles)


def _section_pieces(canvas: Canvas, section: Section, contents: Contents | None) -> Iterator[Piece]:
    """The pieces of a section; contents: the table of the appendix that it stands in, None without one."""
    element = canvas.tree.branch("Sect", title=canvas.readable(section.title))
    yield _heading_piece(canvas, element, section.title, gap=7.0, contents=contents, alone=not section.blocks)
    for block in figure.in_pairs(section.blocks):
        if isinstance(block, tuple):
            yield from figure.pair_pieces(canvas, element, block)
        else:
            yield from _block_pieces(canvas, element, block)


def _heading_piece(
    canvas: Canvas,
    parent: StructElem,
    title: str,
    *,
    gap: float,
    contents: Contents | None = None,
    alone: bool = False,
) -> Piece:
    """The heading of a section, which is a bookmark too; those of an appendix stand below its own."""
    heading = canvas.tree.branch("H2" if contents is None else "H3", parent)
    lines = canvas.wrap(title, HEADING, WIDTH)

    def draw(top: float) -> None:
        canvas.pdf.set_y(max(top - 3, 0))
        canvas.pdf.start_section(canvas.readable(title).replace("\n", " "), level=0 if contents is None else 1)
        if contents is not None:
            contents.begins(top)
        with canvas.marked(heading, "Span"):
            canvas.lines(LEFT, top, lines, HEADING)

    return Piece(len(lines) * HEADING.line_height, draw, gap=gap, keep=not alone)


def _block_pieces(canvas: Canvas, parent: StructElem, block: Block) -> Iterator[Piece]:
    match block:
        case Paragraph():
            return blocks.paragraph_pieces(canvas, parent, block)
        case Facts():
            return blocks.facts_pieces(canvas, parent, block)
        case Lights():
            return blocks.lights_pieces(canvas, parent, block)
        case Grid():
            return grid.grid_pieces(canvas, parent, block)
        case Strip():
            return strip.strip_pieces(canvas, parent, block)
        case _:
            return figure.figure_pieces(canvas, parent, block)


class _Content(bytes):
    """Bytes that count as given even where there are none: fpdf2 takes an empty file for a forgotten one."""

    def __bool__(self) -> bool:
        return True


def _embed(canvas: Canvas, attachments: tuple[Attachment, ...]) -> list[str]:
    """Put the files inside; returns their names there, which are told apart where two are the same."""
    names: list[str] = []
    for attachment in attachments:
        name = canvas.readable(attachment.name).replace("\n", " ") or "file"
        number = 1
        while (unique := name if number == 1 else f"{number} {name}") in names:
            number += 1
        names.append(unique)
    # A reader finds a file by halving: the names must be in the order of their bytes.
    for unique, attachment in sorted(zip(names, attachments, strict=True), key=lambda one: one[0].encode("utf-16-be")):
        canvas.pdf.embed_file(
            bytes=_Content(attachment.content),
            basename=unique,
            desc=canvas.readable(attachment.description),
            creation_date=canvas.pdf.creation_date,
            modification_date=canvas.pdf.creation_date,
            compress=True,
        )
    return names


def _files_section(names: list[str], attachments: tuple[Attachment, ...]) -> Section:
    rows = tuple(
        (name, f"{size(len(one.content))}: {one.description}") for name, one in zip(names, attachments, strict=True)
    )
    note = Paragraph("These files travel inside this PDF. Most readers list them under “Attachments”.", "note")
    return Section("files", "Files inside this PDF", (Facts(rows), note))


def _files_line(names: Sequence[str]) -> tuple[Block, ...]:
    """A line on the files inside, where there is no room for a table of them."""
    shown = ", ".join(names[:_FEW_FILES]) + (f" and {len(names) - _FEW_FILES} more" if len(names) > _FEW_FILES else "")
    text = f"Files inside this PDF: {shown}. Most readers list them under “Attachments”."
    return (Paragraph(text, "note"),) if names else ()


def _footers(canvas: Canvas, report: Report) -> None:
    """Written last, when the number of pages is known."""
    pages = canvas.pdf.pages_count
    for page in range(1, pages + 1):
        canvas.back_to(page)
        with canvas.artifact():
            canvas.rule(BOTTOM + 5.5, weight=0.15)
            canvas.line_of_text(LEFT, BOTTOM + 7, canvas.fitted(f"Report {report.id}", FOOTER, WIDTH / 2), FOOTER)
            canvas.line_of_text(LEFT + WIDTH, BOTTOM + 7, f"page {page} of {pages}", FOOTER, "right")
