"""Charts as plain values, for the window, the reports and "Save this chart".

No drawing here, but all that two drawings of one chart must not choose for themselves: scales, units, and which bars of many are
drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result

LINEAR, LOG = "linear", "log"
CHART_FORMATS = ("svg", "png", "csv")
ALPHA_BINS = 10
"""So many bins of equal width, from 0 to 1, count pictures by their α."""
MOST_BARS = 40
"""Of more bars than this the first and the last half as many are drawn; files of values have them all."""
MOST_CLASSES = 200
"""A confusion matrix of more classes than this is made of those that are confused most."""
MOST_CONFUSIONS = 20
"""So many of the most frequent confusions are listed beside a matrix that is too dense to hold its counts."""
MOST_COUNTED = 26
"""A confusion matrix of more classes than this is dense: its cells have no room for their counts."""
_WIDE_RATIO = 40.0


@dataclass(frozen=True)
class Series:
    """One line of a chart: (x, y, low, high) each; low and high are the ends of y's interval, both y where there is none."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Level:
    """A dashed line across a chart, at one value of y, such as chance."""

    name: str
    value: float


@dataclass(frozen=True)
class LineChart:
    """Lines with interval bands. alt: the chart in words.

    x_scale, y_scale: "linear" or "log" (a 0 stands one step below the smallest value above it). percent: y is a share in [0, 1], shown in
    percent on an axis from 0 to 100 %. x_labels: the names of x = 0, 1, 2 … where they are places rather than numbers.
    """

    caption: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    alt: str
    x_scale: str = LINEAR
    y_scale: str = LINEAR
    percent: bool = False
    levels: tuple[Level, ...] = ()
    x_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """One bar: its value, the interval around it where there is one, and to which of the chart's series it belongs."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    series: int = 0


@dataclass(frozen=True)
class BarChart:
    """Lying bars; neighbours of one name stand together. percent: values are shares in [0, 1]. series: the names of a legend, if any."""

    caption: str
    bars: tuple[Bar, ...]
    alt: str
    percent: bool = True
    series: tuple[str, ...] = ()
    x_title: str = ""

    @property
    def drawn(self) -> tuple[Bar, ...]:
        """Return the bars that a drawing shows: those with a finite value.

        Of more than 40 such bars they are only the first 20 and the last 20.
        """
        bars = tuple(bar for bar in self.bars if math.isfinite(bar.value))
        half = MOST_BARS // 2
        return bars if len(bars) <= MOST_BARS else (*bars[:half], *bars[-half:])


@dataclass(frozen=True)
class Bin:
    """One bin of a histogram, from `start` to `end`: its share or count, and the interval around it where there is one."""

    start: float
    end: float
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Histogram:
    """Standing bars side by side over a continuous axis. percent: values are shares in [0, 1]."""

    caption: str
    x_title: str
    y_title: str
    bins: tuple[Bin, ...]
    alt: str
    percent: bool = True


@dataclass(frozen=True)
class HeatRow:
    """A row of shares in [0, 1], None where nothing was measured.

    last: the text at its end; value, low, high: the share and the interval that the text gives, for files of values.
    """

    name: str
    shares: tuple[float | None, ...]
    last: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class HeatMap:
    """Shares as shaded cells, each with its number. corner: the title over the names; last: over the words that end the rows."""

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    alt: str
    last: str = ""
    note: str = ""


@dataclass(frozen=True)
class ConfusionMatrix:
    """A confusion matrix: counts[row][column], rows the labels and columns the answers."""

    caption: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    alt: str

    @property
    def is_dense(self) -> bool:
        """Return True for more than 26 classes, where a cell of the drawing has no room for its count."""
        return len(self.names) > MOST_COUNTED

    def confusions(self, most: int = MOST_CONFUSIONS) -> tuple[tuple[str, str, int], ...]:
        """Return the most frequent wrong answers as (label, answer, number of pictures), the most frequent first.

        most: the largest number of them to return.
        """
        found = [
            (-count, row, column)
            for row, counts in enumerate(self.counts)
            for column, count in enumerate(counts)
            if row != column and count
        ]
        return tuple((self.names[row], self.names[column], -count) for count, row, column in sorted(found)[:most])


Chart = LineChart | BarChart | Histogram | HeatMap | ConfusionMatrix


@dataclass(frozen=True)
class SaveChartRequest(Request):
    """Save a chart as a file: the reports' drawing ("svg"), a picture of it ("png"), or its values ("csv")."""

    chart: Chart
    path: str
    format: str = "svg"


@dataclass(frozen=True)
class ChartSaved(Result):
    """A chart that was saved."""

    path: str
    n_bytes: int


def scale_for(values: Sequence[float]) -> str:
    """Return the axis scale on which `values` are told apart: "log" or "linear".

    It is "log" where the largest is more than 40 times the smallest above 0, none is negative, and more than two
    positive values differ.
    """
    positive = sorted({value for value in values if value > 0})
    wide = len(positive) > 2 and min(values) >= 0 and positive[-1] / positive[0] > _WIDE_RATIO
    return LOG if wide else LINEAR
