"""Our one drawing of each chart, laid out once for the page, the PDF and a file of its own."""

from __future__ import annotations

from typing import assert_never

from capt_engine.records import BarChart, Chart, ConfusionMatrix, HeatMap, Histogram, LineChart
from capt_engine.reports.svg import bar, confusion_matrix, heatmap, line
from capt_engine.reports.svg.elements import Drawing


def draw(chart: Chart) -> Drawing | None:
    """Lay out `chart` as shapes and texts, for SVG and PDF alike; None where there is nothing to draw."""
    match chart:
        case LineChart():
            return line.draw(chart)
        case BarChart():
            return bar.draw(chart)
        case Histogram():
            return bar.draw_histogram(chart)
        case HeatMap():
            return heatmap.draw(chart)
        case ConfusionMatrix():
            return confusion_matrix.draw(chart)
        case _:
            assert_never(chart)
