"""An axis: where a value stands, which values are named, and how they are written. Every chart takes its axes from here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from capt_engine.formatting import exact_percent, unbroken
from capt_engine.formatting import tick as written
from capt_engine.records import LOG
from capt_engine.reports.svg.lettering import width

_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_NAMED_EACH = 12
_GAP = 8.0


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, drawn from `start` to `end`. On a log scale `low` is positive, and 0 stands at `start`.

    ticks: values and their words.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; of one beyond the axis its nearer end."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(value) - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _bent(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.is_log else value

    @property
    def named(self) -> tuple[tuple[float, str], ...]:
        """Return (position, words) of the axis' ticks, leaving out those whose words would touch the ones before.

        Positions are in the drawing's units.
        """
        kept: list[tuple[float, str]] = []
        for value, label in self.ticks:
            place = self(value)
            if not kept or abs(place - kept[-1][0]) >= (width(label) + width(kept[-1][1])) / 2 + _GAP:
                kept.append((place, label))
        return tuple(kept)


def share_axis(start: float, end: float) -> Axis:
    """Return an axis of shares from 0 to 100 %, drawn from `start` to `end` in the drawing's units."""
    return Axis(0.0, 1.0, start, end, tuple((value, percent_tick(value)) for value in _SHARES))


def part_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis of shares from 0 % to the round one above the largest of `values`, at most 100 %.

    start, end: the ends of the axis in the drawing's units.
    """
    ticks = [tick for tick in round_values(0.0, max(values)) if tick <= 1]
    return Axis(ticks[0], ticks[-1], start, end, tuple((tick, percent_tick(tick)) for tick in ticks))


def value_axis(values: Sequence[float], scale: str, start: float, end: float) -> Axis:
    """Return an axis with round numbers around `values`, from below the smallest to above the largest.

    scale: "linear", or "log" for powers of ten where a value is positive. start, end: the ends of the axis in the
    drawing's units.
    """
    if scale == LOG and (positive := [value for value in values if value > 0]):
        least = min(positive) / (2 if min(values) <= 0 else 1)
        first, last = math.floor(math.log10(least)), math.ceil(math.log10(max(positive)) + 1e-9)
        last = max(last, first + 1)
        decades = tuple(10.0**power for power in range(first, last + 1))
        return Axis(decades[0], decades[-1], start, end, tuple((one, written(one)) for one in decades), is_log=True)
    ticks = round_values(min(values), max(values))
    return Axis(ticks[0], ticks[-1], start, end, tuple((tick, written(tick)) for tick in ticks))


def place_axis(values: Sequence[float], scale: str, names: Sequence[str], start: float, end: float) -> Axis:
    """Return an axis that ends where `values` end, and names each of them while they are few, as for tried budgets.

    scale: "linear" or "log". names: words for the places 0, 1, 2 …, which then make the axis instead of the values; may
    be empty. start, end: the ends of the axis in the drawing's units.
    """
    places = sorted(set(values))
    low, high = places[0], places[-1]
    if names:
        return Axis(0.0, max(len(names) - 1, 1), start, end, tuple((float(i), name) for i, name in enumerate(names)))
    is_log = scale == LOG and high > 0
    if is_log and low <= 0:
        low = next(place for place in places if place > 0) / 2
    if high <= low:
        low, high, is_log = low - 0.5, high + 0.5, False
    ticks = (
        places
        if len(places) <= _NAMED_EACH or is_log
        else [tick for tick in round_values(low, high) if low <= tick <= high]
    )
    return Axis(low, high, start, end, tuple((tick, written(tick)) for tick in ticks), is_log)


def has_gap(axis: Axis, values: Sequence[float]) -> bool:
    """Return True if `axis` is logarithmic and a 0 is among `values`, which has no place of its own on such an axis."""
    return axis.is_log and min(values) <= 0


def round_values(low: float, high: float) -> list[float]:
    """Return some four to seven round numbers in equal steps that enclose the range from `low` to `high`."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def percent_tick(value: float) -> str:
    """Return the share `value` in percent, as in "40 %", with a space at which no line ends."""
    return unbroken(exact_percent(value))


def title_of(title: str, is_log: bool) -> str:
    """Return the `title` of an axis, with "(log scale)" behind it where `is_log`."""
    return f"{title} (log scale)" if is_log else title
