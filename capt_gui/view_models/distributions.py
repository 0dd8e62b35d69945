"""The spread of a measurement over pictures, as the record of a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from capt_engine.formatting import counted, percent, tick
from capt_engine.records import Bin, Histogram, MetricInfo

_BINS = 10
# values as they are shown are so many times the values that are stored
_TIMES = {"/255": 255.0, "%": 100.0}


def metric_histogram(info: MetricInfo, values: Sequence[float]) -> Histogram | None:
    """Return how a metric's finite values are spread, in the metric's unit; None where there is none.

    The bins cut a scale with two ends into ten; an open one is cut at round values from below the least to above the largest.
    """
    times = _TIMES.get(info.unit, 1.0)
    finite = [times * value for value in values if math.isfinite(value)]
    if not finite:
        return None
    if info.low is not None and info.high is not None and math.isfinite(info.high - info.low):
        size = times * (info.high - info.low) / _BINS
        edges = [times * info.low + number * size for number in range(_BINS + 1)]
    else:
        edges = _round_edges(min(finite), max(finite))
    counts = [0] * (len(edges) - 1)
    for value in finite:
        number = math.floor((value - edges[0]) / (edges[1] - edges[0]))
        counts[min(max(number, 0), len(counts) - 1)] += 1
    unit = f" in {info.unit}" if info.unit else ""
    return share_histogram(info.label, f"{info.label}{unit}", edges, counts)


def share_histogram(name: str, x_title: str, edges: Sequence[float], counts: Sequence[int]) -> Histogram:
    """Return the shares of pictures between neighbouring edges, one count for each pair of them, not all 0."""
    n = sum(counts)
    ends = zip(pairwise(edges), counts, strict=True)
    bins = tuple(Bin(round(start, 12), round(end, 12), count / n) for (start, end), count in ends)
    shares = ", ".join(f"{tick(one.start)} to {tick(one.end)}: {percent(one.value)}" for one in bins if one.value)
    caption = f"{name}: share of {counted(n, 'picture')}"
    return Histogram(caption, x_title, "pictures", bins, f"{caption}: {shares}.")


def _round_edges(low: float, high: float) -> list[float]:
    """Return some ten edges at round values around a range."""
    if high - low < 1e-9:
        # one value, or nearly so: finer edges than these would be rounded into one
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / _BINS
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return [number * step for number in range(first, last + 1)]
