"""The columns that pictures of the gallery can be listed, sorted and filtered by: facts, the answers of A and B, every metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from capt_engine.formatting import UNKNOWN, number, over_255, percent
from capt_engine.records import MetricInfo
from capt_gui.translate import tr
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.truth import WORST_FIRST

Value: TypeAlias = str | float | None
Kind: TypeAlias = Literal["text", "number", "share", "level"]

NAME, STATE, LABEL, TAGS, FOLDER, SIZE = "name", "state", "label", "tags", "folder", "size"
OUTCOME, ANSWER, CONFIDENCE, ATTACKED, ATTACKED_CONFIDENCE = (
    "outcome", "answer", "confidence", "attacked", "attacked_confidence",
)  # fmt: skip
USUAL = (
    NAME, f"{OUTCOME}.a", f"{OUTCOME}.b", LABEL, f"{ANSWER}.a", f"{CONFIDENCE}.a", f"{ATTACKED}.a",
    f"{ATTACKED_CONFIDENCE}.a", f"{ATTACKED}.b", f"{ATTACKED_CONFIDENCE}.b", TAGS,
)  # fmt: skip
"""The columns of a first start; those of B are left out where nothing was compared."""


@dataclass(frozen=True)
class Column:
    """One thing to know of each picture. key: by which views that are saved know it. side: "a", "b", or "" for the picture itself.

    value: of a picture; None or "" where it has none. kind: "text", a "number", a "share" in [0, 1] that is shown in
    per cent, or a "level" in pixel units that is shown in /255. group: under which it is offered. word: how a text is
    shown. many: the texts of a picture that has several. rank: by which texts are ordered, their spelling by default.
    """

    key: str
    title: str
    help: str
    value: Callable[[Item], Value]
    kind: Kind = "text"
    side: str = ""
    group: str = ""
    word: Callable[[str], str] = str
    many: Callable[[Item], tuple[str, ...]] | None = field(default=None)
    rank: Callable[[str], object] = str.casefold

    @property
    def is_number(self) -> bool:
        """True if the values are numbers."""
        return self.kind != "text"

    @property
    def is_outcome(self) -> bool:
        """True if the texts are outcomes of a side, which have symbols."""
        return bool(self.side) and self.rank is _severity

    @property
    def scale(self) -> float:
        """The factor between a value and the number that is shown of it: 100 for per cent, 255 for /255."""
        return {"share": 100.0, "level": 255.0}.get(self.kind, 1.0)

    @property
    def unit(self) -> str:
        """The unit of the numbers that are shown: "%", "/255" or ""."""
        return {"share": "%", "level": "/255"}.get(self.kind, "")

    def shown(self, value: Value) -> str:
        """Return a value as it is shown: words for a text, a rounded number with its unit; "" for none."""
        if value is None or isinstance(value, str):
            return self.word(value) if value else ""
        if math.isnan(value):
            return UNKNOWN
        return {"share": percent, "level": over_255}.get(self.kind, number)(value)

    def text(self, item: Item) -> str:
        """Return what is shown of the picture `item`."""
        if self.many is not None:
            return ", ".join(self.many(item))
        return self.shown(self.value(item))

    def exact(self, item: Item) -> str:
        """Return the value of the picture `item` for a spreadsheet: a text as it is shown, a number with all its digits."""
        value = self.value(item)
        if self.many is not None or value is None or isinstance(value, str):
            return self.text(item)
        return "" if math.isnan(value) else repr(value)

    def texts(self, item: Item) -> tuple[str, ...]:
        """Return the texts that a filter compares: usually one, of tags several; ("",) where the picture has none."""
        if self.many is not None:
            return self.many(item) or ("",)
        value = self.value(item)
        return (value if isinstance(value, str) else "",)

    def arrange(self, items: Sequence[Item], *, descending: bool) -> list[Item]:
        """Return the pictures in the order of this column; those without a value stand last in either direction."""
        keyed = [(value, item) for item in items if (value := self.value(item)) not in (None, "") and value == value]
        rank = self.rank
        order = [rank(value) if isinstance(value, str) else value for value, _ in keyed]
        places = sorted(range(len(keyed)), key=order.__getitem__, reverse=descending)  # type: ignore[arg-type]
        found = [keyed[place][1] for place in places]
        if len(found) < len(items):
            there = {id(item) for item in found}
            found += [item for item in items if id(item) not in there]
        return found


def columns(metrics: Sequence[MetricInfo], *, compared: bool) -> dict[str, Column]:
    """Return all columns by key, in the order in which they are offered.

    metrics: those of the catalogue. compared: pictures have answers of A and of B, whose columns are told apart.
    """
    found = [*_facts(), *_answers("a", compared), *_answers("b", compared)]
    for side in "ab":
        found += [_metric(info, side, compared) for info in metrics]
    return {column.key: column for column in found}


def outcome_word(state: str) -> str:
    """Return the short word for a state or an outcome, such as "fooled" for "broken"."""
    return {
        "waiting": tr("being read"),
        "ready": tr("not attacked"),
        "running": tr("under attack"),
        "kept": tr("kept"),
        "changed": tr("changed"),
        "right": tr("right"),
        "held": tr("held"),
        "broken": tr("fooled"),
        "wrong": tr("wrong"),
        "corrected": tr("made right"),
        "failed": tr("could not be used"),
    }.get(state, state)


def _facts() -> Iterator[Column]:
    group = tr("Picture")
    yield Column(NAME, tr("Picture"), tr("The name of the file"), lambda item: item.name, group=group)
    yield Column(
        STATE, tr("State"), tr("What became of the picture; of A and B the worse"), lambda item: item.state,
        group=group, word=outcome_word, rank=_severity,
    )  # fmt: skip
    yield Column(LABEL, tr("Label"), tr("The right answer that somebody gave"), lambda item: item.label, group=group)
    yield Column(
        TAGS, tr("Tags"), tr("Your own words for the picture"), lambda item: ", ".join(item.tags), group=group,
        many=lambda item: item.tags,
    )  # fmt: skip
    yield Column(FOLDER, tr("Folder"), tr("The folder of the file"), lambda item: item.folder, group=group)
    yield Column(SIZE, tr("Pixels"), tr("Width times height"), lambda item: _pixels(item.size), "number", group=group)


def _answers(side: str, compared: bool) -> Iterator[Column]:
    group = _sided(tr("Answers"), side, compared)

    def one(key: str, title: str, help: str, value: Callable[[PackedRow], Value], kind: Kind = "text") -> Column:
        return Column(
            f"{key}.{side}", _sided(title, side, compared), help, _of_row(side, value), kind, side, group,
        )  # fmt: skip

    yield Column(
        f"{OUTCOME}.{side}", _sided(tr("Outcome"), side, compared), tr("What became of the answer"),
        lambda item: item.outcome_of(side), "text", side, group, outcome_word, rank=_severity,
    )  # fmt: skip
    yield one(ANSWER, tr("Answer"), tr("The class named for the clean picture"), lambda row: row.answer)
    yield one(
        CONFIDENCE, tr("Confidence"), tr("The probability of the answer to the clean picture"),
        lambda row: row.confidence, "share",
    )  # fmt: skip
    yield one(
        ATTACKED, tr("Attacked answer"), tr("The class named for the attacked picture"),
        lambda row: row.attacked_answer or None,
    )  # fmt: skip
    yield one(
        ATTACKED_CONFIDENCE, tr("Attacked confidence"), tr("The probability of the answer to the attacked picture"),
        lambda row: row.attacked_confidence, "share",
    )  # fmt: skip
    yield one(
        "minimal_eps", tr("Minimal ε"), tr("The smallest budget found that fools"), lambda row: row.rest.minimal_eps
    )
    yield one(
        "ood_score", tr("OOD score"), tr("Above 1: unlike the pictures that the model was trained on"),
        lambda row: row.rest.ood_score, "number",
    )  # fmt: skip
    yield one("time_s", tr("Seconds"), tr("How long the picture took"), lambda row: row.rest.time_s, "number")


def _metric(info: MetricInfo, side: str, compared: bool) -> Column:
    kind: Kind = "level" if info.unit == "/255" else "number"
    title = f"{info.label} ({info.unit})" if info.unit not in ("", "/255") else info.label
    return Column(
        f"{info.name}.{side}", _sided(title, side, compared), info.help,
        _of_row(side, lambda row: row.metric(info.name)), kind, side, _sided(tr("Metrics"), side, compared),
    )  # fmt: skip


def _of_row(side: str, value: Callable[[PackedRow], Value]) -> Callable[[Item], Value]:
    def of_item(item: Item) -> Value:
        row = item.side(side)
        return None if row is None else value(row)

    return of_item


def _sided(title: str, side: str, compared: bool) -> str:
    return f"{side.upper()} · {title}" if compared or side == "b" else title


def _pixels(size: str) -> float | None:
    width, _, height = size.partition(" × ")
    return float(int(width) * int(height)) if height else None


def _severity(state: str) -> tuple[int, str]:
    order = ("failed", *WORST_FIRST, "running", "waiting")
    return (order.index(state) if state in order else len(order)), state
