"""The blocks of a report as pieces of a page: paragraphs, facts, checks, tables and pictures; charts are figure.py's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from capt_engine.records import BRIGHTER, DARKER, Picture, SignedPicture, SignedScale
from capt_engine.reports.document import Block, Example, Facts, Grid, Light, Lights, Paragraph, Strip
from capt_engine.reports.html import figure, pictures
from capt_engine.reports.html.text import bound, command, name, prose, text

FILTER_ABOVE = 50
"""Tables with more rows than this get a box to filter them by, and a height of their own."""
CHUNK = 200
"""So many rows are laid out at first where scripts run; the rest is there, and shown when it is asked for."""

_SIDE_BY_SIDE = 3
"""More examples than this stand in two columns where there is room."""

_CODE = re.compile(r"[0-9a-f]{32,}|capt( .*)?", re.DOTALL)
_KINDS = ("text", "lead", "note", "limit")
# Each status has a shape of its own, so that it can be told without colour: a tick, a cross, a dash.
_SHAPES = {
    "pass": ("good", "M5.5 10.5l3 3l6-7", "Pass"),
    "fail": ("bad", "M6.5 6.5l7 7m0-7l-7 7", "Fail"),
}
_NOT_RUN = ("none", "M6 10h8", "Not run")


@dataclass(frozen=True)
class Numbers:
    """The running numbers of a page's tables and figures: `next` of one gives the number that comes."""

    tables: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    figures: Iterator[int] = field(default_factory=lambda: itertools.count(1))


def pieces(block: Block, numbers: Numbers) -> Iterator[str]:
    """Yield the HTML of one report `block`, in strings that stay small however many rows it has.

    numbers: the running numbers of the page's tables and figures, of which a table, strip or chart takes the next.
    """
    match block:
        case Paragraph():
            yield _paragraph(block)
        case Facts():
            yield from _facts(block)
        case Lights():
            yield from _lights(block)
        case Grid():
            yield from _grid(block, next(numbers.tables))
        case Strip():
            yield from _strip(block, next(numbers.figures))
        case _:
            yield from figure.figure(block, next(numbers.figures))


def _paragraph(block: Paragraph) -> str:
    kind = block.kind if block.kind in _KINDS else "text"
    role = ' role="note"' if kind == "limit" else ""
    return f'<p class="{kind}"{role}>{prose(block.text)}</p>\n'


def _facts(block: Facts) -> Iterator[str]:
    yield '<dl class="facts">\n'
    for term, value in block.pairs:
        shown = f"<code>{command(value)}</code>" if _CODE.fullmatch(value) else prose(value)
        yield f"<div><dt>{text(term)}</dt><dd>{shown}</dd></div>\n"
    yield "</dl>\n"


def _lights(block: Lights) -> Iterator[str]:
    yield f'<p class="summary">{prose(block.summary)}</p>\n<ul class="lights" role="list">\n'
    for light in block.lights:
        yield _light(light)
    yield "</ul>\n"


def _light(light: Light) -> str:
    kind, shape, word = _SHAPES.get(light.status, _NOT_RUN)
    return (
        f'<li class="{kind}"><span class="status"><svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">'
        f'<circle cx="10" cy="10" r="8.5"/><path d="{shape}"/></svg> {word}</span>'
        f'<span class="check">{text(light.name)}</span> <span class="value">{text(light.value)}</span> '
        f'<span class="message">{prose(light.message)}</span></li>\n'
    )


def _grid(block: Grid, number: int) -> Iterator[str]:
    long = len(block.rows) > FILTER_ABOVE
    kind, extra = ("scroll long", " data-filter") if long else ("scroll", "")
    yield f'<div class="table"><div class="{kind}" role="region" tabindex="0" aria-labelledby="t{number}">'
    yield f'<table class="grid"{extra} data-step="{CHUNK}"><caption id="t{number}"><span><b>Table {number}.</b> '
    yield f"{text(bound(block.caption))}</span></caption>\n<thead><tr>"
    sides = [' class="r"' if column.align == "right" else "" for column in block.columns]
    for column, side in zip(block.columns, sides, strict=True):
        kind = "number" if column.sort == "number" else "text"
        yield f'<th scope="col"{side} data-sort="{kind}">{text(bound(column.title))}</th>'
    yield "</tr></thead>\n"
    for first in range(0, len(block.rows), CHUNK):
        yield '<tbody class="later">\n' if first else "<tbody>\n"
        for row in block.rows[first : first + CHUNK]:
            cells = "".join(
                f"<td{side}>{text(bound(cell))}</td>" for cell, side in zip(row[1:], sides[1:], strict=True)
            )
            head = f'<th scope="row"{sides[0]}>{text(row[0])}</th>' if row else ""
            yield f"<tr>{head}{cells}</tr>\n"
        yield "</tbody>\n"
    yield "</table></div>\n"
    if not block.rows:
        yield '<p class="note">No rows.</p>\n'
    if block.total is not None and block.total > len(block.rows):
        yield f'<p class="note">{len(block.rows):,} of {block.total:,} rows are shown here; the attached files have all.</p>\n'
    yield "</div>\n"


def _strip(block: Strip, number: int) -> Iterator[str]:
    kind = "strip many" if len(block.examples) > _SIDE_BY_SIDE else "strip"
    kind = "strip row" if block.side_by_side else kind
    yield f'<figure class="{kind}"><figcaption><b>Figure {number}.</b> {text(block.caption)}</figcaption>\n'
    if block.side_by_side:
        for example in block.examples:
            yield from _brief_example(example)
        yield "</figure>\n"
        return
    for example in block.examples:
        yield from _example(example)
    if any(example.perturbation for example in block.examples):
        yield '<p class="note">Perturbation: blue is darker than before, orange is brighter, and white is unchanged; '
        yield "the mean of red, green and blue.</p>\n"
    yield "</figure>\n"


def _example(example: Example) -> Iterator[str]:
    whose = text(example.name)
    yield f'<div class="example"><p class="name">{name(example.name)}</p><div class="three">'
    yield _picture(example.clean, f"Clean picture. {text(example.alt)}", "Clean")
    yield _picture(example.perturbation, _change_in_words(example, whose), "Perturbation")
    yield _picture(example.adversarial, f"Attacked picture of {whose}.", "Attacked")
    yield f'</div><p class="words">{prose(example.words)}</p></div>\n'


def _brief_example(example: Example) -> Iterator[str]:
    yield '<div class="example"><div class="three">'
    yield _picture(example.clean, f"Clean picture. {text(example.alt)}", "Clean")
    if example.adversarial is not None:
        yield _picture(example.adversarial, f"Attacked picture of {text(example.name)}.", "Attacked")
    yield f'</div><p class="name">{name(example.name)}</p><p class="words">{prose(example.words)}</p></div>\n'


def _picture(seen: Picture | SignedPicture | None, alt: str, title: str) -> str:
    if seen is None:
        return f'<div class="one"><span class="gap">not kept</span><span class="what">{title}</span></div>'
    source = pictures.perturbation(seen) if isinstance(seen, SignedPicture) else pictures.picture(seen)
    tiny = ' class="tiny"' if seen.width < pictures.TINY else ""
    image = f'<img{tiny} src="{source}" width="{seen.width}" height="{seen.height}" alt="{alt}">'
    bar = _scale(seen) if isinstance(seen, SignedPicture) else ""
    return f'<div class="one">{image}<span class="what">{title}{bar}</span></div>'


def _change_in_words(example: Example, whose: str) -> str:
    words = f"Perturbation of {whose}, from {DARKER} for darker to {BRIGHTER} for brighter."
    if example.perturbation is None:
        return words
    low, _, high = SignedScale(example.perturbation.scale).labels
    return f"{words} The scale runs from {low} to {high}."


def _scale(change: SignedPicture) -> str:
    low, _, high = SignedScale(change.scale).labels
    bar = f'<img src="{pictures.scale_bar()}" width="96" height="9" alt="blue, white, orange">'
    return f'<span class="scale"><span>{low}</span>{bar}<span>{high}</span></span>'
