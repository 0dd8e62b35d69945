"""Charts on their way to files, or to the clipboard."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QTemporaryDir, Signal
from PySide6.QtGui import QGuiApplication, QImage

from capt_engine.records import CHART_FORMATS, Chart, ChartSaved, Failure, SaveChartRequest
from capt_gui.bridge import Bridge


class ChartFile(QObject):
    """`saved(text)` once a chart is written or copied, `failed(text)` when it could not be."""

    saved = Signal(str)
    failed = Signal(str)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._left = 0
        self._scratch: QTemporaryDir | None = None
        bridge.closing.connect(self._on_closing)

    def save(self, chart: Chart, path: str) -> None:
        """Have the engine write a chart to the file at `path`, as SVG, PNG or CSV by its ending, else as SVG.

        The signal `saved` or `failed` brings the outcome.
        """
        kind = Path(path).suffix.lower().removeprefix(".")
        job = self._bridge.run(SaveChartRequest(chart, path, kind if kind in CHART_FORMATS else CHART_FORMATS[0]))
        job.finished.connect(self._on_saved)
        job.failed.connect(self._on_failed)

    def save_all(self, charts: Sequence[Chart], start: Path) -> None:
        """Have the engine write charts beside each other, in files named after `start` and the captions; none is replaced.

        The signal `saved` or `failed` brings the outcome once all are there. start: a path with the ending of the kind.
        """
        taken: set[Path] = set()
        self._left = len(charts)
        for chart in charts:
            path, number = start.with_stem(f"{start.stem}-{file_stem(chart.caption)}"), 2
            plain = path
            while path in taken or path.exists():
                path, number = plain.with_stem(f"{plain.stem}-{number}"), number + 1
            taken.add(path)
            job = self._bridge.run(SaveChartRequest(chart, str(path), start.suffix.lower().removeprefix(".")))
            job.finished.connect(partial(self._on_one_saved, len(charts)))
            job.failed.connect(self._on_failed)

    def copy(self, chart: Chart, kind: str) -> None:
        """Put a chart on the clipboard: as a picture for the kind "png", its values with tabs between them for "csv"."""
        if self._scratch is None:
            self._scratch = QTemporaryDir()
        path = Path(self._scratch.path()) / f"chart.{kind}"
        job = self._bridge.run(SaveChartRequest(chart, str(path), kind))
        job.finished.connect(self._on_to_copy)
        job.failed.connect(self._on_failed)

    def _on_one_saved(self, total: int, saved: ChartSaved) -> None:
        self._left -= 1
        if not self._left:
            folder = str(Path(saved.path).parent)
            self.saved.emit(self.tr("Saved {} charts in {}").format(total, folder) if total > 1 else saved.path)

    def _on_to_copy(self, saved: ChartSaved) -> None:
        """Read what the engine has just written, and put it on the clipboard."""
        data, path = QMimeData(), Path(saved.path)
        if path.suffix == ".csv":
            rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
            data.setText("\n".join("\t".join(row) for row in rows) + "\n")
        else:
            content = path.read_bytes()
            data.setData("image/png", content)
            data.setImageData(QImage.fromData(content))
        QGuiApplication.clipboard().setMimeData(data)
        self.saved.emit(self.tr("The chart is on the clipboard."))

    def _on_closing(self) -> None:
        if self._scratch is not None:
            self._scratch.remove()

    def _on_saved(self, saved: ChartSaved) -> None:
        self.saved.emit(self.tr("Saved {}").format(saved.path))

    def _on_failed(self, failure: Failure) -> None:
        self.failed.emit(f"{failure.message} {failure.hint}".rstrip())


def file_stem(caption: str) -> str:
    """Return a name for a file, without its ending, that says what a chart with this caption shows."""
    words = re.sub(r"[^\w]+", "-", caption).strip("-").lower()
    return words[:60] or "chart"
