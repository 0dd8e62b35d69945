"""Where values stand on an axis, which of them get a tick, and how many points are worth drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """From values (low to high) to pixels (start to end); start may lie behind end, as it does on a vertical axis."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low
        return self.start + (self.end - self.start) * ((value - self.low) / span if span else 0.5)

    def ticks(self, count: int, *, whole: bool = False) -> list[float]:
        """About so many round values from low to high; `whole` keeps to integers."""
        span = self.high - self.low
        if span <= 0 or not math.isfinite(span):
            return [self.low]
        raw = span / max(count, 1)
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
        if whole:
            step = float(max(1, math.ceil(step)))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, 12) for number in range(first, last + 1)]


def thinned(xs: Sequence[float], ys: Sequence[float], columns: int) -> list[tuple[float, float]]:
    """The points, or of many the lowest and the highest of each of `columns` groups: what is drawn hides no peak."""
    n = min(len(xs), len(ys))
    if n <= 2 * columns:
        return list(zip(xs[:n], ys[:n], strict=True))
    points: list[tuple[float, float]] = []
    for column in range(columns):
        group = range(column * n // columns, (column + 1) * n // columns)
        ends = {min(group, key=lambda i: ys[i]), max(group, key=lambda i: ys[i])}
        points += [(xs[i], ys[i]) for i in sorted(ends)]
    return points
