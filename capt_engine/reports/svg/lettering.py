"""Text of a chart: what cannot be seen is written out, and its width is that in DejaVu Sans, which is wider than most fonts of a page."""

from __future__ import annotations

import re
from functools import cache

from fontTools.ttLib import TTFont

from capt_engine.reports.svg.elements import SIZE
from capt_engine.resources import resource

# Control characters, halves of surrogate pairs, and marks that change the direction of writing or cannot be seen. Joiners stay: emoji and
# several scripts are written with them.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff]"
)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def plain(value: str) -> str:
    r"""Return `value` with each character that cannot be seen written out, such as \u202e."""
    return _UNSEEN.sub(_shown, value)


@cache
def _advances(bold: bool) -> dict[int, float]:
    """The width of each character that the font has, as a share of its size."""
    with TTFont(resource("fonts", "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"), lazy=True) as font:
        metrics, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {code: metrics[glyph][0] / em for code, glyph in font.getBestCmap().items()}


def width(value: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Return the width of `value` on one line in DejaVu Sans, in the unit of its `size`.

    bold: measure the bold face. A character that the font lacks counts as wide as it is high.
    """
    advances = _advances(bold)
    return size * sum(advances.get(ord(char), 1.0) for char in value)


def fitted(value: str, room: float, size: float = SIZE, *, bold: bool = False) -> str:
    """Return `value` on one line, cut and ended with … where it is wider than `room`.

    size, bold: the letters to measure with; size and room are in the same unit. Characters that cannot be seen are
    written out.
    """
    seen = plain(value)
    if width(seen, size, bold=bold) <= room:
        return seen
    used = width("…", size, bold=bold)
    for place, char in enumerate(seen):
        used += width(char, size, bold=bold)
        if used > room:
            return seen[: max(place, 1)].rstrip() + "…"
    return seen
