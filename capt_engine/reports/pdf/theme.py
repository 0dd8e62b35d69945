"""The looks of the PDF: one page size, one scale of type, a few colours that stay apart for colour-blind readers and in grey print."""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[int, int, int]

# Millimetres.
PAGE_WIDTH = 210.0
LEFT = 20.0
TOP = 17.0
BOTTOM = 278.0
WIDTH = PAGE_WIDTH - 2 * LEFT
POINT = 25.4 / 72

INK: RGB = (26, 29, 36)
MUTED: RGB = (89, 97, 113)
RULE: RGB = (196, 202, 212)
HAIRLINE: RGB = (226, 230, 236)
ZEBRA: RGB = (246, 247, 250)
BLUE: RGB = (11, 111, 184)
ORANGE: RGB = (201, 106, 0)
ORANGE_INK: RGB = (150, 76, 0)
GREY: RGB = (128, 136, 150)
WARM: RGB = (253, 246, 236)
WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True)
class Style:
    """The look of a run of text. size: points; leading: distance of its lines as a multiple of the size."""

    size: float
    bold: bool = False
    color: RGB = INK
    leading: float = 1.45

    @property
    def line_height(self) -> float:
        """Return the distance from one line of text to the next, in millimetres."""
        return self.size * self.leading * POINT


TITLE = Style(18, bold=True, leading=1.2)
SUBTITLE = Style(10.5, color=MUTED)
HEADING = Style(12.5, bold=True, leading=1.25)
LEAD = Style(11.5, leading=1.5)
BODY = Style(9, leading=1.55)
NOTE = Style(7.8, color=MUTED, leading=1.5)
CAPTION = Style(8.6, bold=True, leading=1.4)
SMALL = Style(7.6, leading=1.4)
SMALL_STRONG = Style(7.6, bold=True, leading=1.4)
SMALL_MUTED = Style(7.6, color=MUTED, leading=1.4)
FOOTER = Style(7, color=MUTED)
