"""The store of computed results in the Preferences dialog: its size now and its limit, and two ways to make room."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.view_models.preferences.stored_results import StoredResults
from capt_gui.widgets.confirmation import confirm
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class StoredBox(QWidget):
    """Says what is stored; its buttons remove what is old, or, after a question, everything."""

    def __init__(self, model: StoredResults) -> None:
        super().__init__()
        self._model = model
        # a test answers in the dialog's place
        self.ask: Callable[[QWidget, str, str, str, str], bool] = confirm
        self._title = self.tr("Stored results")
        self._help = self.tr("What was computed once is not computed again: the same question is answered from here.")
        self.held = text(role="muted")
        self.trim = QPushButton(self.tr("Remove what is old"))
        set_tooltip(self.trim, self.tr("Removes results that nothing has asked for during the last 30 days."))
        self.empty = QPushButton(self.tr("Empty…"))
        self.empty.setAccessibleName(self.tr("Empty the store of results"))
        set_tooltip(self.empty, self.tr("Removes all stored results; runs, pictures and models stay."))
        heading = text(self._title, wrap=False)
        buttons = fill(QHBoxLayout(), self.trim, self.empty, (None, 1), spacing=8)
        fill(
            QVBoxLayout(self), heading, text(self._help, "caption"), self.held, buttons, spacing=4, margins=(0, 6, 0, 6)
        )
        self.trim.clicked.connect(model.trim)
        self.empty.clicked.connect(self.on_empty)
        model.changed.connect(self.on_changed)
        model.refresh()
        self.on_changed()

    def fits(self, words: str) -> bool:
        """Return True if every one of `words` stands in what the box says."""
        said = " ".join((self._title, self._help, "cache")).casefold()
        return all(word in said for word in words.casefold().split())

    def on_changed(self) -> None:
        """Show what is stored; with nothing stored there is nothing to remove."""
        self.held.setText(self._model.text)
        facts = self._model.facts
        can = facts is not None and facts.entries > 0 and not self._model.is_running
        self.trim.setEnabled(can)
        self.empty.setEnabled(can)

    def on_empty(self) -> None:
        """Ask, and remove all results where the user wants that."""
        question = self.tr("Remove all stored results?")
        hint = self.tr(
            "{} Kept runs, pictures, models and prompts stay. What is asked again is computed anew; this cannot be undone."
        ).format(self._model.text)
        if self.ask(self.window(), self._title, question, self.tr("Remove all"), hint):
            self._model.empty()
