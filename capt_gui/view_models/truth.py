"""The right answer to a picture, where somebody gave it, and what became of the model's answer beside it."""

from __future__ import annotations

from collections.abc import Sequence

from capt_engine.records import PictureRow

WORST_FIRST = ("broken", "wrong", "changed", "corrected", "kept", "held", "right", "ready")
"""Every outcome of an analysed picture."""


def outcome_of(row: PictureRow, label: str = "") -> str:
    """Return what became of the model's answer to one picture, in a word.

    Where the right answer is known: "held" (right before and after the attack), "broken" (right before, wrong after),
    "wrong" (wrong before and after), "corrected" (the attack made it right); without an attack "right" or "wrong".
    Where it is not: "kept" or "changed", and "ready" without an attack. label: the right answer that somebody gave, ""
    for none; one that is not among the row's classes is as none.
    """
    name = known(row, label)
    truth = row.classes.index(name) if name else None
    before, after = row.clean.winner, None if row.attacked is None else row.attacked.winner
    if truth is None:
        return "ready" if after is None else "kept" if after == before else "changed"
    if after is None:
        return "right" if before == truth else "wrong"
    if before == truth:
        return "held" if after == truth else "broken"
    return "corrected" if after == truth else "wrong"


def has_changed(row: PictureRow) -> bool:
    """Return True if the attack changed the model's answer, whoever is right."""
    return row.attacked is not None and row.attacked.winner != row.clean.winner


def known(row: PictureRow, label: str = "") -> str:
    """Return the right answer to the picture of `row`, as its classes spell it; "" where it is not known or not among them.

    It is `label`, else the row's own label unless that is the model's answer.
    """
    return named(row.classes, label or ("" if row.label_source == "model" else row.label))


def named(names: Sequence[str], label: str) -> str:
    """Return the one of `names` that reads like `label`; letter case, spaces and underscores do not matter.

    "" where no name, or more than one, reads like it.
    """
    wanted = _read(label)
    found = [name for name in names if _read(name) == wanted] if wanted else []
    return found[0] if len(found) == 1 else ""


def _read(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())
