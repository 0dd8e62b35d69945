"""The words below a drawing: how to read it, and the names that had no room."""

from __future__ import annotations

from capt_engine.records import Chart, ConfusionMatrix, HeatMap
from capt_engine.reports.svg.confusion_matrix import shown_name


def note(chart: Chart) -> str:
    """Return the few words that stand below the drawing of `chart`; "" where it needs none."""
    if isinstance(chart, ConfusionMatrix):
        label = "Rows: labels; columns: answers. Colour: the share of the row, blue where right, orange where wrong."
        return f"{label} Names are thinned; the order is that of the list of classes." if chart.is_dense else label
    return chart.note if isinstance(chart, HeatMap) else ""


def cut_names(chart: Chart) -> tuple[tuple[str], ...]:
    """Return the class names that the drawing of a confusion matrix cuts short, each as a table row of one cell.

    It is empty where `chart` is of another kind, or has more classes than can be named.
    """
    if not isinstance(chart, ConfusionMatrix) or chart.is_dense:
        return ()
    return tuple((name,) for name in chart.names if shown_name(name).endswith("…"))
