"""The trash of kept runs in the Preferences dialog: what it holds, what empties it by itself, and two ways to empty it at once."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_engine.formatting import size
from capt_gui.panels.trash_menu import TrashMenu
from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.translate import counted
from capt_gui.view_models.preferences.model import Preferences
from capt_gui.view_models.runs_model import RunsModel
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class TrashBox(QWidget):
    """Says how many deleted runs there are and when they go; one button shows them, the other removes them after a question."""

    def __init__(self, theme: Theme, runs: RunsModel, model: Preferences) -> None:
        super().__init__()
        self._runs, self._model = runs, model
        self._title = self.tr("Trash")
        self._help = text(role="caption")
        self.held = text(role="muted")
        self.menu = TrashMenu(theme, runs)
        self.empty = QPushButton(self.tr("Empty…"))
        self.empty.setAccessibleName(self.tr("Empty the trash"))
        set_tooltip(self.empty, self.tr("Removes the deleted runs for good, after a question."))
        buttons = fill(QHBoxLayout(), self.empty, self.menu, (None, 1), spacing=8)
        heading = text(self._title, wrap=False)
        fill(QVBoxLayout(self), heading, self._help, self.held, buttons, spacing=4, margins=(0, 6, 0, 6))
        self.empty.clicked.connect(self.menu.on_empty)
        runs.changed.connect(self.on_changed)
        model.changed.connect(self.on_changed)
        runs.refresh()
        self.on_changed()

    def fits(self, words: str) -> bool:
        """Return True if every one of `words` stands in what the box says."""
        said = " ".join((self._title, self._help.text())).casefold()
        return all(word in said for word in words.casefold().split())

    def on_changed(self) -> None:
        """Show what the trash holds, and what empties it by itself as the settings are now."""
        days, n_bytes = self._model.settings.trash_days, self._model.settings.trash_budget_gb * 1e9
        self._help.setText(
            self.tr(
                "Deleted runs go for good after {} days, where the trash holds more than {}, or where the disk is nearly full; the "
                "oldest first. Until then they can be put back."
            ).format(days, size(round(n_bytes)))
        )
        trash = self._runs.trash
        held = self.tr("Looking…")
        if trash:
            total = size(sum(run.n_bytes for run in trash))
            held = counted(len(trash), "1 deleted run, {1}.", "{0} deleted runs, {1}.", total)
        elif self._runs.is_known:
            held = self.tr("The trash is empty.")
        self.held.setText(held)
        self.empty.setEnabled(bool(trash))
