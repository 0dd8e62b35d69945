"""Text from outside as text of a page: nothing in it is read as markup, and nothing in it hides or turns what stands beside it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

# Control characters, halves of surrogate pairs, and marks that change the direction of writing or cannot be seen. Joiners stay: emoji and
# several scripts are written with them.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff]"
)
_NAME = re.compile(r"[^a-z0-9-]+")
_PERCENT = re.compile(r"(?<=\d) %")


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def plain(value: str) -> str:
    """The same text, with what cannot be seen written out, such as \\u202e."""
    return _UNSEEN.sub(_shown, value)


def text(value: str) -> str:
    """Escaped for content and for a quoted attribute."""
    return html.escape(plain(value))


def lines(value: str) -> str:
    """As `text`, but line breaks stay; the style sheet shows them."""
    return "\n".join(text(line) for line in value.split("\n"))


def prose(value: str) -> str:
    """As `lines`, for sentences: a figure is never parted from its percent sign."""
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


def shortened(value: str, width: int) -> str:
    """A label of at most `width` columns, a wide character counting as two; not escaped."""
    seen = plain(value)
    room = width
    for position, letter in enumerate(seen):
        room -= 2 if ord(letter) > 0x1100 else 1
        if room < 0:
            return seen[: max(position - 1, 1)] + "…"
    return seen


def percent(value: float, digits: int = 1) -> str:
    """A share in [0, 1] as a reader says it, with a space before the sign at which no line ends."""
    return f"{value * 100:.{digits}f}\u00a0%" if math.isfinite(value) else "–"
