"""The choice of the font that draws each character: the bundled DejaVu Sans first, then what this computer has, then a box."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError
from fpdf import FPDF
from fpdf.fonts import TTFFont

from capt_engine.reports.pdf.theme import POINT, Style
from capt_engine.resources import resource

BOX = "□"
_BASE = "dejavu"

# File name, and which face of a collection. The first that has a character draws it. Outlines only: colour emoji are pictures in a font.
_KNOWN: tuple[tuple[str, int], ...] = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("NotoSansCJKsc-Regular.otf", 0),
    ("NotoSansSC-Regular.otf", 0),
    ("NotoSansSC-Regular.ttf", 0),
    ("SourceHanSansSC-Regular.otf", 0),
    ("wqy-microhei.ttc", 0),
    ("wqy-zenhei.ttc", 0),
    ("DroidSansFallbackFull.ttf", 0),
    ("DroidSansFallback.ttf", 0),
    ("Hiragino Sans GB.ttc", 0),
    ("STHeiti Light.ttc", 0),
    ("AppleSDGothicNeo.ttc", 0),
    ("Arial Unicode.ttf", 0),
    ("msyh.ttc", 0),
    ("YuGothR.ttc", 0),
    ("malgun.ttf", 0),
    ("simsun.ttc", 0),
    ("NotoEmoji-Regular.ttf", 0),
    ("NotoSansSymbols2-Regular.ttf", 0),
    ("NotoSansSymbols-Regular.ttf", 0),
    ("Symbola.ttf", 0),
    ("Symbola_hint.ttf", 0),
    ("seguisym.ttf", 0),
    ("Apple Symbols.ttf", 0),
    ("NotoSans-Regular.ttf", 0),
    ("NotoSansDevanagari-Regular.ttf", 0),
    ("NotoSansThai-Regular.ttf", 0),
    ("Nirmala.ttf", 0),
    ("LeelawUI.ttf", 0),
    ("NotoSansMono-Regular.ttf", 0),
    ("unifont.ttf", 0),
    ("unifont.otf", 0),
)


def font_folders() -> tuple[Path, ...]:
    """Return the folders in which this system (macOS, Windows or another) keeps its fonts, the user's own first.

    They need not exist.
    """
    home = Path.home()
    if sys.platform == "darwin":
        return (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        windows = Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
        return (Path(local) / "Microsoft/Windows/Fonts", windows) if local else (windows,)
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return (data / "fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))


@cache
def _installed(folders: tuple[Path, ...]) -> dict[str, Path]:
    """The known fonts found below the folders, by file name."""
    wanted = {name for name, _ in _KNOWN}
    found: dict[str, Path] = {}
    for folder in folders:
        for place, inner, files in os.walk(folder):
            inner.sort()
            for name in sorted(wanted.intersection(files)):
                found.setdefault(name, Path(place) / name)
    return found


@cache
def _characters(path: Path, face: int) -> frozenset[int]:
    """The characters that a font can draw as outlines; none, if it cannot be read."""
    try:
        with TTFont(path, fontNumber=face, lazy=True) as font:
            if not {"glyf", "CFF "} & set(font.keys()):
                return frozenset()
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, AssertionError):
        return frozenset()


def _needed(missing: set[int], folders: tuple[Path, ...]) -> Iterator[tuple[Path, int]]:
    """The fewest of the known fonts, in order, that together draw what can be drawn."""
    installed = _installed(folders)
    left = set(missing)
    for name, face in _KNOWN:
        if not left:
            return
        path = installed.get(name)
        if path is not None and left & _characters(path, face):
            left -= _characters(path, face)
            yield path, face


@dataclass(frozen=True)
class _Face:
    family: str
    style: str
    widths: dict[int, float]


class Fonts:
    """The fonts of one document, chosen for the characters that it has to draw."""

    def __init__(self, pdf: FPDF, texts: Iterable[str], folders: tuple[Path, ...] | None = None) -> None:
        self._pdf = pdf
        pdf.add_font(_BASE, "", resource("fonts", "DejaVuSans.ttf"))
        pdf.add_font(_BASE, "B", resource("fonts", "DejaVuSans-Bold.ttf"))
        self._plain = [self._face(_BASE, "")]
        self._bold = [self._face(_BASE, "B"), *self._plain]
        drawn = set(self._plain[0].widths)
        missing = {ord(char) for text in texts for char in set(text)} - drawn
        others = []
        for number, (path, face) in enumerate(_needed(missing, font_folders() if folders is None else folders)):
            family = f"other{number}"
            pdf.add_font(family, "", path, collection_font_number=face)
            others.append(family)
            self._plain.append(self._face(family, ""))
            self._bold.append(self._plain[-1])
        if others:
            pdf.set_fallback_fonts(others, exact_match=False)
        self._found: dict[tuple[str, bool], _Face | None] = {}

    def _face(self, family: str, style: str) -> _Face:
        font = self._pdf.fonts[family + style]
        assert isinstance(font, TTFFont)
        # Its widths answer for every character, so only those that it really has are kept.
        return _Face(family, style, {code: font.cw[code] for code in font.cmap})

    def close(self) -> None:
        """Close the font files, which fpdf2 leaves open; call it only after the document was put out."""
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def has(self, char: str) -> bool:
        """Return True if some font of the document can draw the character `char`."""
        return self._for(char, bold=False) is not None

    def _for(self, char: str, bold: bool) -> _Face | None:
        key = (char, bold)
        if key not in self._found:
            faces = self._bold if bold else self._plain
            self._found[key] = next((face for face in faces if ord(char) in face.widths), None)
        return self._found[key]

    def width(self, text: str, style: Style) -> float:
        """Return the width of `text` in `style`, in millimetres; a character that no font has counts as a box."""
        drawn = (self._drawn(char, style) for char in text)
        return sum(face.widths[ord(char)] for face, char in drawn) / 1000 * style.size * POINT

    def runs(self, text: str, style: Style) -> Iterator[tuple[str, str, str]]:
        """Yield (font family, "" or "B" for bold, text) of each stretch of `text` that one font draws in `style`.

        Boxes stand in place of characters that no font has.
        """
        drawn = (self._drawn(char, style) for char in text)
        for (family, emphasis), some in itertools.groupby(drawn, lambda one: (one[0].family, one[0].style)):
            yield family, emphasis, "".join(char for _, char in some)

    def _drawn(self, char: str, style: Style) -> tuple[_Face, str]:
        """The font that draws a character, or with which a box is drawn in its place."""
        face = self._for(char, style.bold)
        if face is not None:
            return face, char
        box = self._for(BOX, style.bold)
        assert box is not None
        return box, BOX
