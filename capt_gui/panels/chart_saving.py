"""Save this chart…: the one way in which every chart of the window becomes a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from capt_engine.records import Chart
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.chart_tools import ChartTools
from capt_gui.widgets.save_dialog import ask_where_to_save


class ChartSaving(QObject):
    """Puts the tools into the corner of a chart, asks where, and has its record written.

    record: the chart as values, asked for when it is saved; None while there is nothing to save.
    """

    def __init__(
        self,
        desk: Desk,
        chart: QWidget,
        record: Callable[[], Chart | None],
        corner: Qt.Corner = Qt.Corner.TopRightCorner,
    ) -> None:
        super().__init__(chart)
        self._desk = desk
        self._chart = chart
        self._record = record
        # a test answers in the dialog's place
        self.ask = ask_where_to_save
        self.tools = ChartTools(desk.theme, chart, corner)
        self.tools.save_clicked.connect(self.on_save)

    def on_save(self) -> None:
        """Ask the user for a file name, and have the chart as it is now written there as SVG, PNG or CSV.

        Nothing happens while there is no chart to save, or when the user chooses no file.
        """
        record = self._record()
        if record is None:
            return
        folder = Path(self._desk.settings.last_folder or Path.home())
        kinds = {".svg": self.tr("Drawing"), ".png": self.tr("Picture"), ".csv": self.tr("Values")}
        out = self.ask(self._chart.window(), self.tr("Save this chart"), folder / _file_name(record.caption), kinds)
        if out:
            self._desk.settings.last_folder = str(Path(out).parent)
            self._desk.chart_file.save(record, out)


def _file_name(caption: str) -> str:
    """A name for the file that says what the chart shows."""
    words = re.sub(r"[^\w]+", "-", caption).strip("-").lower()
    return f"{words[:60] or 'chart'}.svg"
