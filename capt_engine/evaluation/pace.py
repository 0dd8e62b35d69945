"""The pace of a run, measured as it goes: how long the pictures that are left will take, and the checks behind them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from capt_engine.records import Pace

# The first batch pays for what is loaded and warmed up, so it counts only while there is no other.
_WARM = 1
# Of a batch so much is taken to be its own cost where no other size was seen: more on tiny models, less on large ones.
_BATCH_SHARE = 0.5


class Timed(NamedTuple):
    """A piece of work on several pictures at once: how many, and the seconds that it took."""

    n: int
    seconds: float


def line(timed: Sequence[Timed]) -> tuple[float, float]:
    """Return (seconds a piece, seconds a picture), both at least 0, that fit some pieces of work best; raises ValueError for none.

    Least squares of the relative error, so that large batches do not drown the small ones.
    """
    if not timed:
        raise ValueError("No work was timed.")
    weights = [1 / max(one.seconds, 1e-9) ** 2 for one in timed]

    def mean(values: Sequence[float]) -> float:
        return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)

    n, seconds = [float(one.n) for one in timed], [one.seconds for one in timed]
    n_mean, s_mean = mean(n), mean(seconds)
    spread = mean([(value - n_mean) ** 2 for value in n])
    if not spread:
        # of one size only, nothing tells what the batch costs beside its pictures
        return _BATCH_SHARE * fmean(seconds), (1 - _BATCH_SHARE) * fmean(seconds) / n_mean
    picture_s = mean([(a - n_mean) * (b - s_mean) for a, b in zip(n, seconds, strict=True)]) / spread
    start_s = s_mean - picture_s * n_mean
    if picture_s <= 0:
        return s_mean, 0.0
    if start_s <= 0:
        return 0.0, mean([a * b for a, b in zip(n, seconds, strict=True)]) / mean([a * a for a in n])
    return start_s, picture_s


def warm(timed: Sequence[Timed]) -> Sequence[Timed]:
    """Return the pieces of work without the first one, where there are others."""
    return timed[_WARM:] or timed


def pace_of(batches: Sequence[Timed], most: int, after_s: float = 0.0) -> Pace | None:
    """Return the pace that the batches of a run have had so far; None before the first.

    most: pictures in a batch of the rest. after_s: seconds of what follows the pictures.
    """
    if not batches:
        return None
    counted = warm(batches)
    batch_s, picture_s = line(counted)
    largest = max(counted)
    if largest.n < most:
        # Larger batches are to come than were seen, and a line through two or three small ones is not to be trusted alone: the truth
        # lies between it and the pace of the largest.
        batch_s, picture_s = batch_s / 2, (picture_s + largest.seconds / largest.n) / 2
    return Pace(batch_s, picture_s, most, after_s)
