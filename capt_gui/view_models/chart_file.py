"""A chart on its way to a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from capt_engine.records import CHART_FORMATS, Chart, ChartSaved, Failure, SaveChartRequest
from capt_gui.bridge import Bridge


class ChartFile(QObject):
    """`saved(text)` once a chart is written, `failed(text)` when it could not be."""

    saved = Signal(str)
    failed = Signal(str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge

    def save(self, chart: Chart, path: str) -> None:
        """Have the engine write a chart to the file at `path`, as SVG, PNG or CSV by its ending, else as SVG.

        The signal `saved` or `failed` brings the outcome.
        """
        kind = Path(path).suffix.lower().removeprefix(".")
        job = self._bridge.run(SaveChartRequest(chart, path, kind if kind in CHART_FORMATS else CHART_FORMATS[0]))
        job.finished.connect(self._on_saved)
        job.failed.connect(self._on_failed)

    def _on_saved(self, saved: ChartSaved) -> None:
        self.saved.emit(self.tr("Saved {}").format(saved.path))

    def _on_failed(self, failure: Failure) -> None:
        self.failed.emit(f"{failure.message} {failure.hint}".rstrip())
