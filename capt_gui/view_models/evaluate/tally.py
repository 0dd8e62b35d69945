"""A count of an evaluation's rows while they arrive: right, held, and which answer came instead, by set of prompts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from capt_engine.errors import BadRequest
from capt_engine.reading import fitted
from capt_engine.records import CountedRow, FailedPicture, PictureRow, corruption_of


@dataclass
class _Seen:
    """One picture under one set of prompts, by indices of classes.

    held: right under every attack so far, None before the first; fell_to: the first wrong answer under an attack.
    """

    label: int
    clean: int
    held: bool | None = None
    fell_to: int | None = None


@dataclass(frozen=True)
class Outlived:
    """Of n attacked pictures that fooled the model, how many still did after one way of saving."""

    kept: int
    n: int


@dataclass(frozen=True)
class TallyCounts:
    """The counts of a tally as they are kept.

    pictures: by prompts and by path, the four fields of what was seen. saved: prompts, way, kept, n. metrics: prompts, name, values.
    """

    headline: float = 0.0
    classes: tuple[str, ...] = ()
    first_attack: str = ""
    pictures: dict[str, dict[str, tuple[int, int, bool | None, int | None]]] = field(default_factory=dict)
    saved: tuple[tuple[str, str, int, int], ...] = ()
    metrics: tuple[tuple[str, str, tuple[float, ...]], ...] = ()
    failed: tuple[FailedPicture, ...] = ()


class EvaluateTally:
    """Counts as the engine does, at one budget; it holds a few numbers a picture. Several corruptions are no attack."""

    def __init__(self, headline: float) -> None:
        """headline: the budget that the verdict is about."""
        self._headline = headline
        self._pictures: dict[str, dict[str, _Seen]] = {}
        self._saved: dict[tuple[str, str], list[int]] = {}
        self._first_attack = ""
        self._metrics: dict[tuple[str, str], array[float]] = {}
        self.classes: tuple[str, ...] = ()
        self._place: dict[str, int] = {}
        self.failed: dict[str, FailedPicture] = {}

    @classmethod
    def of(cls, plain: object) -> EvaluateTally:
        """Return the tally whose `plain` gave this; raises BadRequest where it is something else."""
        called = "The counts of the evaluation"
        found = fitted(plain, TallyCounts, called=called)
        tally = cls(found.headline)
        tally._name(found.classes)
        tally._first_attack = found.first_attack
        for side, pictures in found.pictures.items():
            tally._pictures[side] = {path: _Seen(*one) for path, one in pictures.items()}
            answers = {i for one in pictures.values() for i in (one[0], one[1], one[3]) if i is not None}
            if answers and not (min(answers) >= 0 and max(answers) < len(found.classes)):
                raise BadRequest(f"{called} have an answer that is none of the classes.")
        tally._saved = {(side, way): [kept, n] for side, way, kept, n in found.saved}
        tally._metrics = {(side, name): array("d", values) for side, name, values in found.metrics}
        tally.failed = {one.path: one for one in found.failed}
        return tally

    def plain(self) -> dict[str, object]:
        """Return the counts as plain JSON values, which `of` reads."""
        counts = TallyCounts(
            self._headline,
            self.classes,
            self._first_attack,
            {
                side: {path: tuple(vars(one).values()) for path, one in seen.items()}
                for side, seen in self._pictures.items()
            },
            tuple((side, way, kept, n) for (side, way), (kept, n) in self._saved.items()),
            tuple((side, name, tuple(values)) for (side, name), values in self._metrics.items()),
            tuple(self.failed.values()),
        )
        return vars(counts) | {"failed": [asdict(one) for one in counts.failed]}

    def add(self, rows: Iterable[PictureRow | FailedPicture]) -> None:
        """Count the rows (a picture's answers under one attack), and keep the pictures that failed."""
        for row in rows:
            if isinstance(row, FailedPicture):
                self.failed[row.path] = row
            else:
                self._name(row.classes)
                self._count(CountedRow.of(row))

    def take_up(self, rows: Iterable[CountedRow], classes: tuple[str, ...]) -> None:
        """Count rows that a resumed run has already; classes: its class names, in order, among which those of the rows are."""
        self._name(classes)
        for row in rows:
            self._count(row)

    @property
    def sides(self) -> tuple[str, ...]:
        """The ids of the prompts that have answered so far, in order of their first answer."""
        return tuple(self._pictures)

    @property
    def n(self) -> int:
        """The number of pictures counted so far, by the set of prompts that has answered most of them."""
        return max((len(seen) for seen in self._pictures.values()), default=0)

    def clean(self, side: str) -> tuple[int, int]:
        """Return (pictures answered right without an attack, pictures answered) for the prompts with the id `side`."""
        seen = self._pictures.get(side, {}).values()
        return sum(one.clean == one.label for one in seen), len(seen)

    def held(self, side: str) -> tuple[int, int]:
        """Return (pictures right under every attack so far, pictures attacked) for the prompts with the id `side`.

        Only attacks at the headline budget (the ε that the verdict is about) count; (0, 0) where nobody attacked.
        """
        known = [one.held for one in self._pictures.get(side, {}).values() if one.held is not None]
        return sum(known), len(known)

    def confusion(self, side: str, *, attacked: bool) -> Counter[tuple[int, int]]:
        """Count how often each label got each answer, as (index of label, index of answer) in `classes`.

        side: the id of the prompts. attacked: count the answers after the first attack that changed the answer, instead
        of the clean ones.
        """
        seen = self._pictures.get(side, {}).values()
        if not attacked:
            return Counter((one.label, one.clean) for one in seen)
        return Counter((one.label, _under_attack(one)) for one in seen if one.held is not None)

    def taken_for(self, side: str, label: int, answer: int, *, attacked: bool) -> tuple[str, ...]:
        """Return the paths of the pictures with one label that got one answer, as `confusion` counts them.

        side: the id of the prompts. label, answer: indices in `classes`; equal ones give the right answers. attacked:
        the answers under attack instead of the clean ones.
        """
        seen = self._pictures.get(side, {})
        return tuple(
            path
            for path, one in seen.items()
            if one.label == label
            and (_under_attack(one) if attacked else one.clean) == answer
            and (one.held is not None or not attacked)
        )

    def only_wrong(self, side: str, other: str, *, attacked: bool) -> tuple[str, ...]:
        """Return the paths of the pictures that the prompts `side` get wrong and the prompts `other` have right (ids).

        attacked: under the attacks at the headline budget, of the pictures that both were attacked on; else when clean.
        """
        mine, theirs = self._pictures.get(side, {}), self._pictures.get(other, {})

        def right(one: _Seen) -> bool | None:
            return one.held if attacked else one.clean == one.label

        return tuple(
            path for path, one in mine.items() if path in theirs and right(one) is False and right(theirs[path]) is True
        )

    def labels(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the labels of the pictures at `paths` that have been counted, by path."""
        seen: dict[str, _Seen] = {}
        for mine in self._pictures.values():
            seen |= mine
        return {path: self.classes[seen[path].label] for path in paths if path in seen}

    def outlived(self, side: str, way: str) -> Outlived:
        """Return how many adversarial pictures, at any budget, fooled the model, and how many still did once saved.

        side: the id of the prompts. way: one of SAVINGS, such as "png" or "jpeg95"; counts are 0 for pictures not saved
        so.
        """
        kept, n = self._saved.get((side, way), (0, 0))
        return Outlived(kept, n)

    def metric_values(self, side: str, metric: str) -> Sequence[float]:
        """Return a metric's values for the pictures of the first attack at the headline budget, in order of the rows.

        side: the id of the prompts. metric: the metric's name; one that was not measured gives no values. The headline
        budget is the ε that the verdict is about.
        """
        return self._metrics.get((side, metric), ())

    def _name(self, classes: tuple[str, ...]) -> None:
        """Remember the class names of the run, which the first rows bring."""
        if not self.classes:
            self.classes = classes
            self._place = {name: number for number, name in reversed(list(enumerate(classes)))}

    def _count(self, row: CountedRow) -> None:
        mine = self._pictures.setdefault(row.prompts, {})
        seen = mine.get(row.path)
        if seen is None:
            seen = mine[row.path] = _Seen(self._place[row.label], self._place[row.clean_pred])
        if not row.attack or corruption_of(row.attack) is not None:
            return
        attacked = self._place[row.adv_pred] if row.adv_pred else None
        if attacked is not None and attacked != seen.label and seen.fell_to is None:
            seen.fell_to = attacked
        if row.success:
            self._count_saved(row)
        if row.eps != self._headline:
            return
        self._first_attack = self._first_attack or row.attack
        if row.attack == self._first_attack and not row.skipped:
            for name, value in row.metrics:
                self._metrics.setdefault((row.prompts, name), array("d")).append(value)
        if row.skipped:
            # broken at a smaller budget: what broke it there lies in this ball too
            if seen.held is None:
                seen.held = seen.clean == seen.label and not row.skipped.startswith("broken at")
            return
        seen.held = attacked == seen.label and seen.held is not False

    def _count_saved(self, row: CountedRow) -> None:
        for way, survives in row.survives:
            counts = self._saved.setdefault((row.prompts, way), [0, 0])
            counts[0] += survives
            counts[1] += 1


def _under_attack(seen: _Seen) -> int:
    """The answer that stands for a picture under attack: the label where it held, else what it was taken for."""
    if seen.held:
        return seen.label
    return seen.clean if seen.clean != seen.label or seen.fell_to is None else seen.fell_to
