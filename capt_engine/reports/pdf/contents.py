"""The table of contents of an appendix: each line a link, drawn last, when it is known on which page a section begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from fpdf.structure_tree import StructElem

from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import BODY, LEFT, MUTED, RULE, WIDTH, Style

_NUMBER = Style(BODY.size, color=MUTED, leading=BODY.leading)
_HEIGHT = BODY.line_height + 0.4
_MANY = 8
"""So many lines and more stand in three columns, each read from above to below."""
_GUTTER = 9.0


@dataclass(frozen=True)
class _Line:
    """A line of the table: its element in the tree, its words, and where it stands."""

    element: StructElem
    title: str
    page: int
    left: float
    top: float
    width: float


class Contents:
    """The sections of an appendix, and the pages on which they begin."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._lines: dict[int, _Line] = {}
        self._begin: list[tuple[int, float]] = []

    def pieces(self, parent: StructElem, titles: Sequence[str]) -> Iterator[Piece]:
        """Yield the room for one line for each of `titles` as PDF pieces; `draw` fills it. parent: the structure element."""
        table = self._canvas.tree.branch("TOC", parent)
        elements = [self._canvas.tree.branch("TOCI", table) for _ in titles]
        columns = 1 if len(titles) < _MANY else 3
        rows = -(-len(titles) // columns)
        width = (WIDTH - (columns - 1) * _GUTTER) / columns

        def note(top: float, row: int) -> None:
            for place in range(row, len(titles), rows):
                left = LEFT + place // rows * (width + _GUTTER)
                self._lines[place] = _Line(elements[place], titles[place], self._canvas.pdf.page, left, top, width)

        for row in range(rows):
            draw = partial(note, row=row)
            yield Piece(_HEIGHT, draw, gap=3.0 if row == 0 else 0.0, keep=row < rows - 1)

    def begins(self, top: float) -> None:
        """Note that the next section begins on the present page at `top`, in millimetres from its upper edge."""
        self._begin.append((self._canvas.pdf.page, top))

    def draw(self) -> None:
        """Write the lines, each a link to its section with a row of dots and the number of its page."""
        canvas = self._canvas
        for place, (page, top) in enumerate(self._begin):
            line = self._lines[place]
            canvas.back_to(line.page)
            title = canvas.fitted(line.title, BODY, line.width - 10)
            number = str(page)
            box = (line.left, line.top, line.width, _HEIGHT)
            with canvas.link(line.element, f"{title}, page {number}", box, (page, max(top - 3, 0.0))):
                canvas.line_of_text(line.left, line.top, title, BODY)
                canvas.line_of_text(line.left + line.width, line.top, number, _NUMBER, "right")
            left = line.left + canvas.width(title, BODY) + 2
            right = line.left + line.width - canvas.width(number, _NUMBER) - 2
            middle = line.top + BODY.line_height / 2 + 1.2
            with canvas.artifact():
                canvas.stroke(((left, middle), (right, middle)), 0.2, RULE, (0.3, 1.2))
