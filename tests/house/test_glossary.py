"""The glossary: one line per term, in order, and no word comes back that was replaced."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"

# What the field calls otherwise: identifiers that were replaced, and the word that replaced them.
REPLACED = {
    "slope": "gradient",
    "crafter": "source model",
    "crafted_on": "source_model",
    "Contestant": "Variant",
    "Assault": "PlannedAttack",
    "Aim": "Criterion",
    "Doubt": "CheckSpec",
    "silent_tick": "no_progress",
    "shelf": "store",
}


def _rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def _key(term: str) -> str:
    spelled = term.casefold().replace("λ", "lambda").replace("ε", "epsilon")
    return re.sub(r"[^a-z ]", "", unicodedata.normalize("NFKD", spelled))


def test_every_term_stands_once_with_a_meaning() -> None:
    """Each line has four cells; the term and its meaning are there, and the meaning is a sentence."""
    rows = _rows()
    terms = [row[0] for row in rows]
    assert all(len(row) == 4 for row in rows)
    assert len(set(terms)) == len(terms)
    assert [row[0] for row in rows if not row[3].endswith((".", ")", '"'))] == []


def test_terms_are_in_alphabetical_order() -> None:
    """A reader finds a term by its first letters; Greek letters stand at their names."""
    keys = [_key(row[0]) for row in _rows()]
    assert keys == sorted(keys)


@pytest.mark.parametrize("word", REPLACED)
def test_replaced_words_do_not_come_back(word: str) -> None:
    """No name in the product's code is a word that the field does not use."""
    root = PAGE.parents[1]
    # In quotes a word of before may stand: it is a key in files that were written then. A cone has a slope.
    as_a_name = re.compile(rf"""(?<!["'\\w]){word}(?!["'\\w])""")
    found = [
        str(path.relative_to(root))
        for package in ("capt_engine", "capt_gui")
        for path in sorted((root / package).rglob("*.py"))
        if path.name != "shapes.py" and as_a_name.search(path.read_text(encoding="utf-8"))
    ]
    assert found == [], f"{word}: the field says {REPLACED[word]}"
