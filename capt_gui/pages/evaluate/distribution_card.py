"""The spread of a measurement over the attacked pictures of a run."""

from __future__ import annotations

import statistics

from PySide6.QtWidgets import QHBoxLayout

from capt_engine.formatting import number
from capt_engine.records import NO_PROMPTS, MetricInfo
from capt_gui.pages.evaluate.result_cards import ResultCard
from capt_gui.theme import Theme
from capt_gui.view_models.distributions import metric_histogram
from capt_gui.view_models.evaluate.run import EvaluateRun
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.widgets.histogram_chart import HistogramChart
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.picker import Picker
from capt_gui.widgets.segments import Segments

_FIRST = "alpha"


class DistributionCard(ResultCard):
    """A histogram of one metric, which the user picks, for the prompts of A or of B."""

    def __init__(self, theme: Theme, model: ModelChoice) -> None:
        super().__init__()
        self._model = model
        self._run: EvaluateRun | None = None
        self.measure = Picker(self.tr("Measurement"))
        self.side = Segments(theme, self.tr("Side"), [("a", "A", ""), ("b", "B", "")])
        self.side.set_choice("a")
        empty = self.tr("How a measurement is spread over the pictures appears here.")
        self.chart = HistogramChart(theme, self.tr("Share of the pictures by value"), empty)
        self.chart.setMinimumHeight(220)
        self.about = text(role="caption")
        self.side.setMaximumWidth(120)
        row = fill(QHBoxLayout(), self.side, (self.measure, 1), spacing=10)
        self.lay_out(self.tr("Measurements, picture by picture"), row, self.chart, self.about)
        self.measure.picked.connect(self.on_picked)
        self.side.picked.connect(self.on_picked)

    def show_run(self, run: EvaluateRun) -> bool:
        """Show how one metric of `run` is spread over its pictures; return False where it has none, as nothing was attacked."""
        self._run = run
        self.side.setVisible(len(run.sides) > 1)
        self.on_picked()
        return self.chart.record() is not None

    def on_picked(self) -> None:
        """Draw the histogram of the picked metric for the picked variant (a model with its prompts), A or B."""
        infos = {info.name: info for info in self._measured()}
        chosen = str(self.measure.currentData() or _FIRST)
        chosen = chosen if chosen in infos else next(iter(infos), "")
        self.measure.set_entries([(info.label, info.name, info.help) for info in infos.values()], chosen)
        if self._run is None or not infos:
            self.chart.set_histogram(None)
            return
        info, values = infos[chosen], self._run.tally.metric_values(self._shown_side(), chosen)
        pictures = (self.tr("pictures"), f"{len(values):,}")
        middle = (self.tr("median"), number(statistics.median(values)))
        summary = (pictures, middle, (self.tr("mean"), number(statistics.fmean(values))))
        self.chart.set_histogram(metric_histogram(info, values), summary)
        self.about.setText(info.help)

    def _measured(self) -> list[MetricInfo]:
        """Return the metrics with a value; α of plain text is one half by definition, and no measurement."""
        catalogue, run, side = self._model.catalogue, self._run, self._shown_side()
        if catalogue is None or run is None:
            return []
        return [
            info
            for info in catalogue.metrics
            if run.tally.metric_values(side, info.name) and not (info.name == "alpha" and side == NO_PROMPTS)
        ]

    def _shown_side(self) -> str:
        sides = self._run.sides if self._run is not None else ("",)
        return sides[1 if self.side.choice() == "b" and len(sides) > 1 else 0]
