"""Class names as text: one per line, or separated as in a spreadsheet."""

from __future__ import annotations

import csv


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


def classes_text(classes: tuple[str, ...]) -> str:
    """Return the class names as a text, one a line and quoted where needed, which `parse_classes` reads back."""
    return "\n".join(_quoted(name) for name in classes)


def _quoted(name: str) -> str:
    if any(mark in name for mark in ',;\t"'):
        return '"' + name.replace('"', '""') + '"'
    return name
