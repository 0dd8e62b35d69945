"""Text from outside as text of a page: nothing in it is read as markup, and nothing in it hides or turns what stands beside it."""

from __future__ import annotations

import html
import re

# Control characters, halves of surrogate pairs, and marks that change the direction of writing or cannot be seen. Joiners stay: emoji and
# several scripts are written with them.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff]"
)
_NAME = re.compile(r"[^a-z0-9-]+")


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
    return "\n".join(text(line) for line in value.splitlines())


def name(value: str) -> str:
    """A name set apart from what surrounds it, whichever way its script runs."""
    return f"<bdi>{text(value)}</bdi>"


def fragment(value: str, number: int) -> str:
    """A part of an address inside the page: small letters, digits and dashes."""
    return _NAME.sub("-", value.lower()).strip("-") or f"section-{number}"


def shortened(value: str, width: int) -> str:
    """A label of at most `width` columns, a wide character counting as two; not escaped."""
    seen = plain(value)
    room = width
    for position, letter in enumerate(seen):
        room -= 2 if ord(letter) > 0x1100 else 1
        if room < 0:
            return seen[: max(position - 1, 1)] + "…"
    return seen


def percent(value: float) -> str:
    """A share in [0, 1] as a reader says it: one decimal only where it says something."""
    scaled = round(value * 100, 1)
    return f"{scaled:.0f} %" if scaled == int(scaled) else f"{scaled:.1f} %"
