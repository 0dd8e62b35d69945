"""The name and the note of a kept run, written in a dialog."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from capt_engine.records import KeptRun, RunNotes
from capt_gui.plain_text import plain_label
from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class NotesDialog(QDialog):
    """Dialog with the name and the note of one kept run."""

    def __init__(self, run: KeptRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notes = run.notes
        self.setWindowTitle(self.tr("Name and note of a run"))
        self.name = QLineEdit(run.notes.name, placeholderText=run.title, maxLength=200)
        self.name.setAccessibleName(self.tr("Name"))
        self.note = QPlainTextEdit(run.notes.note)
        self.note.setPlaceholderText(self.tr("Why it was made, what came out"))
        self.note.setAccessibleName(self.tr("Note"))
        self.note.setTabChangesFocus(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        parts: list[QWidget] = [text(run.title, "caption")]
        for words, editor in ((self.tr("&Name"), self.name), (self.tr("N&ote"), self.note)):
            label = plain_label(words)
            label.setBuddy(editor)
            parts += [label, editor]
        fill(QVBoxLayout(self), *parts, buttons, spacing=8, margins=(16, 16, 16, 12))
        self.resize(420, 300)

    def notes(self) -> RunNotes:
        """Return the name and the note as they are written now; the pin stays as it was."""
        return replace(self._notes, name=self.name.text().strip(), note=self.note.toPlainText().strip())


def ask_for_notes(parent: QWidget, run: KeptRun) -> RunNotes | None:
    """Ask for the name and the note of `run` in a dialog over `parent`; return them, None where the user cancels."""
    dialog = NotesDialog(run, parent)
    return dialog.notes() if answer_of(dialog) == QDialog.DialogCode.Accepted else None
