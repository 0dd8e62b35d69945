"""The native question where a file, or a new folder, should be saved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from capt_gui.widgets.dialogs import answer_of


class SaveDialog(QFileDialog):
    """Asks for a file of one of several kinds; another kind changes the ending of the name.

    The dialog itself adds the ending, so that it asks before an old file is replaced.
    """

    def __init__(self, parent: QWidget, title: str, start: Path, kinds: Mapping[str, str]) -> None:
        """kinds: the endings that the file may have, each with a word for such files."""
        super().__init__(parent, title, str(start.parent))
        self._endings = {f"{kind} (*{ending})": ending for ending, kind in kinds.items()}
        self.setNameFilters(list(self._endings))
        self.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.setDefaultSuffix(start.suffix)
        self.selectFile(start.name)
        self.filterSelected.connect(self.on_filter_selected)

    def on_filter_selected(self, name: str) -> None:
        """Give the file name in the dialog the ending of the kind of file whose filter, `name`, was selected."""
        self.setDefaultSuffix(self._endings[name])
        for path in self.selectedFiles()[:1]:
            self.selectFile(Path(path).with_suffix(self._endings[name]).name)


def ask_where_to_save(parent: QWidget, title: str, start: Path, kinds: Mapping[str, str]) -> str:
    """Ask in a dialog over `parent` for a file to save, and return its path, "" when none was chosen; nothing is written.

    start: the folder and file name proposed. kinds: the endings that the file may have, such as ".pdf", each with a
    word for such files. The dialog asks before an old file is chosen.
    """
    return _answer(SaveDialog(parent, title, start, kinds))


def ask_for_new_folder(parent: QWidget, title: str, start: Path) -> str:
    """Ask in a dialog over `parent` for a folder that is to be made, and return its path, "" when none was chosen.

    The folder is not made here. start: the path proposed.
    """
    dialog = QFileDialog(parent, title, str(start.parent))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.selectFile(start.name)
    return _answer(dialog)


def _answer(dialog: QFileDialog) -> str:
    return dialog.selectedFiles()[0] if answer_of(dialog) else ""
