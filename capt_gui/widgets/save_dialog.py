"""The native question where a file, or a new folder, should be saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget


def ask_where_to_save(parent: QWidget, title: str, start: Path, kind: str) -> str:
    """The chosen file, empty when none was; `kind` is what the dialog calls such files, its ending that of `start`.

    The dialog itself adds the ending, so that it asks before an old file is replaced.
    """
    dialog = QFileDialog(parent, title, str(start.parent), f"{kind} (*{start.suffix})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(start.suffix)
    dialog.selectFile(start.name)
    chosen = dialog.selectedFiles()[0] if dialog.exec() else ""
    dialog.deleteLater()
    return chosen


def ask_for_new_folder(parent: QWidget, title: str, start: Path) -> str:
    """The path of a folder that is to be made, empty when none was chosen."""
    dialog = QFileDialog(parent, title, str(start.parent))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.selectFile(start.name)
    chosen = dialog.selectedFiles()[0] if dialog.exec() else ""
    dialog.deleteLater()
    return chosen
