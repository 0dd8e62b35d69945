"""Ranks of several methods over several data sets: Friedman's test, and Nemenyi's critical difference (Demšar 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 9_999
SEED = 20_061

# The Studentised range at 0.05 for 2, 3 … methods and infinite degrees of freedom, over √2: Demšar's table 5(a), to four digits and
# beyond ten methods by scipy's studentized_range (tests/oracles/test_scipy.py).
_Q_05 = (
    1.9600, 2.3437, 2.5690, 2.7278, 2.8497, 2.9483, 3.0309, 3.1017, 3.1637, 3.2187, 3.2680, 3.3127, 3.3536, 3.3912, 3.4260, 3.4584,
    3.4887, 3.5171, 3.5438,
)  # fmt: skip


@dataclass(frozen=True)
class Ranks:
    """Average ranks of methods, 1 for the best, in the order given; `sets` data sets.

    statistic, p_value: of Friedman's test that all are alike. critical_difference: average ranks that differ by less cannot be told
    apart at 0.05; None for more methods than the table has.
    """

    average: tuple[float, ...]
    sets: int
    statistic: float
    p_value: float
    critical_difference: float | None


def friedman(scores: Sequence[Sequence[float]], *, draws: int = DRAWS, seed: int = SEED) -> Ranks:
    """Return the average ranks of methods over data sets, with Friedman's test and Nemenyi's critical difference.

    p comes from data sets whose scores are shuffled among the methods, since χ² is far off where data sets are few.

    Args:
        scores: one row a data set, one score a method in it; the highest has rank 1, and equal ones share the mean of their ranks.
        draws: how many times the scores are shuffled; the smallest p is 1 / (draws + 1).
        seed: of the shuffles.

    Returns:
        The average ranks in the order of the scores, the test and the critical difference.

    Raises:
        ValueError: fewer than two data sets or two methods, or rows of different lengths.
    """
    if len(scores) < 2 or len({len(row) for row in scores}) != 1 or len(scores[0]) < 2:
        raise ValueError("ranks need two data sets and two methods, each with a score in every data set")
    ranks = np.array([_ranks(np.asarray(row, dtype=np.float64)) for row in scores])
    sets, methods = ranks.shape
    found = float(_statistic(ranks[None])[0])
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.broadcast_to(ranks, (draws, sets, methods)), axis=2)
    p_value = (1 + int(np.sum(_statistic(shuffled) >= found - 1e-9))) / (draws + 1)
    average = tuple(float(rank) for rank in ranks.mean(axis=0))
    return Ranks(average, sets, found, p_value, critical_difference(methods, sets))


def critical_difference(methods: int, sets: int) -> float | None:
    """Return by how much average ranks of `methods` over `sets` data sets must differ, at 0.05, by Nemenyi's test.

    None where the table of critical values does not go so far: fewer than 2 methods, or more than 20.
    """
    if not 2 <= methods < 2 + len(_Q_05) or sets < 1:
        return None
    return _Q_05[methods - 2] * math.sqrt(methods * (methods + 1) / (6 * sets))


def cliques(average: Sequence[float], critical: float) -> tuple[tuple[int, ...], ...]:
    """Return the largest groups of methods whose average ranks all lie within the `critical` difference, by their places in `average`.

    Groups of one are left out, and so are groups inside a larger one.
    """
    order = sorted(range(len(average)), key=lambda place: average[place])
    found: list[tuple[int, ...]] = []
    for start, first in enumerate(order):
        group = tuple(place for place in order[start:] if average[place] - average[first] < critical)
        if len(group) > 1 and not (found and set(group) <= set(found[-1])):
            found.append(group)
    return tuple(found)


def _ranks(row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Each one's rank: one more than those above it, and half a rank for each other equal to it."""
    above, equal = (row[None] > row[:, None]).sum(axis=1), (row[None] == row[:, None]).sum(axis=1)
    ranks: npt.NDArray[np.float64] = 1 + above + (equal - 1) / 2
    return ranks


def _statistic(ranks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Friedman's χ² with its correction for ties, of ranks (draws, data sets, methods); 0 where all are equal everywhere."""
    sets, methods = ranks.shape[1:]
    expected = (methods + 1) / 2
    between = sets * ((ranks.mean(axis=1) - expected) ** 2).sum(axis=1)
    within = ((ranks - expected) ** 2).sum(axis=(1, 2)) / (sets * (methods - 1))
    found: npt.NDArray[np.float64] = np.divide(between, within, out=np.zeros_like(between), where=within > 0)
    return found
