"""The left column: the kept runs, newest first."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.runs_model import caption
from capt_gui.widgets.labels import text
from capt_gui.widgets.run_list import RunEntry, RunList


class RunsColumn(QWidget):
    """The list, with a way to look again and one to the files. `folder_clicked`: the chosen run's folder is wanted."""

    folder_clicked = Signal()

    def __init__(self, theme: Theme, reports: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._reports = reports
        self.list = RunList(theme)
        self._hint = text(role="caption")
        self._buttons = {"restore": self._button(self.tr("Look again (F5)")), "folder": self._button("")}
        self._buttons["folder"].setToolTip(self.tr("Open the folder of the chosen run"))
        self._buttons["folder"].setAccessibleName(self.tr("Open the folder of the chosen run"))
        self._lay_out()
        self.list.chosen.connect(reports.choose)
        self._buttons["restore"].clicked.connect(reports.runs.refresh)
        self._buttons["folder"].clicked.connect(self.folder_clicked)
        reports.runs.changed.connect(self.on_changed)
        reports.selected.connect(self.on_changed)
        theme.changed.connect(self.on_theme_changed)
        self.on_theme_changed()
        self.on_changed()

    def on_changed(self) -> None:
        """Show the runs, and which of them are chosen."""
        runs, chosen = self._reports.runs.runs, self._reports.chosen
        entries = [RunEntry(run.folder, run.title, caption(run), muted=not run.ended) for run in runs]
        self.list.set_entries(entries, chosen)
        self._buttons["folder"].setEnabled(len(chosen) == 1)
        if len(chosen) > 1:
            self._hint.setText(self.tr("{} runs are laid side by side.").format(len(chosen)))
        else:
            self._hint.setText(self.tr("Hold Ctrl to choose several: they are compared."))
        self._hint.setVisible(len(runs) > 1)

    def on_theme_changed(self) -> None:
        """Tint the buttons."""
        for name, button in self._buttons.items():
            button.setIcon(self._theme.icon(name, "text_muted"))

    def _button(self, words: str) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setToolTip(words)
        button.setAccessibleName(words)
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 4, 8)
        layout.setSpacing(8)
        title = text(self.tr("Kept runs"), "heading", wrap=False)
        title.setBuddy(self.list)
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(title)
        line.addStretch(1)
        for button in self._buttons.values():
            line.addWidget(button)
        layout.addLayout(line)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._hint)
        order = (*self._buttons.values(), self.list)
        for before, after in itertools.pairwise(order):
            QWidget.setTabOrder(before, after)
