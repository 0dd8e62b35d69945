"""The pages of the help: the project's own documents as they ship, cut into sections that a search finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from capt_engine.resources import documents_dir
from capt_gui.translate import tr

GLOSSARY, SHORTCUTS, FIRST = "glossary.md", "shortcuts.md", "guide/first-look.md"

_HEADING = re.compile(r"^(#{1,4}) +(.+?) *#*$")
_MARKS = re.compile(r"<[^>]+>|!?\[([^\]]*)\]\([^)]*\)|[*`|_]+")
_SNIPPET = 110


@dataclass(frozen=True)
class Section:
    """A part of a page under one heading. page: the file's name; anchor: the heading as a link names it, "" at the top."""

    page: str
    anchor: str
    heading: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A section that has the words that were searched for, with some of its text around the first of them."""

    page: str
    anchor: str
    title: str
    snippet: str


def contents() -> tuple[tuple[str, str], ...]:
    """Return (file, title) of every page of the help, in the order in which they are offered."""
    return (
        (FIRST, tr("The first minute")),
        ("guide/evaluate.md", tr("Evaluate: can this model be trusted?")),
        ("guide/tuning-wizard.md", tr("Tune: prompts of your own")),
        ("guide/report.md", tr("Report: kept runs")),
        (SHORTCUTS, tr("Keyboard shortcuts")),
        (GLOSSARY, tr("Glossary")),
        ("attacks.md", tr("Attacks")),
        ("metrics.md", tr("Metrics")),
        ("evaluation.md", tr("Evaluation and its checks")),
        ("determinism.md", tr("What is the same, and where")),
        ("method.md", tr("How CAPT learns prompts")),
        ("importing.md", tr("Models and prompts from files")),
        ("results.md", tr("Measured results")),
        ("report-schema.md", tr("Fields of a report")),
        ("security.md", tr("Security and privacy")),
        ("python.md", tr("From Python")),
    )


class Library:
    """Reads the pages from the folder that ships; a page that a caller writes (`put`) stands beside them."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: of the pages, None for the one that ships."""
        self.folder = folder or documents_dir()
        self._written: dict[str, str] = {}
        self._sections: tuple[Section, ...] = ()

    def put(self, page: str, text: str) -> None:
        """Take `text`, in Markdown, as the page of this file name, in the place of a file."""
        self._written[page] = text
        self._sections = ()

    def text(self, page: str) -> str:
        """Return a page in Markdown by its file name; "" where no such page is part of the help."""
        if page in self._written:
            return self._written[page]
        path = self.path(page)
        return path.read_text(encoding="utf-8") if path is not None and path.suffix == ".md" else ""

    def path(self, name: str) -> Path | None:
        """Return the place of a file of the help, a page or a picture; None where there is none of that name inside the folder."""
        path = (self.folder / name).resolve()
        return path if path.is_relative_to(self.folder.resolve()) and path.is_file() else None

    def search(self, words: str) -> list[Hit]:
        """Return the sections that hold every word of `words`; those with all of them in the heading come first."""
        wanted = words.casefold().split()
        if not wanted:
            return []
        titles = dict(contents())
        found: list[tuple[bool, int, Hit]] = []
        for number, section in enumerate(self.sections()):
            written = f"{section.heading}\n{section.text}".casefold()
            if all(word in written for word in wanted):
                heading = section.heading.casefold()
                title = titles[section.page]
                shown = title if not section.anchor else f"{title} › {section.heading}"
                hit = Hit(section.page, section.anchor, shown, _around(section.text, wanted))
                found.append((not all(word in heading for word in wanted), number, hit))
        return [hit for *_, hit in sorted(found, key=lambda one: one[:2])]

    def sections(self) -> tuple[Section, ...]:
        """Return every page cut at its headings, in order."""
        if not self._sections:
            self._sections = tuple(part for page, _ in contents() for part in _cut(page, self.text(page)))
        return self._sections


def anchor_of(heading: str) -> str:
    """Return the name by which links call a heading: small letters, "-" for spaces, no other marks (as GitHub does)."""
    kept = "".join(letter for letter in heading.strip().casefold() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def address(page: str, anchor: str = "") -> str:
    """Return the address of a place in the help, such as "help:/guide/first-look.md#the-toy-world"."""
    return f"help:/{PurePosixPath(page)}" + (f"#{anchor}" if anchor else "")


def _cut(page: str, text: str) -> list[Section]:
    parts: list[tuple[str, str, list[str]]] = [("", "", [])]
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        match = None if is_code else _HEADING.match(line)
        if match and len(match[1]) > 1:
            parts.append((anchor_of(_plain(match[2])), _plain(match[2]), []))
        elif match:
            parts[-1] = ("", _plain(match[2]), parts[-1][2])
        elif page == GLOSSARY and line.startswith("| ") and line.count("|") >= 5:
            # each term is a section of its own
            term = _plain(line.strip("|").split("|")[0])
            parts.append((anchor_of(term), term, [line]))
        else:
            parts[-1][2].append(line)
    return [Section(page, anchor, heading, "\n".join(lines)) for anchor, heading, lines in parts]


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub(lambda match: match[1] or "", text).split())


def _around(text: str, wanted: list[str]) -> str:
    plain = _plain(text)
    places = [at for word in wanted if (at := plain.casefold().find(word)) >= 0]
    start = max(min(places, default=0) - _SNIPPET // 3, 0)
    start = plain.rfind(" ", 0, start) + 1 if start else 0
    cut = plain[start : start + _SNIPPET]
    return ("…" if start else "") + cut + ("…" if start + _SNIPPET < len(plain) else "")
