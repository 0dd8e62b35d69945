"""Text from outside as text of a page: nothing in it is read as markup, and nothing in it hides or turns what stands beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from capt_engine.reports.svg.lettering import plain

_NAME = re.compile(r"[^a-z0-9-]+")
_PERCENT = re.compile(r"(?<=\d) %")


def text(value: str) -> str:
    """Escape text for the content of a page and for a quoted attribute."""
    return html.escape(plain(value))


def lines(value: str) -> str:
    """Escape text as `text` does, but keep its line breaks; the style sheet shows them."""
    return "\n".join(text(line) for line in value.split("\n"))


def prose(value: str) -> str:
    """Escape sentences as `lines` does, and keep each figure beside its percent sign."""
    return _PERCENT.sub("\u00a0%", lines(value))


def name(value: str) -> str:
    """A name set apart from what surrounds it, whichever way its script runs."""
    return f"<bdi>{text(value)}</bdi>"


def fragments(values: Sequence[str]) -> list[str]:
    """For each value a part of an address inside the page, of small letters, digits and dashes, none of them twice."""
    made: list[str] = []
    for number, value in enumerate(values, 1):
        plainest = _NAME.sub("-", value.lower()).strip("-")
        made.append(plainest if plainest and plainest not in made else f"{plainest}_{number}")
    return made
