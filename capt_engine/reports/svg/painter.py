"""A drawing as SVG: text stays text, colours are attributes for light paper and classes that a page's style sheet may set."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import assert_never

from capt_engine.reports.svg.elements import (
    PALETTE,
    RADIUS,
    WIDTH,
    Area,
    Cells,
    Drawing,
    Element,
    Line,
    Mark,
    Text,
    outline,
)
from capt_engine.reports.svg.lettering import plain

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_BASELINE = 0.36
"""Of the size, below the middle of a line: between the middle of the capitals and that of the small letters."""
_ANCHORS = {"start": "", "center": ' text-anchor="middle"', "end": ' text-anchor="end"'}


def svg_file(drawing: Drawing) -> bytes:
    """Return the laid-out chart `drawing` as an SVG file of its own, on a light background."""
    paper = f'<path fill="{PALETTE["paper"]}" d="M0 0H{_n(WIDTH)}V{_n(drawing.height)}H0z"/>'
    head, *rest = pieces(drawing, "chart")
    return "".join(('<?xml version="1.0" encoding="UTF-8"?>\n', head, paper, *rest)).encode("utf-8")


def pieces(drawing: Drawing, ids: str) -> Iterator[str]:
    """Yield the laid-out chart `drawing` as SVG markup, in pieces.

    ids: the beginning of the ids of its title and description, a different one for each chart on a page.
    """
    size = f'width="{_n(WIDTH)}" height="{_n(drawing.height)}" viewBox="0 0 {_n(WIDTH)} {_n(drawing.height)}"'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{ids}-t {ids}-d" {size} font-family="{_FONT}">'
        f'<title id="{ids}-t">{_text(drawing.title)}</title><desc id="{ids}-d">{_text(drawing.alt)}</desc>'
    )
    for element in drawing.elements:
        yield _painted(element)
    yield "</svg>\n"


def _painted(element: Element) -> str:
    tip = f"<title>{_text(element.tip)}</title>" if element.tip else ""
    match element:
        case Line():
            dash = f' stroke-dasharray="{" ".join(map(_n, element.dash))}"' if element.dash else ""
            stroke = f'{_color(element.role, "stroke")} stroke-width="{_n(element.width)}" stroke-linejoin="round"'
            return f'<path fill="none" {stroke}{dash} d="{_path(element.points)}">{tip}</path>'
        case Area():
            opacity = f' fill-opacity="{_n(element.opacity)}"' if element.opacity < 1 else ""
            return f'<path {_color(element.role, "fill")}{opacity} d="{_path(element.points)}z">{tip}</path>'
        case Cells():
            boxes = "".join(f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h{_n(-w)}z" for x, y, w, h in element.boxes)
            return f'<path {_color(element.role, "fill")} d="{boxes}">{tip}</path>'
        case Mark():
            edge = f'class="f-{element.role} k-paper" fill="{PALETTE[element.role]}" stroke="{PALETTE["paper"]}" stroke-width="1.4"'
            if element.kind == "circle":
                return f'<circle {edge} cx="{_n(element.x)}" cy="{_n(element.y)}" r="{_n(RADIUS)}">{tip}</circle>'
            return f'<path {edge} d="{_path(outline(element))}z">{tip}</path>'
        case Text():
            x, y = _n(element.x), _n(element.y + _BASELINE * element.size)
            turn = f' transform="rotate({_n(element.turn)} {x} {_n(element.y)})"' if element.turn else ""
            weight = ' font-weight="600"' if element.bold else ""
            look = f'{_color(element.role, "fill")} font-size="{_n(element.size)}"{weight}{_ANCHORS[element.align]}'
            return f'<text {look} x="{x}" y="{y}"{turn}>{tip}{_text(element.text)}</text>'
        case _:
            assert_never(element)


def _color(role: str, how: str) -> str:
    return f'class="{"f" if how == "fill" else "k"}-{role}" {how}="{PALETTE[role]}"'


def _path(points: tuple[tuple[float, float], ...]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(value: float) -> str:
    """A length with at most one digit after the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if 0 < abs(value) < 1 else f"{value:.1f}".removesuffix(".0")


def _text(value: str) -> str:
    return html.escape(plain(value), quote=False)
