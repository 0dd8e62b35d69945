"""The list of pictures with their thumbnails and states."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QAbstractItemModel, Qt, Signal
from PySide6.QtWidgets import QListView, QWidget

from capt_gui.theme import Theme


class GalleryRole(IntEnum):
    """What a gallery model answers for each row."""

    PATH = Qt.ItemDataRole.UserRole + 1
    NAME = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    STATE = Qt.ItemDataRole.UserRole + 4
    CAPTION = Qt.ItemDataRole.UserRole + 5
    MESSAGE = Qt.ItemDataRole.UserRole + 6


class GalleryView(QListView):
    """Thumbnail cards, one below the other."""

    current_changed = Signal(str)
    remove_requested = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_model(self, model: QAbstractItemModel) -> None:
        """Show the rows of a model that answers `GalleryRole`."""
        self.setModel(model)

    def current_path(self) -> str:
        """The path of the current row, empty when there is none."""
        return ""

    def select_path(self, path: str) -> None:
        """Make the row with this path current."""
