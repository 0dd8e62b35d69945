"""The values of a chart as a table: the CSV that is saved of it, and what stands folded below it on a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import assert_never

from capt_engine.formatting import Cell, csv_text
from capt_engine.records import Bar, BarChart, Bin, Chart, ConfusionMatrix, HeatMap, Histogram, LineChart

Row = tuple[Cell, ...]


def columns(chart: Chart) -> tuple[str, ...]:
    """Return the column titles of the table that holds the values of `chart`."""
    match chart:
        case LineChart():
            return ("Line", chart.x_title, chart.y_title, "Low", "High")
        case BarChart():
            return ("Bar", *(("Series",) if chart.series else ()), "Value", "Low", "High")
        case Histogram():
            return ("From", "To", chart.y_title, "Low", "High")
        case HeatMap():
            return (chart.corner, *chart.columns, *((chart.last, "Low", "High") if chart.last else ()))
        case ConfusionMatrix():
            return ("Label", *chart.names)
        case _:
            assert_never(chart)


def rows(chart: Chart) -> Iterator[Row]:
    """Yield the values of `chart` as table rows: one for each point, level, bar, bin, row of cells or class.

    A cell is None where there is no value.
    """
    match chart:
        case LineChart():
            for line in chart.series:
                yield from ((line.name, *point) for point in line.points)
            yield from ((level.name, None, level.value, None, None) for level in chart.levels)
        case BarChart():
            for bar in chart.bars:
                series = (chart.series[bar.series],) if chart.series else ()
                yield bar.name, *series, bar.value, *ends(bar)
        case Histogram():
            yield from ((one.start, one.end, one.value, *ends(one)) for one in chart.bins)
        case HeatMap():
            for row in chart.rows:
                last = row.last if row.value is None else row.value
                yield row.name, *row.shares, *((last, row.low, row.high) if chart.last else ())
        case ConfusionMatrix():
            for name, counts in zip(chart.names, chart.counts, strict=True):
                yield name, *counts
        case _:
            assert_never(chart)


def ends(one: Bar | Bin) -> tuple[float | None, float | None]:
    """Return (low, high), the ends of the 95 % interval of the bar or bin `one`; two None where either is not known."""
    return (None, None) if one.low is None or one.high is None else (one.low, one.high)


def csv_bytes(chart: Chart) -> bytes:
    """Return the values of `chart` as a CSV file (RFC 4180) with a header, to every digit that the chart holds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in (columns(chart), *rows(chart)):
        writer.writerow([csv_text(cell) for cell in row])
    return text.getvalue().encode("utf-8")
