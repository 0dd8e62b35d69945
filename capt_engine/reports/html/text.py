"""Text from outside as text of a page: nothing in it is read as markup, and nothing in it hides or turns what stands beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from capt_engine.reports.svg.lettering import plain

_NAME = re.compile(r"[^a-z0-9-]+")
_PERCENT = re.compile(r"(?<=\d) %")
_EQUATION = re.compile(r"\b([εp]) ([=<]) ")
_OPTION = re.compile(r"(?<!\S)--?[a-z][a-z0-9-]*(?!\S)")


def text(value: str) -> str:
    """Return `value` with HTML signs escaped, for the content of a page or a quoted attribute.

    Characters that cannot be seen, such as marks that turn the direction of writing, are written out.
    """
    return html.escape(plain(value))


def lines(value: str) -> str:
    """Return `value` with HTML signs escaped and its line breaks kept; the page's style sheet shows them.

    Other characters that cannot be seen are written out.
    """
    return "\n".join(text(line) for line in value.split("\n"))


def prose(value: str) -> str:
    """Return the sentences in `value` with HTML signs escaped, and numbers bound to what they are percent of, ε or p."""
    return lines(bound(value))


def bound(value: str) -> str:
    """Return `value` with no-break spaces before percent signs and around the sign of "ε = 4/255", so that no line ends there."""
    return _EQUATION.sub("\\1\u00a0\\2\u00a0", _PERCENT.sub("\u00a0%", value))


def command(value: str) -> str:
    """Return the command line `value` with HTML signs escaped and each option in one piece, so that no line ends after its dashes."""
    return _OPTION.sub(r'<span class="option">\g<0></span>', lines(value))


def name(value: str) -> str:
    """Return the HTML of the name `value`, set apart in a <bdi> element.

    So the direction in which its script is written does not turn the text beside it.
    """
    return f"<bdi>{text(value)}</bdi>"


def fragments(values: Sequence[str]) -> list[str]:
    """Return for each of `values` an anchor (the part behind # of an address inside the page), each a different one.

    It is the value in small letters, digits and dashes; an empty or repeated one ends in an underscore and its number.
    """
    made: list[str] = []
    for number, value in enumerate(values, 1):
        plainest = _NAME.sub("-", value.lower()).strip("-")
        made.append(plainest if plainest and plainest not in made else f"{plainest}_{number}")
    return made
