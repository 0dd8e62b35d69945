"""A report as plain values: sections of blocks, which each format draws in its own way. What a report says is decided before this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from capt_engine.records import Chart, Picture, SignedPicture

ON_PAPER = MappingProxyType({"on_paper": True})
"""Marks a field that only says how a block is laid out on paper; a file of values leaves it out."""


@dataclass(frozen=True)
class Paragraph:
    """A few sentences. kind: "text", "lead" (larger), "note" (smaller), "limit" (set apart, as a warning is)."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Facts:
    """Names and values, one pair a line."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Light:
    """One thing that was checked: status "pass", "fail" or "not run", always with its word, never by colour alone."""

    name: str
    status: str
    value: str
    message: str


@dataclass(frozen=True)
class Lights:
    """The checks of a run, and in one sentence how many passed."""

    summary: str
    lights: tuple[Light, ...]


@dataclass(frozen=True)
class Column:
    """A table's column. align: "left" or "right". sort: "text" or "number", for formats that can.

    is_small: sentences that explain the others, in smaller letters on paper.
    """

    title: str
    align: str = "left"
    sort: str = "text"
    is_small: bool = field(default=False, metadata=ON_PAPER)


def texts(*titles: str) -> tuple[Column, ...]:
    """Return a table column of text, aligned to the left and sorted as text, for each of `titles`."""
    return tuple(Column(title) for title in titles)


def numbers(*titles: str) -> tuple[Column, ...]:
    """Return a table column of numbers, aligned to the right and sorted by value, for each of `titles`."""
    return tuple(Column(title, "right", "number") for title in titles)


@dataclass(frozen=True)
class Grid:
    """A table; rows as long as the columns. total: how many rows there would be, where some were left out.

    printed: at most so many rows on paper, the first and the last, where a file that travels along has them all; None prints
    as many as a paper bears.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int | None = None
    printed: int | None = field(default=None, metadata=ON_PAPER)


@dataclass(frozen=True)
class Example:
    """One picture: clean, perturbation (None where it was not kept), adversarial, and what was said of each."""

    name: str
    clean: Picture
    perturbation: SignedPicture | None
    adversarial: Picture | None
    words: str
    alt: str


@dataclass(frozen=True)
class Strip:
    """Examples below one another, with how they were chosen.

    side_by_side: up to three of them in one row instead, clean and attacked only, for a page that says the most in the least room.
    """

    caption: str
    examples: tuple[Example, ...]
    side_by_side: bool = False


Block = Paragraph | Facts | Lights | Grid | Strip | Chart


@dataclass(frozen=True)
class Section:
    """A section of a report. id: by which it is chosen or left out, such as "curve".

    is_front: it has a page of its own before all others, which are the appendix.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    is_front: bool = False


def unrepeated(sections: Sequence[Section]) -> list[Section]:
    """Return `sections` without those that only say again what a section in front says already, block for block."""
    said = [block for section in sections if section.is_front for block in section.blocks]
    return [one for one in sections if one.is_front or not one.blocks or not all(block in said for block in one.blocks)]


@dataclass(frozen=True)
class Attachment:
    """A file that travels inside or beside the report."""

    name: str
    content: bytes
    description: str


@dataclass(frozen=True)
class Report:
    """A whole report. id: derived from the run, so the same run gives the same. made: when the run ended, ISO 8601 with zone."""

    id: str
    title: str
    subtitle: str
    made: str
    sections: tuple[Section, ...]
    attachments: tuple[Attachment, ...] = ()
