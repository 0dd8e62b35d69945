"""Results as lines of a table, exact to the last bit, and the values that many lines share."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from capt_engine.formatting import csv_plain, csv_text
from capt_engine.reading import fitted
from capt_engine.records import AnalyzeRequest, AttackSpec, PictureRow, ThreatModel, Verdict

# Beyond these a number is no result of ours, and a chart could not show it.
_LARGEST, _LARGEST_LOGIT = 1e12, 1e6
_TEXTS = (
    "sha256", "label", "label_source", "model_id", "prompt_id", "aimed_at", "skipped", "attack_label", "frozen", "alpha_rule",
)  # fmt: skip
_WHOLE = ("width", "height", "steps", "restarts", "seed")
_NUMBERS = ("time_s", "minimal_eps", "ood_score")
_TRUTHS = ("success", "survives_png", "survives_jpeg95", "survives_jpeg75", "survives_resize")
_OWN = (*_TEXTS, *_WHOLE, *_NUMBERS, *_TRUTHS)
# For people; what is read comes from the numbers.
_ANSWERS = ("clean_pred", "clean_conf", "adv_pred", "adv_conf")
COLUMNS = (*_OWN, "notes", "classes", "attack", "threat", *_ANSWERS)
"""The columns of every line; those behind them are metrics by name."""
_MOST_PIXELS, _MOST_WHOLE = 1_000_000, 2**53
_TRUTH = {"true": True, "false": False, "": None}
_WORD = {truth: word for word, truth in _TRUTH.items()}


class Unsound(ValueError):
    """A part of a session that cannot be; the message is the clause of a sentence that says which."""


@dataclass(frozen=True)
class _Plain:
    """The shared values as JSON."""

    classes: tuple[tuple[str, ...], ...] = ()
    attacks: tuple[AttackSpec, ...] = ()
    threats: tuple[ThreatModel, ...] = ()
    requests: tuple[AnalyzeRequest, ...] = ()


class Shared:
    """Values that many results share, each kept once and named by its number: class names, attacks, threat models, requests."""

    def __init__(self) -> None:
        self.classes: list[tuple[str, ...]] = []
        self.attacks: list[AttackSpec] = []
        self.threats: list[ThreatModel] = []
        self.requests: list[AnalyzeRequest] = []
        self._numbers: dict[Hashable, int] = {}
        # The same object comes again and again, and a thousand names take time to compare.
        self._seen: dict[int, tuple[object, int]] = {}

    @classmethod
    def of(cls, plain: object) -> Shared:
        """Return the shared values that `plain`, parsed JSON, holds; raises BadRequest or Unsound where it is something else."""
        require_bounded(plain)
        found = fitted(plain, _Plain, called="The list of shared values")
        if any(len(names) < 1 for names in found.classes):
            raise Unsound("a list of classes is empty")
        shared = cls()
        shared.classes, shared.attacks = list(found.classes), list(found.attacks)
        shared.threats = list(found.threats)
        # A file of somebody else names no folder that this program would write to, and no device.
        shared.requests = [
            replace(one, paths=(), options=replace(one.options, keep="", resume=False, device="auto", batch_size=0))
            for one in found.requests
        ]
        return shared

    def plain(self) -> dict[str, object]:
        """Return the values as plain JSON, which `of` reads."""
        kept = _Plain(tuple(self.classes), tuple(self.attacks), tuple(self.threats), tuple(self.requests))
        return asdict(kept)

    def number(self, kind: str, value: Hashable) -> int:
        """Return the number of `value` among those of its kind ("classes", "attacks", "threats", "requests"); a new one is added."""
        if (seen := self._seen.get(id(value))) is not None:
            return seen[1]
        values = getattr(self, kind)
        number = self._numbers.setdefault((kind, value), len(values))
        if number == len(values):
            values.append(value)
        self._seen[id(value)] = (value, number)
        return number

    def __len__(self) -> int:
        """The number of all values: it grows where `plain` has more to say."""
        return len(self.classes) + len(self.attacks) + len(self.threats) + len(self.requests)


def is_sound(row: PictureRow) -> bool:
    """Return True for a result whose numbers can be kept: a model that answers with NaN has none."""
    try:
        _require_verdicts(row)
    except Unsound:
        return False
    return True


def cells(row: PictureRow, shared: Shared) -> dict[str, str]:
    """Return a result as the texts of a line by column, without its logits and probabilities; new values go to `shared`."""
    values = {name: getattr(row, name) for name in _OWN}
    found: dict[str, str] = {name: csv_text(values[name]) for name in _TEXTS}
    found |= {name: str(values[name]) for name in _WHOLE}
    found |= {name: "" if values[name] is None else repr(values[name]) for name in _NUMBERS}
    found |= {name: _WORD[values[name]] for name in _TRUTHS}
    found["notes"] = csv_text("\n".join(row.notes))
    found["classes"] = str(shared.number("classes", row.classes))
    found["attack"] = "" if row.attack is None else str(shared.number("attacks", row.attack))
    found["threat"] = str(shared.number("threats", row.threat))
    for name, verdict in (("clean", row.clean), ("adv", row.attacked)):
        winner = None if verdict is None else verdict.winner
        found[f"{name}_pred"] = "" if winner is None else csv_text(row.classes[winner])
        found[f"{name}_conf"] = "" if winner is None or verdict is None else repr(verdict.probabilities[winner])
    return found | {name: repr(value) for name, value in row.metrics if _is_measured(value)}


def row_of(line: Mapping[str, str], path: str, values: Doubles, shared: Shared) -> PictureRow:
    """Return the result that a line stands for.

    line: texts by column, as `cells` gives them. path: of the picture. values: of which so many are taken as the line has
    use for. Raises Unsound where it is no such line.
    """
    try:
        names = shared.classes[_index(line["classes"])]
        attack = shared.attacks[_index(line["attack"])] if line["attack"] else None
        threat = shared.threats[_index(line["threat"])]
        width, height, steps, restarts, seed = (_whole(line[name]) for name in _WHOLE)
        time_s, minimal_eps, ood_score = (_number(line[name]) for name in _NUMBERS)
        texts = {name: csv_plain(line[name]) for name in _TEXTS}
        truths = {name: _TRUTH[line[name]] for name in _TRUTHS}
        is_attacked = bool(line["adv_conf"])
        notes = csv_plain(line["notes"])
        metrics = tuple(
            (name, value)
            for name, text in line.items()
            if name not in _KNOWN and text and (value := _number(text)) is not None
        )
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as problem:
        raise Unsound("a result has a cell that cannot be") from problem
    if not (0 < width <= _MOST_PIXELS and 0 < height <= _MOST_PIXELS) or time_s is None:
        raise Unsound("a result has no size or time")
    clean = values.verdict(len(names))
    attacked = values.verdict(len(names)) if is_attacked else None
    values_of: dict[str, Any] = texts | truths
    row = PictureRow(
        path=path,
        width=width,
        height=height,
        classes=names,
        clean=clean,
        attacked=attacked,
        attack=attack,
        steps=steps,
        restarts=restarts,
        threat=threat,
        seed=seed,
        metrics=metrics,
        time_s=time_s,
        minimal_eps=minimal_eps,
        ood_score=ood_score,
        notes=tuple(notes.split("\n")) if notes else (),
        **values_of,
    )
    _require_verdicts(row)
    return row


_KNOWN = frozenset(COLUMNS) | {"picture", "side"}


def require_bounded(value: object) -> None:
    """Raise Unsound where a number anywhere in `value`, parsed JSON, is so large that nothing of ours holds it, or is none."""
    level: list[object] = [value]
    while level:
        inside: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inside += one.values()
            elif isinstance(one, list | tuple):
                inside += one
            elif isinstance(one, int | float) and not -_MOST_WHOLE <= one <= _MOST_WHOLE:
                raise Unsound("a number is out of bounds")
        level = inside


class Doubles:
    """The logits and probabilities of many results, one after the other, taken from the front."""

    def __init__(self, data: bytes) -> None:
        """data: little-endian doubles; raises Unsound where it is no whole number of them."""
        self._values = array("d")
        try:
            self._values.frombytes(data)
        except ValueError as problem:
            raise Unsound("numbers are cut off") from problem
        if sys.byteorder == "big":
            self._values.byteswap()
        self._at = 0

    @property
    def left(self) -> int:
        """The number of those that nobody has taken."""
        return len(self._values) - self._at

    def verdict(self, k: int) -> Verdict:
        """Take the answer over k classes; raises Unsound where there are not enough numbers."""
        start, self._at = self._at, self._at + 2 * k
        if self.left < 0:
            raise Unsound("numbers are missing")
        return Verdict(tuple(self._values[start : start + k]), tuple(self._values[start + k : start + 2 * k]))


def doubles(rows: Iterable[PictureRow]) -> bytes:
    """Return the logits and probabilities of results, clean and then attacked, as little-endian doubles."""
    values = array("d")
    for row in rows:
        for verdict in (row.clean, row.attacked):
            if verdict is not None:
                values.extend(verdict.logits)
                values.extend(verdict.probabilities)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _require_verdicts(row: PictureRow) -> None:
    k = len(row.classes)
    for verdict in (row.clean, row.attacked):
        if verdict is None:
            continue
        if len(verdict.logits) != k or len(verdict.probabilities) != k or not k:
            raise Unsound("an answer has not one number for each class")
        if not _is_within(verdict.logits, -_LARGEST_LOGIT, _LARGEST_LOGIT):
            raise Unsound("a logit is out of bounds")
        if not _is_within(verdict.probabilities, 0.0, 1.001):
            raise Unsound("a probability is out of bounds")


def _is_within(values: Sequence[float], low: float, high: float) -> bool:
    """Min and max pass over NaN, a sum does not."""
    return math.isfinite(sum(values)) and low <= min(values) and max(values) <= high


def _is_measured(value: float) -> bool:
    return -_LARGEST <= value <= _LARGEST or value == math.inf


def _number(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not _is_measured(value):
        raise ValueError
    return value


def _whole(text: str) -> int:
    value = int(text)
    if not 0 <= value <= _MOST_WHOLE:
        raise ValueError
    return value


def _index(text: str) -> int:
    value = int(text)
    if value < 0:
        raise IndexError
    return value


def lines_of(rows: Sequence[PictureRow], shared: Shared) -> list[dict[str, str]]:
    """Return the lines of the results of one picture; none where one of them cannot be kept."""
    return [cells(row, shared) for row in rows] if all(map(is_sound, rows)) else []
