"""From single trials to a result: accuracies with intervals, the worst case over attacks, the curve, classes, and A against B.

One place counts, whether the trials come from the engine as it works or from the rows of a finished run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from capt_engine.metrics.interval import newcombe_paired, wilson
from capt_engine.records import (
    AnalyzeResult,
    AttackSummary,
    ClassScore,
    Comparison,
    CurvePoint,
    PairedTest,
    PictureRow,
)


@dataclass(frozen=True)
class Trial:
    """One picture × attack × budget × prompts: what was right before and after; `attack` is "" where there was none.

    success: the attack turned a right answer into a wrong one, None where that question does not arise.
    """

    path: str
    label: str
    clean_pred: str
    prompts: str
    attack: str = ""
    eps: float = 0.0
    adv_pred: str = ""
    success: bool | None = None
    seconds: float = 0.0
    metrics: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, row: PictureRow) -> Trial:
        """The trial that a row tells of."""
        attacked = row.attacked
        return cls(
            path=row.path,
            label=row.label,
            clean_pred=row.classes[row.clean.winner],
            prompts=row.prompt_id,
            attack=row.attack.name if row.attack is not None and attacked is not None else "",
            eps=row.threat.eps,
            adv_pred=row.classes[attacked.winner] if attacked is not None else "",
            success=row.success,
            seconds=row.time_s,
            metrics=row.metrics,
        )


@dataclass
class _Picture:
    """One picture under one set of prompts: right when clean, and still right under every attack of a budget."""

    label: str
    clean: bool
    robust: dict[float, bool] = field(default_factory=dict)


@dataclass
class _Attack:
    """One attack at one budget: pictures still right, flips, pictures that could flip, time."""

    n: int = 0
    kept: int = 0
    flips: int = 0
    open_to_flip: int = 0
    seconds: float = 0.0


class Tally:
    """Counts trials; memory grows by a few numbers a picture."""

    def __init__(self, trials: Iterable[Trial] = ()) -> None:
        self._pictures: dict[str, dict[str, _Picture]] = {}
        self._attacks: dict[tuple[str, float, str], _Attack] = {}
        self._sums: dict[str, dict[str, tuple[float, int]]] = {}
        for trial in trials:
            self.add(trial)

    def add(self, trial: Trial) -> None:
        """Count one more."""
        mine = self._pictures.setdefault(trial.prompts, {})
        picture = mine.setdefault(trial.path, _Picture(trial.label, trial.clean_pred == trial.label))
        if trial.attack:
            kept = trial.adv_pred == trial.label
            picture.robust[trial.eps] = picture.robust.get(trial.eps, True) and kept
            attack = self._attacks.setdefault((trial.prompts, trial.eps, trial.attack), _Attack())
            attack.n += 1
            attack.kept += kept
            attack.flips += bool(trial.success)
            attack.open_to_flip += trial.success is not None
            attack.seconds += trial.seconds
        sums = self._sums.setdefault(trial.prompts, {})
        for name, value in trial.metrics:
            total, count = sums.get(name, (0.0, 0))
            sums[name] = (total + value, count + 1)

    def scored(self, blank: AnalyzeResult, compared: str | None = None) -> AnalyzeResult:
        """`blank` with all that can be counted filled in for its own prompts, and beside it those called `compared`."""
        result = self._alone(blank)
        if compared is None or compared not in self._pictures:
            return result
        other = self._alone(replace(blank, prompts=compared))
        eps = self._largest(blank.prompts)
        labelled = blank.label_source != "model"
        clean = self._paired(blank.prompts, compared, None) if labelled else None
        robust = None if eps is None else self._paired(blank.prompts, compared, eps)
        return replace(result, compared=Comparison(other, clean, robust))

    def _largest(self, prompts: str) -> float | None:
        budgets = [eps for of, eps, _ in self._attacks if of == prompts]
        return max(budgets) if budgets else None

    def _alone(self, blank: AnalyzeResult) -> AnalyzeResult:
        pictures = list(self._pictures.get(blank.prompts, {}).values())
        n, eps = len(pictures), self._largest(blank.prompts)
        if not n:
            return replace(blank, n=0)
        clean = sum(picture.clean for picture in pictures)
        result = replace(
            blank,
            n=n,
            clean_accuracy=clean / n,
            clean_interval=wilson(clean, n),
            consistency=tuple((name, total / count) for name, (total, count) in self._sums[blank.prompts].items()),
            per_class=_per_class(pictures, eps),
        )
        if eps is None:
            return result
        curve = self._curve(blank.prompts, pictures)
        return replace(
            result,
            robust_accuracy=curve[-1].robust_accuracy,
            robust_interval=(curve[-1].low, curve[-1].high),
            attacks=tuple(
                AttackSummary(
                    name, one.kept / one.n, one.flips / one.open_to_flip if one.open_to_flip else 0.0, one.seconds
                )
                for (of, at, name), one in self._attacks.items()
                if of == blank.prompts and at == eps
            ),
            curve=curve if len(curve) > 1 else (),
        )

    def _curve(self, prompts: str, pictures: list[_Picture]) -> tuple[CurvePoint, ...]:
        points = []
        for eps in sorted({at for of, at, _ in self._attacks if of == prompts}):
            kept = [picture.robust[eps] for picture in pictures if eps in picture.robust]
            points.append(CurvePoint(eps, sum(kept) / len(kept), *wilson(sum(kept), len(kept))))
        return tuple(points)

    def _paired(self, a: str, b: str, eps: float | None) -> PairedTest | None:
        """A against B on the pictures that both were asked about; eps None: when clean."""

        def right(picture: _Picture) -> bool | None:
            return picture.clean if eps is None else picture.robust.get(eps)

        first, second = self._pictures[a], self._pictures[b]
        pairs = [(right(first[key]), right(second[key])) for key in first if key in second]
        known = [(x, y) for x, y in pairs if x is not None and y is not None]
        return paired(known) if known else None


def _per_class(pictures: list[_Picture], eps: float | None) -> tuple[ClassScore, ...]:
    by_class: dict[str, list[_Picture]] = {}
    for picture in pictures:
        by_class.setdefault(picture.label, []).append(picture)
    return tuple(
        ClassScore(
            name,
            len(some),
            sum(picture.clean for picture in some),
            None if eps is None else sum(picture.robust.get(eps, False) for picture in some),
        )
        for name, some in sorted(by_class.items())
    )


def paired(answers: Iterable[tuple[bool, bool]]) -> PairedTest:
    """McNemar's exact test over (was A right, was B right); raises ValueError for none."""
    both = only_a = only_b = neither = 0
    for a, b in answers:
        both += a and b
        only_a += a and not b
        only_b += b and not a
        neither += not a and not b
    n = both + only_a + only_b + neither
    low, high = newcombe_paired(both, only_a, only_b, neither)
    return PairedTest(only_a, only_b, n, (only_b - only_a) / n, low, high, mcnemar(only_a, only_b))


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided exact p-value: how probable so unequal a split of the disagreements is if a coin decided each."""
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(fewer + 1))
    # Exact whole numbers to the end: 2**n passes what a float can hold long before n passes what pictures there are.
    return min(1.0, float(Fraction(2 * tail, 2**n)))
