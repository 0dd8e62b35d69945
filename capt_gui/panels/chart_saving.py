"""Save this chart…: the one way in which every chart of the window becomes a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from capt_engine.records import Chart
from capt_gui.translate import tr
from capt_gui.view_models.chart_file import file_stem
from capt_gui.view_models.desk import Desk
from capt_gui.widgets.actions import make_action
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
        self.tools.copy_clicked.connect(self.on_copy)
        self.tools.values_clicked.connect(self.on_copy_values)

    def shown(self) -> Chart | None:
        """Return the chart as it is now; None where it is not in sight or there is nothing to save."""
        return self._record() if self._chart.isVisible() else None

    def on_save(self) -> None:
        """Ask the user for a file name, and have the chart as it is now written there as SVG, PNG or CSV.

        Nothing happens while there is no chart to save, or when the user chooses no file.
        """
        record = self._record()
        if record is None:
            return
        folder = Path(self._desk.settings.last_folder or Path.home())
        kinds = _kinds()
        out = self.ask(
            self._chart.window(), self.tr("Save this chart"), folder / f"{file_stem(record.caption)}.svg", kinds
        )
        if out:
            self._desk.settings.last_folder = str(Path(out).parent)
            self._desk.chart_file.save(record, out)

    def on_copy(self) -> None:
        """Put the chart as it is now on the clipboard, as a picture."""
        if (record := self._record()) is not None:
            self._desk.chart_file.copy(record, "png")

    def on_copy_values(self) -> None:
        """Put the values of the chart as it is now on the clipboard, for a spreadsheet."""
        if (record := self._record()) is not None:
            self._desk.chart_file.copy(record, "csv")


class AllCharts(QObject):
    """Save all charts…: an action for the File menu of a page that has charts."""

    def __init__(self, page: QWidget, desk: Desk) -> None:
        super().__init__(page)
        self._page = page
        self._desk = desk
        # a test answers in the dialog's place
        self.ask = ask_where_to_save
        self.action = make_action(page, self.tr("Save all c&harts…"), self.on_save)

    def on_save(self) -> None:
        """Ask for a name, and have every chart in sight written beside it under that name and its own caption."""
        charts = [record for one in self._page.findChildren(ChartSaving) if (record := one.shown()) is not None]
        if not charts:
            self._desk.chart_file.failed.emit(self.tr("There is no chart to save on this page yet."))
            return
        folder = Path(self._desk.settings.last_folder or Path.home())
        title = self.tr("Save all charts of this page: their names begin with")
        out = self.ask(self._page.window(), title, folder / "charts.svg", _kinds())
        if out:
            self._desk.settings.last_folder = str(Path(out).parent)
            self._desk.chart_file.save_all(charts, Path(out))


def _kinds() -> dict[str, str]:
    return {".svg": tr("Drawing"), ".png": tr("Picture"), ".csv": tr("Values")}
