"""The words of the field that stand in the window, and the sentence that the glossary has for each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from capt_gui.view_models.help.library import GLOSSARY, Library, anchor_of

# terms that are turned round so that they stand at their head: "accuracy, clean"
_TURNED = ("accuracy", "consistency weight")
# everyday words of the window that mean something else there than in the glossary
_ELSEWHERE = frozenset({"project", "restart", "segment", "test", "train", "query", "class"})
_SYMBOL = re.compile(r"[A-Z]{2,}[0-9]?|ε")


@dataclass(frozen=True)
class Term:
    """A line of the glossary. spellings: the ways in which it stands in texts; symbols such as "ASR" among them."""

    name: str
    meaning: str
    spellings: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The name by which a link calls the line."""
        return anchor_of(self.name)

    @property
    def sentence(self) -> str:
        """The term and what it means."""
        return f"{self.name}: {self.meaning}"


class Glossary:
    """Finds terms in the texts of the window."""

    def __init__(self, library: Library) -> None:
        self.terms = tuple(_terms(library.text(GLOSSARY)))
        self._by_spelling: dict[str, Term] = {}
        for term in self.terms:
            for spelling in term.spellings:
                self._by_spelling.setdefault(spelling.casefold(), term)
        # the longest first: "robust accuracy" before "accuracy"
        words = "|".join(re.escape(one) for one in sorted(self._by_spelling, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)({words})(?:s|es)?(?!\w)", re.IGNORECASE) if words else None

    def found(self, text: str) -> list[tuple[int, int, Term]]:
        """Return (start, end, term) for each term in `text`, in order."""
        if self._pattern is None:
            return []
        return [
            (match.start(), match.end(), self._by_spelling[match[1].casefold()])
            for match in self._pattern.finditer(text)
        ]

    def term_in(self, text: str, at: int | None = None) -> Term | None:
        """Return the term at the place `at` in `text`; with None the longest one there is; None where there is none."""
        found = self.found(text)
        if at is not None:
            return next((term for start, end, term in found if start <= at < end), None)
        longest = max(found, key=lambda one: one[1] - one[0], default=None)
        return longest[2] if longest is not None else None


def _terms(text: str) -> list[Term]:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [Term(row[0], row[3], _spellings(row[0], row[1])) for row in rows[1:] if len(row) == 4]


def _spellings(name: str, symbols: str) -> tuple[str, ...]:
    first, _, rest = name.partition(", ")
    names = [f"{rest} {first}"] if rest and first in _TURNED else name.split(", ")
    names += [one for one in symbols.split(", ") if _SYMBOL.fullmatch(one)]
    return tuple(one for one in names if one.casefold() not in _ELSEWHERE)
