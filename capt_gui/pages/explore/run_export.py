"""Out of the last run: its results as a table, and the way to its report."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from capt_engine.records import ReportRequest, ReportResult
from capt_gui.view_models.desk import Desk
from capt_gui.view_models.navigation import REPORT
from capt_gui.view_models.runs_model import short
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.save_dialog import ask_where_to_save


class RunExport(QObject):
    """Actions for the last kept run: its report, and its table as CSV, after which `saved(message, folder)` is emitted."""

    saved = Signal(str, str)

    def __init__(self, window: QWidget, desk: Desk) -> None:
        super().__init__(window)
        self._window = window
        self._desk = desk
        self._folder = Path()
        # a test answers in the dialog's place
        self.ask = ask_where_to_save
        self.report = make_action(window, self.tr("R&eport of this run…"), self.on_report, "Ctrl+Shift+E")
        self.table = make_action(window, self.tr("Save results as CS&V…"), self.on_save_table)
        keep = desk.settings.keep_runs
        self.keep = make_action(window, self.tr("&Keep runs for reports"), self.on_keep_toggled, checked=keep)
        desk.store.last_changed.connect(self.on_last_changed)
        desk.results_file.changed.connect(self.on_last_changed)
        desk.results_file.done.connect(self.on_written)
        desk.preferences.changed.connect(self.on_preference_changed)
        self.on_last_changed()

    def on_last_changed(self) -> None:
        """Enable the actions for report and table once a run is kept on disk; that for the table rests while one is written."""
        there = bool(self._desk.store.last)
        self.report.setEnabled(there)
        self.table.setEnabled(there and not self._desk.results_file.is_running)

    def on_report(self) -> None:
        """Show the Report page with the last kept run chosen."""
        self._desk.reports.show_run(self._desk.store.last)
        self._desk.navigation.go(REPORT)

    def on_save_table(self) -> None:
        """Ask for a CSV file and have the results of the last kept run written there; do nothing when the dialog is cancelled."""
        run = self._desk.store.last
        start = Path(self._desk.settings.last_folder or Path.home()) / f"results-{short(run)}.csv"
        out = self.ask(self._window, self.tr("Save the results"), start, {start.suffix: self.tr("Table")})
        if out:
            self._desk.settings.last_folder = str(Path(out).parent)
            settings = self._desk.settings
            classes = settings.report_redact and settings.report_redact_classes
            self._desk.results_file.start(
                ReportRequest((run,), out, redact=settings.report_redact, redact_classes=classes)
            )

    def on_written(self, result: ReportResult) -> None:
        """Emit `saved` with a sentence that names the written file of `result`, and with its folder."""
        self._folder = Path(result.out).parent
        self.saved.emit(self.tr("Saved {}").format(short(result.out)), str(self._folder))

    def on_keep_toggled(self, checked: bool) -> None:
        """Store in the settings that new runs are kept on disk for reports (`checked`), or not; runs kept before stay."""
        self._desk.preferences.set("keep_runs", checked)

    def on_preference_changed(self, name: str) -> None:
        """Check the action of the Run menu, or not, where the setting `name` is the one that it stands for."""
        if name == "keep_runs":
            self.keep.setChecked(self._desk.settings.keep_runs)

    def show_folder(self) -> None:
        """Open the folder of the table that was saved last in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
