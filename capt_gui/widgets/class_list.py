"""Class names as text: one per line, or separated as in a spreadsheet."""

from __future__ import annotations

import csv
import re

# A word as the engine reads it (capt_engine.model.vocabulary): letters and digits, with hyphens and apostrophes inside.
_WORD = re.compile(r"[^\W_]+(?:['’\-]+[^\W_]+)*")


def parse_classes(text: str) -> tuple[str, ...]:
    """Return the class names in a text: one or more a line, separated by tabs, semicolons or commas; quotes keep a comma.

    A first column that only counts the rows (0, 1, 2 … or 1, 2, 3 …) is left out.
    """
    rows = []
    for line in text.splitlines():
        separator = next((mark for mark in "\t;" if mark in line), ",")
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
        if names := [cell.strip() for cell in cells if cell.strip()]:
            rows.append(names)
    if len(rows) > 1 and all(len(row) == 2 for row in rows):
        first = [row[0] for row in rows]
        if any(first == [str(start + number) for number in range(len(rows))] for start in (0, 1)):
            rows = [row[1:] for row in rows]
    return tuple(name for row in rows for name in row)


def pasted_classes(text: str) -> tuple[str, ...]:
    """Return the class names in a text that is pasted: of several lines each is one name, commas included, as ImageNet writes them.

    Where lines end in commas, or have tabs or semicolons, and on a single line, names are separated as in `parse_classes`.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or any(line.rstrip().endswith(",") or set(line) & set('\t;"') for line in lines):
        return parse_classes(text)
    return tuple(line.strip() for line in lines)


def classes_text(classes: tuple[str, ...]) -> str:
    """Return the class names as a text, one a line and quoted where needed, which `parse_classes` reads back."""
    return "\n".join(_quoted(name) for name in classes)


def has_word(text: str, word: str) -> bool:
    """Return True if the whole word `word`, which is spelled in lower case, is in `text` in any case; or if it is one of its lines."""
    return any(_plain(found) == word for found in _WORD.findall(text)) or word in text.splitlines()


def with_word(text: str, word: str, by: str) -> str:
    """Return `text` with `by` in the place of each whole word `word`, which is spelled in lower case, whatever the case in the text."""

    def other(found: re.Match[str]) -> str:
        return by if _plain(found.group()) == word else found.group()

    return _WORD.sub(other, text)


def _plain(word: str) -> str:
    return word.replace("’", "'").lower()


def _quoted(name: str) -> str:
    if any(mark in name for mark in ',;\t"'):
        return '"' + name.replace('"', '""') + '"'
    return name
