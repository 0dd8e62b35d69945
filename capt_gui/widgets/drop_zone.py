"""The empty state of Explore: drop pictures here, or choose some."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.drop_area import DropArea, local_paths

__all__ = ["DropZone", "local_paths"]


class DropZone(DropArea):
    """A friendly empty state with the ways in."""

    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    samples_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        title = _tr("Drop pictures or a folder")
        line = _tr("See what the model answers before and after an attack. Pictures never leave this computer.")
        super().__init__(theme, "pictures", title, line, _tr("JPEG · PNG · WebP · BMP · GIF · TIFF"), parent)
        self.setMinimumSize(420, 300)
        self._files = self.add_button(
            "picture", _tr("Open pictures…"), _tr("Choose picture files from a dialog"), primary=True
        )
        self._folder = self.add_button(
            "folder", _tr("Open folder…"), _tr("Choose a folder; the folders in it count too")
        )
        self._samples = self.add_button(
            "samples", _tr("Try the samples"), _tr("Eight pictures that come with the application")
        )
        self._files.clicked.connect(self.open_files_clicked)
        self._folder.clicked.connect(self.open_folder_clicked)
        self._samples.clicked.connect(self.samples_clicked)


def _tr(words: str) -> str:
    return QCoreApplication.translate("DropZone", words)
