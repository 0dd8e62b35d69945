"""The spread of a measurement over pictures, as the record of a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from capt_engine.formatting import percent, tick
from capt_engine.records import Bin, Histogram, MetricInfo
from capt_gui.translate import counted, tr

_BINS = 10
# values as they are shown are so many times the values that are stored
_TIMES = {"/255": 255.0, "%": 100.0}


def metric_histogram(info: MetricInfo, values: Sequence[float]) -> Histogram | None:
    """Return a histogram of a metric over pictures, in the unit that is shown; None without a finite value.

    A metric with finite low and high ends gets ten bins between them; another gets bins with round edges from below the
    least value to above the largest.
    info: the metric's label, unit and ends. values: one a picture, as the engine stores them; infinite ones and NaN are
    left out.
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
    title = tr("{} in {}").format(info.label, info.unit) if info.unit else info.label
    return share_histogram(info.label, title, edges, counts)


def share_histogram(name: str, x_title: str, edges: Sequence[float], counts: Sequence[int]) -> Histogram:
    """Return a histogram of the share of pictures, in [0, 1], that falls into each bin.

    name: what is measured, for the caption. x_title: the title of the horizontal axis. edges: the bins' edges,
    ascending. counts: the number of pictures in each bin, so one fewer than the edges; not all 0.
    """
    n = sum(counts)
    ends = zip(pairwise(edges), counts, strict=True)
    bins = tuple(Bin(round(start, 12), round(end, 12), count / n) for (start, end), count in ends)
    shares = ", ".join(
        tr("{} to {}: {}").format(tick(one.start), tick(one.end), percent(one.value)) for one in bins if one.value
    )
    caption = counted(n, "{1}: share of 1 picture", "{1}: share of {0:,} pictures", name)
    return Histogram(caption, x_title, tr("pictures"), bins, f"{caption}: {shares}.")


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
