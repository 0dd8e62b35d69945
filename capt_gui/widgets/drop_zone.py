"""The empty state: drop pictures here, or choose some."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


def local_paths(mime: QMimeData) -> list[str]:
    """The local files and folders a drop or paste carries, in order."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


class DropZone(QWidget):
    """A friendly empty state with the three ways in."""

    paths_dropped = Signal(list)
    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    samples_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
