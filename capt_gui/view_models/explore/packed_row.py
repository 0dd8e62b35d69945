"""A row of results in little memory: its many numbers as one piece of bytes, read one by one or all at once."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from capt_engine.records import PictureRow, Verdict

_RECENT = 256
_NOTHING = Verdict((), ())


@lru_cache(maxsize=64)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """One object for names that thousands of rows have."""
    return names


def _narrow(logits: Sequence[float]) -> array[float]:
    """Numbers in 32 bits each, as models compute logits, or in 64 where one of them would lose something."""
    exact = array("d", logits)
    try:
        narrow = array("f", logits)
    except OverflowError:
        return exact
    return narrow if array("d", narrow).tobytes() == exact.tobytes() else exact


class PackedRow:
    """One PictureRow without its pictures; some 4 KB for 130 classes, where the row itself takes 20.

    answer, attacked_answer: the class names of the answers, "" without an attack. confidence, attacked_confidence: their
    probabilities.
    """

    __slots__ = (
        "_data",
        "_logits",
        "_names",
        "_rest",
        "answer",
        "attacked_answer",
        "attacked_confidence",
        "confidence",
    )

    def __init__(self, row: PictureRow) -> None:
        clean, attacked = row.clean, row.attacked
        self.answer = row.classes[clean.winner]
        self.confidence = max(clean.probabilities)
        self.attacked_answer = "" if attacked is None else row.classes[attacked.winner]
        self.attacked_confidence = None if attacked is None else max(attacked.probabilities)
        numbers = array("d", clean.probabilities)
        if attacked is not None:
            numbers.extend(attacked.probabilities)
        numbers.extend(value for _, value in row.metrics)
        self._data = numbers.tobytes()
        self._logits = _narrow((*clean.logits, *(attacked.logits if attacked is not None else ())))
        self._names = _shared(tuple(name for name, _ in row.metrics))
        self._rest = replace(
            row, clean=_NOTHING, attacked=None if attacked is None else _NOTHING, metrics=(), pictures=None,
            classes=_shared(row.classes),
        )  # fmt: skip

    @property
    def rest(self) -> PictureRow:
        """The row without verdicts and metrics; everything else is there."""
        return self._rest

    @property
    def has_changed(self) -> bool:
        """True if the attack changed the model's answer, whoever is right."""
        return self.attacked_confidence is not None and self.attacked_answer != self.answer

    def metric(self, name: str) -> float | None:
        """Return the value of the metric called `name`; None where the row has none."""
        try:
            place = self._names.index(name) - len(self._names)
        except ValueError:
            return None
        (value,) = struct.unpack_from("d", self._data, len(self._data) + 8 * place)
        return float(value)

    def unpack(self) -> PictureRow:
        """Return the row, equal to the one that was packed, but without its pictures."""
        return _unpack(self)


@lru_cache(maxsize=_RECENT)
def _unpack(packed: PackedRow) -> PictureRow:
    rest = packed.rest
    numbers = array("d")
    numbers.frombytes(packed._data)
    k = len(rest.classes)

    def verdict(start: int) -> Verdict:
        return Verdict(tuple(packed._logits[start : start + k]), tuple(numbers[start : start + k]))

    attacked = None if rest.attacked is None else verdict(k)
    values = numbers[len(numbers) - len(packed._names) :] if packed._names else ()
    return replace(rest, clean=verdict(0), attacked=attacked, metrics=tuple(zip(packed._names, values, strict=True)))


def pack(row: PictureRow | None) -> PackedRow | None:
    """Return `row` packed; None for none."""
    return None if row is None else PackedRow(row)
