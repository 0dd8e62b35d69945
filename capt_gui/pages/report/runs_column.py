"""The left column: the kept runs, pinned ones first, then the newest; what can be done with them, and what they take on the disk."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from capt_engine.formatting import size
from capt_engine.records import KeptRun
from capt_gui.pages.report.notes_dialog import ask_for_notes
from capt_gui.panels.trash_menu import TrashMenu
from capt_gui.theme import Theme
from capt_gui.translate import counted
from capt_gui.view_models.report.reports_model import ReportsModel
from capt_gui.view_models.runs_model import caption, matches, title
from capt_gui.widgets.actions import make_action
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
from capt_gui.widgets.run_list import RunEntry, RunList


class RunsColumn(QWidget):
    """Column with the kept runs, a search field, and buttons.

    folder_clicked: the folder of the chosen run is wanted. resume_clicked(KeptRun): a stopped run is to go on.
    """

    folder_clicked = Signal()
    resume_clicked = Signal(object)

    def __init__(self, theme: Theme, reports: ReportsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports = reports
        # a test answers in the dialog's place
        self.ask = ask_for_notes
        self.search = QLineEdit(placeholderText=self.tr("Search: name, note, day…"), clearButtonEnabled=True)
        self.search.setAccessibleName(self.tr("Search kept runs"))
        self.list = RunList(theme)
        self._hint = text(role="caption")
        self._size = text(role="caption")
        again = IconButton(theme, "restore", self.tr("Look again (F5)"), "text_muted")
        self._folder = IconButton(theme, "folder", self.tr("Open the folder of the chosen run"), "text_muted")
        self.resume = self._action(self.tr("&Resume"), self.on_resume)
        self.rename = self._action(self.tr("&Name and note…"), self.on_rename, "F2")
        self.pin = self._action(self.tr("&Pin at the top"), self.on_pin)
        self.delete = self._action(self.tr("&Delete"), self.on_delete, "Del")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        buttons = [
            self._button(theme, icon, tip, action)
            for icon, tip, action in (
                ("run", self.tr("Resume the chosen run, which was stopped"), self.resume),
                ("edit", self.tr("Name and note of the chosen run (F2)"), self.rename),
                ("pin", self.tr("Pin the chosen runs at the top, or unpin them"), self.pin),
                ("trash", self.tr("Move the chosen runs to the trash (Del)"), self.delete),
            )
        ]
        self.trash = TrashMenu(theme, reports.runs)
        heading = text(self.tr("Kept runs"), "heading", wrap=False)
        heading.setBuddy(self.list)
        for button in (again, self._folder):
            button.setIconSize(QSize(18, 18))
        head = fill(QHBoxLayout(), heading, (None, 1), again, self._folder, spacing=2)
        foot = fill(QHBoxLayout(), *buttons, (None, 1), self.trash, spacing=2)
        parts = (head, self.search, (self.list, 1), foot, self._size, self._hint)
        fill(QVBoxLayout(self), *parts, margins=(12, 12, 4, 8))
        self.list.chosen.connect(reports.choose)
        self.search.textChanged.connect(self.on_changed)
        again.clicked.connect(reports.runs.refresh)
        self._folder.clicked.connect(self.folder_clicked)
        reports.runs.changed.connect(self.on_changed)
        reports.selected.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the kept runs that the search finds, mark those chosen for the report, and say what they take on the disk."""
        runs, chosen = self._reports.runs.runs, self._reports.chosen
        words = self.search.text()
        found = [run for run in runs if matches(run, words)]
        entries = [
            RunEntry(run.folder, title(run), caption(run), not run.ended, run.notes.pinned, _tip(run)) for run in found
        ]
        self.list.set_entries(entries, chosen)
        self._folder.setEnabled(len(chosen) == 1)
        self.rename.setEnabled(len(chosen) == 1)
        self.pin.setEnabled(bool(chosen))
        picked = self._reports.chosen_runs
        self.resume.setEnabled(len(picked) == 1 and picked[0].request is not None)
        self.pin.setText(self.tr("Un&pin") if picked and all(run.notes.pinned for run in picked) else self._pin_text())
        self.delete.setEnabled(any(not run.notes.pinned and not run.is_written for run in picked))
        n = counted(len(runs), "1 run", "{} runs")
        if words.strip():
            n = self.tr("{} of {}").format(len(found), n)
        self._size.setText(self._reports.size_text(n))
        if len(chosen) > 1:
            self._hint.setText(self.tr("{} runs are laid side by side.").format(len(chosen)))
        else:
            self._hint.setText(self.tr("Hold Ctrl to choose several: they are compared."))
        self._hint.setVisible(len(runs) > 1)

    def on_resume(self) -> None:
        """Emit `resume_clicked` with the chosen run; do nothing unless it is one that was stopped."""
        picked = self._reports.chosen_runs
        if len(picked) == 1 and picked[0].request is not None:
            self.resume_clicked.emit(picked[0])

    def on_rename(self) -> None:
        """Ask for the name and the note of the chosen run, and store them; do nothing unless exactly one run is chosen."""
        picked = self._reports.chosen_runs
        if len(picked) == 1 and (notes := self.ask(self.window(), picked[0])) is not None:
            self._reports.runs.write_notes(picked[0].folder, notes)

    def on_pin(self) -> None:
        """Pin the chosen runs, so that they stay at the top and are not deleted; unpin them where all are pinned already."""
        picked = self._reports.chosen_runs
        pinned = not all(run.notes.pinned for run in picked)
        self._reports.runs.pin([run.folder for run in picked], pinned=pinned)

    def on_delete(self) -> None:
        """Move the chosen runs to the trash; pinned ones, and one that goes on, stay."""
        self._reports.runs.delete(self._reports.chosen)

    def _pin_text(self) -> str:
        return self.tr("&Pin at the top")

    def _action(self, words: str, slot: object, *keys: str) -> QAction:
        """An action of the list: in its context menu, and by its keys while the list has the focus."""
        action = make_action(self, words, slot, *keys)
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.list.addAction(action)
        return action

    def _button(self, theme: Theme, icon: str, tip: str, action: QAction) -> IconButton:
        button = IconButton(theme, icon, tip, "text_muted")
        button.setIconSize(QSize(18, 18))
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        return button


def _tip(run: KeptRun) -> str:
    """Return the lines of a run's tooltip: what it is, its note, what it takes on the disk."""
    lines = (title(run), run.title, caption(run), run.notes.note, size(run.n_bytes))
    return "\n".join(dict.fromkeys(line for line in lines if line))
