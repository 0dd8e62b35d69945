"""The left column: the kept runs, newest first."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.runs_model import caption
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.run_list import RunEntry, RunList


class RunsColumn(QWidget):
    """Column with the kept runs and a button to look again; emits `folder_clicked` for the folder of the chosen run."""

    folder_clicked = Signal()

    def __init__(self, theme: Theme, reports: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports = reports
        self.list = RunList(theme)
        self._hint = text(role="caption")
        again = IconButton(theme, "restore", self.tr("Look again (F5)"), "text_muted")
        self._folder = IconButton(theme, "folder", self.tr("Open the folder of the chosen run"), "text_muted")
        title = text(self.tr("Kept runs"), "heading", wrap=False)
        title.setBuddy(self.list)
        for button in (again, self._folder):
            button.setIconSize(QSize(18, 18))
        head = fill(QHBoxLayout(), title, (None, 1), again, self._folder, spacing=2)
        fill(QVBoxLayout(self), head, (self.list, 1), self._hint, margins=(12, 12, 4, 8))
        self.list.chosen.connect(reports.choose)
        again.clicked.connect(reports.runs.refresh)
        self._folder.clicked.connect(self.folder_clicked)
        reports.runs.changed.connect(self.on_changed)
        reports.selected.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the kept runs, mark those chosen for the report, and say whether several are compared."""
        runs, chosen = self._reports.runs.runs, self._reports.chosen
        entries = [RunEntry(run.folder, run.title, caption(run), muted=not run.ended) for run in runs]
        self.list.set_entries(entries, chosen)
        self._folder.setEnabled(len(chosen) == 1)
        if len(chosen) > 1:
            self._hint.setText(self.tr("{} runs are laid side by side.").format(len(chosen)))
        else:
            self._hint.setText(self.tr("Hold Ctrl to choose several: they are compared."))
        self._hint.setVisible(len(runs) > 1)
