"""The list of pictures with their thumbnails and states."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.widgets.gallery_delegate import GalleryDelegate

__all__ = ["GalleryRole", "GalleryView"]


class GalleryView(QListView):
    """Thumbnail cards, one below the other; stays quick with ten thousand of them."""

    current_changed = Signal(str)
    remove_requested = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._delegate = GalleryDelegate(theme, self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(500)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMouseTracking(True)
        self.setMinimumWidth(220)
        self.verticalScrollBar().setSingleStep(24)
        self.setAccessibleName(self.tr("Pictures"))
        self.setAccessibleDescription(self.tr("Up and down choose a picture, Delete takes it off the list"))
        theme.changed.connect(self._on_theme_changed)

    def set_model(self, model: QAbstractItemModel) -> None:
        """Show the rows of a model that answers `GalleryRole`."""
        self.setModel(model)

    def current_path(self) -> str:
        """The path of the current row, empty when there is none."""
        return self._path(self.currentIndex())

    def selected_paths(self) -> list[str]:
        """The paths of the selected rows, from the top."""
        return [self._path(index) for index in sorted(self.selectedIndexes(), key=lambda index: index.row())]

    def select_path(self, path: str) -> None:
        """Make the row with this path current; nothing happens when there is none."""
        model = self.model()
        for row in range(model.rowCount() if model else 0):
            index = model.index(row, 0)
            if self._path(index) == path:
                self.setCurrentIndex(index)
                return

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Say which picture is current."""
        super().currentChanged(current, previous)
        self.current_changed.emit(self._path(current))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete and Backspace ask to take the selected pictures off the list."""
        removes = event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace
        if removes and (paths := self.selected_paths()):
            self.remove_requested.emit(paths)
            event.accept()
        else:
            super().keyPressEvent(event)

    def _on_theme_changed(self) -> None:
        self._delegate.forget_pictures()
        self.viewport().update()

    @staticmethod
    def _path(index: QModelIndex | QPersistentModelIndex) -> str:
        return str(index.data(GalleryRole.PATH) or "") if index.isValid() else ""
