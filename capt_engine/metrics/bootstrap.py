"""A hierarchical bootstrap of a difference between two rows of a table: how far chance in pictures, seeds and data sets may have moved it.

Four things of the textbook's procedure are changed, as three seeds, five data sets and a handful of pictures that differ are few:

- Of a level with R members R − 1 are drawn with replacement, which makes the draws' variance that of the mean (Rao and Wu 1988);
  as many as there are would give (R − 1) / R of it: two thirds for three seeds.
- Pictures are drawn once for all seeds of a data set, as every seed is measured on the same ones (crossed, not nested: Owen 2007).
- Every draw's deviation is stretched by √(ν / χ²_ν): what a t distribution has over a normal one, with Satterthwaite's degrees of freedom ν
  (1946) of the variances of the three levels. Without it three seeds that agree by chance would be certainty.
- p is never smaller than that of the sign-flip test of the pictures, which is exact about chance in them and, with one seed of one data
  set, is McNemar's. Draws alone give six pictures to none p = 0.005, which is 0.031.

tests/engine/metrics/test_bootstrap.py measures how often that errs where nothing differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from capt_engine.metrics.ranking import holm

Differences: TypeAlias = npt.NDArray[np.float64]
"""Of one data set, by seed and picture (seeds, pictures): B right minus A right, so -1, 0 or 1."""

DRAWS = 9_999
SEED = 20_061
_LEVEL = 0.95
_AT_ONCE = 10_000
_TINY = 1e-12


@dataclass(frozen=True)
class Difference:
    """B's accuracy minus A's, with the ends of its 95 % interval and the two-sided p of the bootstrap; shares in [−1, 1].

    n: pictures, of all data sets together; seeds: the least number of seeds of a data set; sets: data sets. p_holm: p, corrected
    for the number of claims it stands among, None where it is no claim.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int
    seeds: int
    sets: int
    p_holm: float | None = None


@dataclass
class Bootstrap:
    """A hierarchical bootstrap with a fixed number of `draws` and a fixed `seed` of theirs: equal answers get equal intervals.

    The smallest p is 2 / (draws + 1). How often each picture is drawn is kept, so that a page of many differences takes seconds.
    """

    draws: int = DRAWS
    seed: int = SEED
    _kept: dict[tuple[int, ...], npt.NDArray[Any]] = field(default_factory=dict, init=False, repr=False)

    def difference(self, sets: Sequence[Differences], *, shared_seeds: bool = False) -> Difference:
        """Return the mean over data sets of B's accuracy minus A's, with its interval and p over pictures, seeds and data sets.

        A level of which there is one member is not drawn from, and then the interval says nothing about it.

        Args:
            sets: one array a data set, by seed and picture (seeds, pictures): -1, 0 or 1. Seeds and data sets count alike.
            shared_seeds: True where a seed's prompts are the same in all data sets, which must then have the same seeds in the
                same order; False where each data set has prompts of its own.

        Returns:
            The difference, its 95 % interval and its p, not corrected for other claims.

        Raises:
            ValueError: there is no data set, one without seeds or pictures, or shared seeds that are not equally many.
        """
        if not sets or any(one.ndim != 2 or one.size == 0 for one in sets):
            raise ValueError("a difference needs a data set, and each data set a seed and a picture")
        if shared_seeds and len({len(one) for one in sets}) > 1:
            raise ValueError("data sets that share their seeds must have the same number of them")
        rng = np.random.default_rng((self.seed, 0))
        mean = float(np.mean([one.mean() for one in sets]))
        deviations = self._means(sets, rng, shared=shared_seeds) - mean
        freedom = _freedom(sets, shared=shared_seeds)
        if np.isfinite(freedom):
            deviations *= np.sqrt(freedom / rng.chisquare(freedom, self.draws))
        drawn = np.clip(mean + deviations, -1.0, 1.0)
        low, high = np.quantile(drawn, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
        # Sums of shares are off by rounding, which must not decide on which side of 0 a draw lies.
        fewer = min(np.sum(drawn <= _TINY), np.sum(drawn >= -_TINY))
        p_value = min(1.0, max(2 * (1 + int(fewer)) / (self.draws + 1), self._flipped(sets, mean, rng)))
        n, seeds = sum(one.shape[1] for one in sets), min(len(one) for one in sets)
        return Difference(mean, float(low), float(high), p_value, n, seeds, len(sets))

    def _means(self, sets: Sequence[Differences], rng: np.random.Generator, *, shared: bool) -> Differences:
        """The mean over drawn data sets, of drawn seeds, of drawn pictures; one a draw."""
        every = np.arange(self.draws)
        weights = _seeds(len(sets[0]), self.draws, rng) if shared else None
        if len(sets) == 1:
            return self._of_set(sets[0], every, 0, rng, weights)
        found = np.zeros(self.draws)
        for turn in range(len(sets) - 1):
            chosen = rng.integers(0, len(sets), self.draws)
            for place, one in enumerate(sets):
                here = every[chosen == place]
                found[here] += self._of_set(one, here, turn, rng, None if weights is None else weights[here])
        return found / (len(sets) - 1)

    def _of_set(
        self, one: Differences, rows: npt.NDArray[Any], turn: int, rng: np.random.Generator, weights: Differences | None
    ) -> Differences:
        counts, answers = self._pictures(one.shape[1], turn), one.T.astype(np.float32)
        # Sums of small whole numbers, which single precision has exactly, in whatever order they are added.
        of_seeds = np.concatenate(
            [counts[some].astype(np.float32) @ answers for some in np.array_split(rows, len(rows) // _AT_ONCE + 1)]
        )
        if weights is None:
            weights = _seeds(len(one), len(rows), rng)
        found: Differences = (of_seeds / max(one.shape[1] - 1, 1) * weights).sum(axis=1)
        return found

    def _pictures(self, n: int, turn: int) -> npt.NDArray[Any]:
        """The number of times that each of `n` pictures is drawn, draw by draw; another `turn` draws others."""
        if (n, turn) not in self._kept:
            rng = np.random.default_rng((self.seed, n, turn))
            times, kind = max(n - 1, 1), np.uint8 if n < 1_000 else np.uint16
            found = np.empty((self.draws, n), kind)
            for start in range(0, self.draws, _AT_ONCE):
                rows = min(_AT_ONCE, self.draws - start)
                drawn = rng.integers(0, n, (rows, times)) + n * np.arange(rows)[:, None]
                found[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
            self._kept[(n, turn)] = found
        return self._kept[(n, turn)]

    def _flipped(self, sets: Sequence[Differences], mean: float, rng: np.random.Generator) -> float:
        """The p of the mean among those where A and B change places in half of the pictures, by lot, for all seeds at once."""
        found = np.zeros(self.draws)
        for one in sets:
            sizes, counts = np.unique(np.abs(one.sum(axis=0)), return_counts=True)
            for size, count in zip(sizes, counts, strict=True):
                if size:
                    found += size * (2 * rng.binomial(count, 0.5, self.draws) - count) / one.size / len(sets)
        return (1 + int(np.sum(np.abs(found) >= abs(mean) - _TINY))) / (self.draws + 1)


def corrected(family: Sequence[Difference]) -> list[Difference]:
    """Return the differences of a `family` of claims in their order, each with its p corrected for their number by Holm's method."""
    adjusted = holm([one.p_value for one in family])
    return [replace(one, p_holm=p) for one, p in zip(family, adjusted, strict=True)]


def draws_for(claims: int) -> int:
    """Return how many draws a page of so many `claims` needs, for the smallest p to stay at most 0.02 when corrected for them all."""
    return max(1, math.ceil(100 * claims / (DRAWS + 1))) * (DRAWS + 1) - 1


def _seeds(count: int, draws: int, rng: np.random.Generator) -> Differences:
    """The weight of each seed in each draw."""
    times = max(count - 1, 1)
    return rng.multinomial(times, np.full(count, 1 / count), size=draws) / times if count > 1 else np.ones((draws, 1))


def _freedom(sets: Sequence[Differences], *, shared: bool) -> float:
    """Satterthwaite's degrees of freedom of the mean: (Σ v)² / Σ (v² / freedom of v) over the variances v that chance adds."""
    parts: list[tuple[float, float]] = []
    for one in sets:
        of_seed, *rest = _variances(one)
        parts += [(v / len(sets) ** 2, f) for v, f in (rest if shared else (of_seed, *rest))]
    if shared:
        # What a seed does to all data sets at once does not shrink with their number.
        by_seed = np.mean([one.mean(axis=1) for one in sets], axis=0)
        parts.append((max(0.0, _variance(by_seed) - sum(v for v, _ in parts)), len(by_seed) - 1))
    within = sum(v for v, _ in parts)
    if len(sets) > 1:
        parts.append((max(0.0, _variance(np.array([one.mean() for one in sets])) - within), len(sets) - 1))
    below = sum(v * v / f for v, f in parts if v > 0 and f > 0)
    return float(sum(v for v, _ in parts) ** 2 / below) if below > 0 else np.inf


def _variances(one: Differences) -> tuple[tuple[float, float], ...]:
    """The parts that seeds, pictures and the rest each add to the variance of a data set's mean, with its degrees of freedom."""
    seeds, n = one.shape
    by_seed, by_picture = one.mean(axis=1), one.mean(axis=0)
    if seeds == 1 or n == 1:
        return (_variance(by_seed), seeds - 1), (_variance(by_picture), n - 1)
    rest = one - by_seed[:, None] - by_picture[None] + one.mean()
    freedom = (seeds - 1) * (n - 1)
    noise = float((rest**2).sum() / freedom / (seeds * n))
    seed, picture = max(0.0, _variance(by_seed) - noise), max(0.0, _variance(by_picture) - noise)
    return (seed, seeds - 1), (picture, n - 1), (noise, freedom)


def _variance(values: Differences) -> float:
    """Of the mean of `values`; 0 for one alone, of which nothing is known."""
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
