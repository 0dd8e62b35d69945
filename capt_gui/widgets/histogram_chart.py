"""A histogram: which share of the measured pictures has which value."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF

from capt_engine.formatting import percent, tick
from capt_engine.records import Bin, Histogram
from capt_gui.theme import Theme
from capt_gui.widgets.axes_chart import AxesChart
from capt_gui.widgets.legend import Entry

# room around what is drawn, as a share of it, so that whiskers at the ends are whole
_ROOM = 0.03
_FILL = 0.94


class HistogramChart(AxesChart):
    """Draws a histogram's record, with intervals as whiskers; Left and Right, or the mouse, read out one bin."""

    def __init__(self, theme: Theme, title: str, empty: str) -> None:
        """empty: the text where there is nothing to draw."""
        super().__init__(theme, title, empty, share=True)
        self._histogram: Histogram | None = None
        self._summary: tuple[Entry, ...] = ()

    def set_histogram(self, histogram: Histogram | None, summary: tuple[tuple[str, str], ...] = ()) -> None:
        """Show a histogram whose bins hold shares of the measured pictures, or the empty state for None.

        summary: (name, value) pairs that are read out while no bin is chosen.
        """
        self._histogram = histogram
        self._summary = tuple(Entry(name, value) for name, value in summary)
        self._places = [_middle(one) for one in histogram.bins] if histogram is not None else []
        self._draw()

    def record(self) -> Histogram | None:
        """Return the histogram that is shown, for saving it to a file; None while the chart is empty."""
        return self._histogram

    def description(self) -> str:
        """Return the chosen bin, or the summary where none is chosen, as one sentence.

        With neither, it is the text of the empty state.
        """
        return ", ".join(f"{entry.name} {entry.value}" for entry in self._entries()) or self._empty

    def _entries(self) -> tuple[Entry, ...]:
        shown = self._histogram
        if shown is None or self._cursor is None:
            return self._summary
        one = shown.bins[self._places.index(self._cursor)]
        share = percent(one.value)
        if one.low is not None and one.high is not None:
            share += f" ({percent(one.low).removesuffix(' %')}–{percent(one.high)})"
        return Entry(shown.x_title, self.tr("{} to {}").format(tick(one.start), tick(one.end))), Entry(
            shown.y_title, share, "accent"
        )

    def _everything(self) -> QRectF:
        bins = self._histogram.bins if self._histogram is not None else ()
        left, right = bins[0].start, bins[-1].end
        top = max(max(one.value, one.high or 0.0) for one in bins) or 1.0
        across, up = (right - left) * _ROOM, top * _ROOM
        return QRectF(left - across, 0.0, right - left + 2 * across, top + up)

    def _draw_items(self, item: Any) -> None:
        import pyqtgraph as pg

        bins = self._histogram.bins if self._histogram is not None else ()
        widths = [_FILL * (one.end - one.start) for one in bins]
        heights = [one.value for one in bins]
        brush = self._theme.mixed("accent", 0.7)
        item.addItem(pg.BarGraphItem(x=self._places, height=heights, width=widths, brush=brush, pen=None))
        known = [(_middle(one), one.low, one.high) for one in bins if one.low is not None and one.high is not None]
        for x, low, high in known:
            item.addItem(pg.PlotCurveItem([x, x], [low, high], pen=pg.mkPen(self._theme.color("text"), width=1.4)))

    def _show_place(self) -> None:
        self._legend.set_entries(self._entries())


def _middle(one: Bin) -> float:
    return (one.start + one.end) / 2
