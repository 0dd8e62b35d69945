"""Asks for one word or name, with those that are known to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill

_WIDTH = 380


class WordDialog(QDialog):
    """A field that completes what is typed; OK is possible as soon as something stands there, or at once where nothing is an answer."""

    def __init__(
        self, parent: QWidget, title: str, name: str, known: Sequence[str], *, start: str = "", hint: str = "",
        may_be_empty: bool = False,
    ) -> None:  # fmt: skip
        """name: of the field. known: the words that are offered. start: what stands there at first. hint: a sentence below."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.field = QLineEdit(start, clearButtonEnabled=True)
        completer = QCompleter(list(known), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field.setCompleter(completer)
        self.field.setAccessibleName(name)
        self.field.setMinimumWidth(_WIDTH)
        self.field.selectAll()
        self._may_be_empty = may_be_empty
        kinds = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.field.textChanged.connect(self.on_text_changed)
        below = [text(hint, "caption")] if hint else []
        fill(QVBoxLayout(self), named(name, self.field), *below, 6, self._buttons, spacing=8, margins=18)
        self.on_text_changed()

    def on_text_changed(self) -> None:
        """Allow OK where what stands in the field is an answer."""
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(self._may_be_empty or bool(self.word()))

    def word(self) -> str:
        """Return what was typed, without spaces around it."""
        return " ".join(self.field.text().split())


def ask_for_word(
    parent: QWidget, title: str, name: str, known: Sequence[str], *, start: str = "", hint: str = "",
    may_be_empty: bool = False,
) -> str | None:  # fmt: skip
    """Ask in a dialog over `parent` for a word, and return it; None when the user cancels.

    title: of the dialog. name: of the field. known: words to choose from; others can be typed. start: what stands there
    at first. hint: a sentence below the field. may_be_empty: nothing is an answer too, and then "" is returned.
    """
    dialog = WordDialog(parent, title, name, known, start=start, hint=hint, may_be_empty=may_be_empty)
    return dialog.word() if answer_of(dialog) else None
