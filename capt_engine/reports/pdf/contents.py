"""The table of contents of an appendix: each line a link, drawn last, when it is known on which page a section begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fpdf.structure_tree import StructElem

from capt_engine.reports.pdf.canvas import Canvas
from capt_engine.reports.pdf.flow import Piece
from capt_engine.reports.pdf.theme import BODY, LEFT, MUTED, RULE, WIDTH, Style

_NUMBER = Style(BODY.size, color=MUTED, leading=BODY.leading)
_HEIGHT = BODY.line_height + 0.9


@dataclass(frozen=True)
class _Line:
    """A line of the table: its element in the tree, its words, and where it stands."""

    element: StructElem
    title: str
    page: int
    top: float


class Contents:
    """The sections of an appendix, and the pages on which they begin."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._lines: list[_Line] = []
        self._begin: list[tuple[int, float]] = []

    def pieces(self, parent: StructElem, titles: Sequence[str]) -> Iterator[Piece]:
        """Yield the room for one line for each of `titles` as PDF pieces; `draw` fills it. parent: the structure element."""
        table = self._canvas.tree.branch("TOC", parent)
        for number, title in enumerate(titles):
            element = self._canvas.tree.branch("TOCI", table)

            def note(top: float, element: StructElem = element, title: str = title) -> None:
                self._lines.append(_Line(element, title, self._canvas.pdf.page, top))

            yield Piece(_HEIGHT, note, gap=3.0 if number == 0 else 0.0, keep=number in (0, len(titles) - 2))

    def begins(self, top: float) -> None:
        """Note that the next section begins on the present page at `top`, in millimetres from its upper edge."""
        self._begin.append((self._canvas.pdf.page, top))

    def draw(self) -> None:
        """Write the lines, each a link to its section with a row of dots and the number of its page."""
        canvas = self._canvas
        for line, (page, top) in zip(self._lines, self._begin, strict=False):
            canvas.back_to(line.page)
            title = canvas.fitted(line.title, BODY, WIDTH - 20)
            number = str(page)
            box = (LEFT, line.top, WIDTH, _HEIGHT)
            with canvas.link(line.element, f"{title}, page {number}", box, (page, max(top - 3, 0.0))):
                canvas.line_of_text(LEFT, line.top, title, BODY)
                canvas.line_of_text(LEFT + WIDTH, line.top, number, _NUMBER, "right")
            left = LEFT + canvas.width(title, BODY) + 2
            right = LEFT + WIDTH - canvas.width(number, _NUMBER) - 2
            middle = line.top + BODY.line_height / 2 + 1.2
            with canvas.artifact():
                canvas.stroke(((left, middle), (right, middle)), 0.2, RULE, (0.3, 1.2))
