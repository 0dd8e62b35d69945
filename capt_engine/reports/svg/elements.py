"""A drawn chart as a list of shapes and texts with their places.

Laid out once, then painted as SVG (painter.py) or on a PDF page (pdf/figure.py). Lengths are in units of which the drawing is
`WIDTH` wide; y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[int, int, int]
Point = tuple[float, float]

WIDTH = 680.0
SIZE = 12.5
"""Letters of a chart, in its units."""
SMALL = 11.5

PALETTE: dict[str, str] = {
    "paper": "#ffffff",
    "soft": "#f4f6f9",
    "ink": "#1a1d24",
    "muted": "#565d6b",
    "line": "#d9dde5",
    "blue": "#0b5fa5",
    "orange": "#a85000",
    "grey": "#626a78",
    "navy": "#26406b",
    "brown": "#74451a",
    "black": "#2a2d33",
    "d1": "#dcebf8",
    "d2": "#b3d4ee",
    "d3": "#86b9e2",
    "d4": "#0f6ab2",
    "d5": "#084578",
    "on-d": "#ffffff",
    "e1": "#fbe9d6",
    "e2": "#f7cfa3",
    "e3": "#efac66",
    "e4": "#a85000",
    "e5": "#753700",
    "on-e": "#ffffff",
}
"""Colours by role, for light paper. The page's style sheet has the same names, and other values for the dark."""

SERIES = ("blue", "orange", "grey", "navy", "brown", "black")
DASHES: tuple[tuple[float, ...], ...] = ((), (9, 3), (2, 3), (9, 3, 2, 3), (5, 3), (14, 4))
MARKS = ("circle", "square", "triangle", "diamond")
"""Each line of a chart differs from the next in colour, dash and mark, so that it can be told in grey print and by everybody."""

STEPS = (0.1, 0.25, 0.5, 0.75)
"""A shaded cell takes one of five grounds by its share, so that its number can always be read on it."""


@dataclass(frozen=True)
class Line:
    """A line through points. dash: lengths of ink and gap in turn, none for a whole line. tip: words for whoever points at it."""

    points: tuple[Point, ...]
    role: str
    width: float = 1.0
    dash: tuple[float, ...] = ()
    tip: str = ""


@dataclass(frozen=True)
class Area:
    """A filled outline, which one may see through."""

    points: tuple[Point, ...]
    role: str
    opacity: float = 1.0
    tip: str = ""


@dataclass(frozen=True)
class Cells:
    """Filled rectangles (x, y, width, height) of one colour."""

    boxes: tuple[tuple[float, float, float, float], ...]
    role: str
    tip: str = ""


@dataclass(frozen=True)
class Mark:
    """A mark of a line, its middle at (x, y), with a thin edge of paper around it."""

    x: float
    y: float
    kind: str
    role: str
    tip: str = ""


@dataclass(frozen=True)
class Text:
    """One line of text. x: its start, middle or end, as aligned; y: the middle of its height; turn: degrees clockwise around (x, y)."""

    x: float
    y: float
    text: str
    role: str = "ink"
    align: str = "start"
    size: float = SIZE
    bold: bool = False
    turn: float = 0.0
    tip: str = ""


Element = Line | Area | Cells | Mark | Text


@dataclass(frozen=True)
class Drawing:
    """One drawn chart. title and alt: its name and its content in words."""

    height: float
    title: str
    alt: str
    elements: tuple[Element, ...]


def rgb(role: str) -> RGB:
    """Return the colour for light paper of a palette `role` such as "blue": red, green and blue, 0 to 255.

    Raises KeyError for an unknown role.
    """
    code = PALETTE[role]
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def outline(mark: Mark) -> tuple[Point, ...]:
    """Return the corners of `mark` in the drawing's units; none for a circle."""
    corners: dict[str, tuple[Point, ...]] = {
        "circle": (),
        "square": ((-4.2, -4.2), (4.2, -4.2), (4.2, 4.2), (-4.2, 4.2)),
        "triangle": ((0, -5.4), (5.2, 3.6), (-5.2, 3.6)),
        "diamond": ((0, -5.6), (5.6, 0), (0, 5.6), (-5.6, 0)),
    }
    return tuple((mark.x + x, mark.y + y) for x, y in corners[mark.kind])


RADIUS = 4.5
"""Of a round mark."""


def shade(share: float, side: str, least: int = 1) -> str:
    """Return the palette role, such as "d3", of a cell's background: the larger `share`, in [0, 1], the fuller.

    side: "d" (blue) or "e" (orange). least: the faintest of the backgrounds 1 to 5 to take.
    """
    return f"{side}{max(sum(share > edge for edge in STEPS) + 1, least)}"


def on_shade(ground: str) -> str:
    """Return the palette role of letters that can be read on the background `ground`, a role such as "d3"."""
    return f"on-{ground[0]}" if ground[1] in "45" else "ink"
