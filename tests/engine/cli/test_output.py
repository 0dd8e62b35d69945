"""The line of a picture in the terminal: who is right decides the words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capt_engine.cli.output import picture_line
from tests.engine.reports.made_runs import CLASSES, request, rows


@pytest.mark.parametrize(
    ("source", "label", "before", "after", "words"),
    [
        ("model", "cat", "cat", "cat", "(kept)"),
        ("model", "cat", "cat", "dog", "(changed)"),
        ("folder", "cat", "cat", "cat", "(held)"),
        ("folder", "cat", "cat", "dog", "(fooled)"),
        ("folder", "cat", "dog", "dog", "(was wrong before)"),
        ("folder", "cat", "dog", "cat", "(was wrong before, made right)"),
    ],
)
def test_words_follow_the_label(source: str, label: str, before: str, after: str, words: str) -> None:
    """Unlabelled, an answer is kept or changed; labelled, a right one is held or the model fooled."""
    (row,) = rows(request("nowhere", compare=None, curve=()), 1)  # type: ignore[arg-type]

    def saying(name: str) -> tuple[float, ...]:
        return tuple(0.8 if one == name else 0.1 for one in CLASSES)

    clean, attacked = (replace(row.clean, logits=saying(one), probabilities=saying(one)) for one in (before, after))
    success = (after != label) if before == label else None
    survives = {"survives_png": True, "survives_jpeg95": True}
    row = replace(row, label=label, label_source=source, clean=clean, attacked=attacked, success=success, **survives)
    assert picture_line(row).endswith(words)
