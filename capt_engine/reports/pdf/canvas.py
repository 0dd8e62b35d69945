"""Drawing on the pages of one document: text, rules and marks, each inside its tag."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fpdf import FPDF
from fpdf.annotations import PDFAnnotation
from fpdf.prefs import ViewerPreferences
from fpdf.structure_tree import StructElem
from fpdf.syntax import DestinationXYZ
from PIL import Image

from capt_engine.reports.pdf import text as pdf_text
from capt_engine.reports.pdf.fonts import Fonts
from capt_engine.reports.pdf.tags import TagTree
from capt_engine.reports.pdf.theme import INK, LEFT, POINT, RGB, RULE, WIDTH, Style

_NEVER = (1, 2, 3)
# Of the size, below the middle of the line: between the middle of the capitals and that of the small letters.
_BASELINE = 0.36
_AUTHOR = "CAPT Explorer"
_LANGUAGE = "en"
# Characters that XML cannot hold (XML 1.0, 2.2).
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        """Make `page`, counted from 1, the page that is drawn on, after other pages were begun."""
        self.pdf.page = page
        # What fpdf2 remembers was set while another page was drawn. These are never used, so that what is used is written out again.
        self.pdf.current_font_is_set_on_page = False
        self.pdf.set_draw_color(*_NEVER)
        self.pdf.set_fill_color(*_NEVER)
        self.pdf.set_line_width(_NEVER[0])

    def describe(self, title: str, subject: str, made: datetime) -> None:
        """Set the PDF's title, subject and creation date `made`, its language (English) and the program's name.

        They stand in the file twice, as it has two places for them: for old readers, and as XMP (ISO 16684), which also
        says that the file keeps to PDF/UA-1.
        """
        self.pdf.pdf_version = "1.7"
        self.pdf.set_title(title)
        self.pdf.set_subject(subject)
        self.pdf.set_author(_AUTHOR)
        self.pdf.set_creator(_AUTHOR)
        self.pdf.set_producer("fpdf2")
        self.pdf.set_lang(_LANGUAGE)
        self.pdf.set_creation_date(made)
        self.pdf.set_xmp_metadata(metadata(title, subject, made))
        self.pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)

    def new_page(self) -> None:
        """Begin a page of the document; the Tab key follows the order of the structure on it."""
        self.pdf.add_page()
        vars(self.pdf.pages[self.pdf.page])["tabs"] = "/S"

    def readable(self, text: str) -> str:
        """Return `text` safe to draw: with a box for control characters, and a code point beside what cannot be drawn.

        The code points are written only where there are up to three such characters.
        """
        return pdf_text.readable(text, self.fonts.has)

    def wrap(self, text: str, style: Style, width: float) -> tuple[str, ...]:
        """Break `text` into lines that are at most `width` millimetres wide in `style`.

        Characters that the fonts lack are written as `readable` writes them. A word that is too wide for a line is broken.
        """
        return pdf_text.wrap(self.readable(text), style, width, self.fonts)

    def fitted(self, text: str, style: Style, width: float) -> str:
        """Return `text`, made safe to draw, as one line that ends with … where it is wider than `width` millimetres.

        style: the font size and weight to measure with.
        """
        return pdf_text.fitted(self.readable(text), style, width, self.fonts)

    def width(self, text: str, style: Style) -> float:
        """Return the width in millimetres of `text` set on one line in `style`."""
        return self.fonts.width(text, style)

    @contextmanager
    def marked(
        self, parent: StructElem, tag: str, alt: str | None = None, attributes: str = ""
    ) -> Iterator[StructElem]:
        """Mark all that is drawn inside the `with` block as one new element of the document's structure, and yield that.

        parent: the element that takes it. tag: its kind, such as "TD" or "Figure". alt: words for a screen reader, None
        for none. attributes: of the element, as tags.py has them.
        """
        words = None if alt is None else self.readable(alt)
        mcid, spid, element = self.tree.leaf(tag, self.pdf.page, parent, words, attributes)
        self.pdf.pages[self.pdf.page].struct_parents = spid
        self.pdf._out(f"/{tag} <</MCID {mcid}>> BDC")
        yield element
        self.pdf._out("EMC")

    def box(self, left: float, top: float, width: float, height: float) -> str:
        """Return the attribute of a figure that says where it is drawn, in millimetres from the page's top left corner."""
        k, high = self.pdf.k, self.pdf.h_pt
        corners = (left * k, high - (top + height) * k, (left + width) * k, high - top * k)
        return f"<</O /Layout /Placement /Block /BBox [{' '.join(f'{one:.2f}' for one in corners)}]>>"

    @contextmanager
    def link(
        self, parent: StructElem, words: str, box: tuple[float, float, float, float], to: tuple[int, float]
    ) -> Iterator[None]:
        """Mark all that is drawn inside the `with` block as a link to another place of the document.

        parent: the element that takes it. words: what it leads to, for a screen reader. box: left, top, width and height
        of what can be clicked. to: the page, from 1, and how far below its upper edge. In millimetres.
        """
        left, top, width, height = box
        k, high, page = self.pdf.k, self.pdf.h_pt, self.pdf.pages[self.pdf.page]
        with self.marked(parent, "Link") as element:
            yield
        destination = DestinationXYZ(to[0], top=high - to[1] * k)
        annotation = PDFAnnotation(
            "Link", left * k, high - top * k, width * k, height * k, contents=self.readable(words), dest=destination
        )
        page.add_annotation(annotation)
        self.tree.link(element, annotation, page)

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark all that is drawn inside the `with` block as decoration, which a screen reader passes over."""
        self.pdf._out("/Artifact BMC")
        yield
        self.pdf._out("EMC")

    def line_of_text(
        self, x: float, top: float, text: str, style: Style, align: str = "left", height: float | None = None
    ) -> None:
        """Draw one line of `text` in `style`; `x` is its left end, right end or middle, as `align` says.

        align: "left", "right" or "center". top: the upper edge of its row. height: of the row, in whose middle the text
        stands; None takes the style's line height. All in millimetres from the page's top left corner.
        """
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
        """Draw `lines` of text in `style` below one another, and return the y at which the next would begin.

        x: their left ends, right ends or middles, as `align` says ("left", "right" or "center"). top: the upper edge of
        the first. In millimetres from the page's top left corner.
        """
        for line in lines:
            self.line_of_text(x, top, line, style, align)
            top += style.line_height
        return top

    def rule(
        self, top: float, left: float = LEFT, width: float = WIDTH, weight: float = 0.2, color: RGB = RULE
    ) -> None:
        """Draw a horizontal line at height `top`, from `left` on, `width` long and `weight` thick, all in millimetres.

        color: red, green and blue, 0 to 255.
        """
        self.stroke(((left, top), (left + width, top)), weight, color)

    def stroke(
        self,
        points: Sequence[tuple[float, float]],
        weight: float = 0.2,
        color: RGB = INK,
        dash: Sequence[float] = (),
    ) -> None:
        """Draw a line through `points`, `weight` thick, in millimetres from the page's top left corner.

        color: red, green and blue, 0 to 255. dash: lengths of ink and of gap in turn, empty for an unbroken line.
        """
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
        """Draw a filled rectangle with the top left corner (left, top), `width` wide and `height` high, in millimetres.

        color: red, green and blue, 0 to 255.
        """
        self.pdf.set_fill_color(*color)
        self.pdf.rect(left, top, width, height, style="F")

    def area(self, points: Sequence[tuple[float, float]], color: RGB, opacity: float = 1.0) -> None:
        """Draw the filled polygon with corners at `points`, in millimetres from the page's top left corner.

        color: red, green and blue, 0 to 255. opacity: 1 hides what is below, less lets it show through.
        """
        with self.pdf.local_context(fill_opacity=opacity):
            self.pdf.set_fill_color(*color)
            self.pdf.polygon(list(points), style="F")

    def disc(self, x: float, y: float, radius: float, color: RGB) -> None:
        """Draw a filled circle of `radius` around (x, y), in millimetres from the page's top left corner.

        color: red, green and blue, 0 to 255.
        """
        self.pdf.set_fill_color(*color)
        self.pdf.circle(x, y, radius, style="F")

    @contextmanager
    def turned(self, degrees: float, x: float, y: float) -> Iterator[None]:
        """Turn all that is drawn inside the `with` block by `degrees` clockwise around (x, y), in millimetres."""
        if not degrees:
            yield
            return
        with self.pdf.rotation(-degrees, x, y):
            yield

    def picture(self, image: Image.Image, left: float, top: float, width: float, height: float) -> None:
        """Draw `image` stretched to a box with the top left corner (left, top), `width` × `height` millimetres."""
        self.pdf.image(image, x=left, y=top, w=width, h=height)


def metadata(title: str, subject: str, made: datetime) -> str:
    """Return the XMP metadata of a report: title, subject, author, language, date, and that it keeps to PDF/UA-1.

    made: the creation date, with its zone; no clock is asked.
    """

    def text(value: str) -> str:
        return html.escape(_NO_XML.sub("", value))

    def worded(name: str, value: str) -> str:
        return f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{text(value)}</rdf:li></rdf:Alt></dc:{name}>'

    date = made.isoformat(timespec="seconds")
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
{worded("title", title)}
{worded("description", subject)}
<dc:creator><rdf:Seq><rdf:li>{_AUTHOR}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>{_LANGUAGE}</rdf:li></rdf:Bag></dc:language>
<dc:format>application/pdf</dc:format>
<xmp:CreatorTool>{_AUTHOR}</xmp:CreatorTool>
<xmp:CreateDate>{date}</xmp:CreateDate>
<xmp:ModifyDate>{date}</xmp:ModifyDate>
<xmp:MetadataDate>{date}</xmp:MetadataDate>
<pdf:Producer>fpdf2</pdf:Producer>
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>"""
