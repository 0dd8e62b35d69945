"""Text as it will be set: made safe to draw, broken into lines, letters joined and put in their order on the page.

fpdf2 leaves the joining of letters to a shaping library that is not among our dependencies. Arabic needs it to be read at all, so its
letters are joined here by the forms that Unicode has for them; scripts that need more (Devanagari, Thai marks) are set letter by letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection

from capt_engine.reports.pdf.fonts import BOX, Fonts
from capt_engine.reports.pdf.theme import Style

_NAMED_AT_MOST = 3
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U0001f300-\U0001faff\U00020000-\U0003ffff]")
# A space before a percent sign, and those around the sign in "ε = 4/255", end no line.
_WORDS = re.compile(r"(?:[^ ]| (?=%)|(?<=[εp]) (?=[=<] )|(?<=[εp] [=<]) )* *")
_ENDING = re.compile(r"\.\w{1,5}\Z")
_BREAK_AFTER = "/\\_-.,;:=&?|"
# Control characters, lone surrogates and the marks that turn the order of letters around, which a name could hide behind.
_UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
_FORMS = ("isolated", "final", "initial", "medial")


def readable(text: str, drawable: Callable[[str], bool]) -> str:
    """Return `text` with a box for each unsafe character, such as a control character.

    Marks that turn the direction of writing are unsafe too. drawable: returns True for a character that some font has.
    Unsafe characters and those without a font are followed by their code point where there are up to three of them; one
    that merely lacks a font stays itself, so that it can be copied from the file.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    if text.isascii() and not _UNSAFE.search(text):
        return text

    def is_strange(char: str) -> bool:
        return char != "\n" and (bool(_UNSAFE.match(char)) or not drawable(char))

    def shown(char: str) -> str:
        return _UNSAFE.sub(BOX, char) + (f"(U+{ord(char):04X})" if named else "") if is_strange(char) else char

    named = sum(map(is_strange, text)) <= _NAMED_AT_MOST
    return "".join(map(shown, text))


def unbroken_parts(text: str) -> tuple[str, ...]:
    """Return the parts of `text` between which a line may end: words, with the percent sign or the equation they belong to."""
    return tuple(part for word in _WORDS.findall(text) if (part := word.strip(" ")))


def wrap(text: str, style: Style, width: float, fonts: Fonts) -> tuple[str, ...]:
    """Return `text` in lines no wider than `width` millimetres, as `fonts` measure them in `style`.

    It is broken at its own line breaks, at spaces and between wide (East Asian) letters, else wherever it has to be.
    """
    return tuple(line for paragraph in text.split("\n") for line in _lines(paragraph, style, width, fonts))


def _lines(paragraph: str, style: Style, width: float, fonts: Fonts) -> Iterator[str]:
    line = ""
    used = 0.0
    width += 1e-6  # a text must fit into the width that was measured of it, in whatever order its letters are added up
    for word in _parts(paragraph):
        size = fonts.width(word.rstrip(" "), style)
        if line and used + size > width:
            yield line.rstrip(" ")
            line, used = "", 0.0
        while size > width:
            cut = _cut(word, style, width, fonts)
            if cut >= len(word):
                break
            yield word[:cut]
            word = word[cut:]
            size = fonts.width(word.rstrip(" "), style)
        line += word
        used += fonts.width(word, style)
    yield line.rstrip(" ")


def _parts(paragraph: str) -> Iterator[str]:
    for word in _WORDS.findall(paragraph):
        start = 0
        for match in _WIDE.finditer(word):
            if match.start() > start:
                yield word[start : match.start()]
            start = match.start()
        if word[start:]:
            yield word[start:]


def _cut(word: str, style: Style, width: float, fonts: Fonts) -> int:
    """Return the number of characters of a word that fit, at least one; after a mark such as / or _ if one is near the end."""
    used = 0.0
    end = len(word)
    for place, char in enumerate(word):
        used += fonts.width(char, style)
        if used > width:
            end = place
            break
    end = max(end, 1)
    if end == len(word):
        return end
    ending = _ENDING.search(word.rstrip(" "))
    # "cone.png" is not broken before "png", nor in it
    last = min(end, ending.start()) if ending else end
    for place in range(last, end // 2 if last < end else end * 2 // 3, -1):
        if word[place - 1] in _BREAK_AFTER:
            return place
    return end


def fitted(text: str, style: Style, width: float, fonts: Fonts) -> str:
    """Return `text` on one line, cut and ended with … where it is wider than `width` millimetres.

    style, fonts: what it is measured with.
    """
    text = text.replace("\n", " ")
    if fonts.width(text, style) <= width:
        return text
    return text[: _cut(text, style, width - fonts.width("…", style), fonts)].rstrip() + "…"


def visual(line: str) -> str:
    """Return the characters of `line` in the order in which they stand on the page from left to right.

    Right-to-left scripts are turned round, with Arabic letters joined and brackets mirrored; any other line stays as it
    is.
    """
    if line.isascii() or not any(unicodedata.bidirectional(char) in ("R", "AL", "AN", "RLE", "RLO") for char in line):
        return line
    characters = BidiParagraph(_joined(line), base_direction=TextDirection.LTR).get_reordered_characters()
    return "".join(
        _MIRRORED.get(item.character, item.character) if item.embedding_level % 2 else item.character
        for item in characters
    )


_MIRRORED = dict(zip("()[]{}<>«»‹›", ")(][}{><»«›‹", strict=True))


@cache
def _arabic_forms() -> dict[str, dict[str, str]]:
    """letter -> {"isolated" | "final" | "initial" | "medial": the character with that form}."""
    forms: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFF)):
        kind, _, letters = unicodedata.decomposition(chr(code)).partition("> ")
        if kind[1:] in _FORMS and letters and " " not in letters:
            forms.setdefault(chr(int(letters, 16)), {}).setdefault(kind[1:], chr(code))
    return forms


def _joined(text: str) -> str:
    """Arabic letters in the forms that join them to their neighbours."""
    forms = _arabic_forms()
    result = []
    for place, char in enumerate(text):
        own = forms.get(char)
        if own is None:
            result.append(char)
            continue
        before = "initial" in forms.get(_neighbour(text, place, -1), {}) and "final" in own
        after = "final" in forms.get(_neighbour(text, place, 1), {}) and "initial" in own
        result.append(own.get(_FORMS[before + 2 * after], char))
    return "".join(result)


def _neighbour(text: str, place: int, step: int) -> str:
    """The next letter that way, vowel marks passed over."""
    place += step
    while 0 <= place < len(text) and unicodedata.combining(text[place]):
        place += step
    return text[place] if 0 <= place < len(text) else ""
