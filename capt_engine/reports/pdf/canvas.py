"""Drawing on the pages of one document: text, rules and marks, each inside its tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fpdf import FPDF
from fpdf.prefs import ViewerPreferences
from fpdf.structure_tree import StructElem
from PIL import Image

from capt_engine.reports.pdf import text as pdf_text
from capt_engine.reports.pdf.fonts import Fonts
from capt_engine.reports.pdf.tags import TagTree
from capt_engine.reports.pdf.theme import INK, LEFT, POINT, RGB, RULE, WIDTH, Style

_NEVER = (1, 2, 3)
# Of the size, below the middle of the line: between the middle of the capitals and that of the small letters.
_BASELINE = 0.36


class Canvas:
    """One PDF. All places are in millimetres from the page's top left corner."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.pdf = FPDF(unit="mm", format="A4")
        self.pdf.set_auto_page_break(False)
        # A name could hold the letters that fpdf2 would replace by the number of pages.
        self.pdf.str_alias_nb_pages = ""
        self.pdf.set_margin(0)
        self.fonts = Fonts(self.pdf, texts)
        self.tree = TagTree()
        self.pdf.struct_builder = self.tree

    def back_to(self, page: int) -> None:
        """Draw on a page that was left before."""
        self.pdf.page = page
        # What fpdf2 remembers was set while another page was drawn. These are never used, so that what is used is written out again.
        self.pdf.current_font_is_set_on_page = False
        self.pdf.set_draw_color(*_NEVER)
        self.pdf.set_fill_color(*_NEVER)
        self.pdf.set_line_width(_NEVER[0])

    def describe(self, title: str, subject: str, made: datetime) -> None:
        """Set the file's title, subject, language and date."""
        self.pdf.set_title(title)
        self.pdf.set_subject(subject)
        self.pdf.set_creator("CAPT Explorer")
        self.pdf.set_producer("fpdf2")
        self.pdf.set_lang("en")
        self.pdf.set_creation_date(made)
        self.pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)

    def readable(self, text: str) -> str:
        """The text, safe to draw."""
        return pdf_text.readable(text, self.fonts.has)

    def wrap(self, text: str, style: Style, width: float) -> tuple[str, ...]:
        """The text made safe and broken into lines."""
        return pdf_text.wrap(self.readable(text), style, width, self.fonts)

    def fitted(self, text: str, style: Style, width: float) -> str:
        """The text made safe, on one line, ended with … where it is too long."""
        return pdf_text.fitted(self.readable(text), style, width, self.fonts)

    def width(self, text: str, style: Style) -> float:
        """The width of one line."""
        return self.fonts.width(text, style)

    @contextmanager
    def marked(self, parent: StructElem, tag: str, alt: str | None = None) -> Iterator[None]:
        """Mark all that is drawn inside as one element of the document's structure."""
        mcid, spid = self.tree.leaf(tag, self.pdf.page, parent, None if alt is None else self.readable(alt))
        self.pdf.pages[self.pdf.page].struct_parents = spid
        self.pdf._out(f"/{tag} <</MCID {mcid}>> BDC")
        yield
        self.pdf._out("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark all that is drawn inside as decoration, which a screen reader passes over."""
        self.pdf._out("/Artifact BMC")
        yield
        self.pdf._out("EMC")

    def line_of_text(
        self, x: float, top: float, text: str, style: Style, align: str = "left", height: float | None = None
    ) -> None:
        """One line, in a row of `height` (the style's own if not given); x: its left end, right end or middle, as aligned."""
        if not text:
            return
        if align != "left":
            x -= self.fonts.width(text, style) * (0.5 if align == "center" else 1)
        baseline = top + (style.line_height if height is None else height) / 2 + _BASELINE * style.size * POINT
        shown = pdf_text.visual(text)
        # Letters that run from right to left need no words of their own: readers put them in order by themselves.
        as_meant = shown != text or all(self.fonts.has(char) for char in text)
        if not as_meant:
            meant = text.encode("utf-16-be", "replace").hex()
            self.pdf._out(f"/Span <</ActualText <FEFF{meant}>>> BDC")
        self.pdf.set_text_color(*style.color)
        for family, emphasis, run in self.fonts.runs(shown, style):
            self.pdf.set_font(family, emphasis, style.size)
            self.pdf.text(x, baseline, run)
            x += self.fonts.width(run, style)
        if not as_meant:
            self.pdf._out("EMC")

    def lines(self, x: float, top: float, lines: Sequence[str], style: Style, align: str = "left") -> float:
        """Lines below one another; returns where the next would begin."""
        for line in lines:
            self.line_of_text(x, top, line, style, align)
            top += style.line_height
        return top

    def rule(
        self, top: float, left: float = LEFT, width: float = WIDTH, weight: float = 0.2, color: RGB = RULE
    ) -> None:
        """A thin horizontal line."""
        self.stroke(((left, top), (left + width, top)), weight, color)

    def stroke(
        self,
        points: Sequence[tuple[float, float]],
        weight: float = 0.2,
        color: RGB = INK,
        dash: Sequence[float] = (),
    ) -> None:
        """A line through points; dash: lengths of ink and of gap in turn, none for a whole line."""
        self.pdf.set_draw_color(*color)
        self.pdf.set_line_width(weight)
        if dash:
            # fpdf2 knows patterns of two lengths only.
            lengths = " ".join(f"{part * self.pdf.k:.3f}" for part in dash)
            self.pdf._out(f"[{lengths}] 0 d")
        self.pdf.polyline(list(points))
        if dash:
            self.pdf._out("[] 0 d")

    def fill(self, left: float, top: float, width: float, height: float, color: RGB) -> None:
        """A filled rectangle."""
        self.pdf.set_fill_color(*color)
        self.pdf.rect(left, top, width, height, style="F")

    def area(self, points: Sequence[tuple[float, float]], color: RGB, opacity: float = 1.0) -> None:
        """A filled shape, through which one may see."""
        with self.pdf.local_context(fill_opacity=opacity):
            self.pdf.set_fill_color(*color)
            self.pdf.polygon(list(points), style="F")

    def disc(self, x: float, y: float, radius: float, color: RGB) -> None:
        """A filled circle around (x, y)."""
        self.pdf.set_fill_color(*color)
        self.pdf.circle(x, y, radius, style="F")

    @contextmanager
    def turned(self, degrees: float, x: float, y: float) -> Iterator[None]:
        """Turn all that is drawn inside clockwise around (x, y)."""
        if not degrees:
            yield
            return
        with self.pdf.rotation(-degrees, x, y):
            yield

    def picture(self, image: Image.Image, left: float, top: float, width: float, height: float) -> None:
        """A picture in a box."""
        self.pdf.image(image, x=left, y=top, w=width, h=height)
