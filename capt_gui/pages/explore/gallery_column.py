"""The left column: all pictures, a filter, how far they are, and more ways in."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from capt_gui.roles import GalleryRole
from capt_gui.theme import Theme
from capt_gui.view_models.explore.changes import ExploreChanges
from capt_gui.view_models.explore.gallery_model import GalleryModel
from capt_gui.widgets.buttons import IconButton
from capt_gui.widgets.gallery_view import GalleryView
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class GalleryFilter(QSortFilterProxyModel):
    """Keeps the rows whose name, caption or state contains every word of the filter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()

    def set_text(self, words: str) -> None:
        """Show only pictures whose name, caption or state contains each word of the text `words`; case does not matter."""
        self._words = tuple(words.lower().split())
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        """Return True if `row` below `parent` has every word of the filter in its name, caption or state; Qt calls this."""
        if not self._words:
            return True
        index = self.sourceModel().index(row, 0, parent)
        written = " ".join(
            str(index.data(role)) for role in (GalleryRole.NAME, GalleryRole.CAPTION, GalleryRole.STATE)
        ).lower()
        return all(word in written for word in self._words)


class GalleryColumn(QWidget):
    """Column with a filter field, the cards of the pictures, their count, and buttons to add and clear."""

    current_changed = Signal(str)
    open_files_clicked = Signal()
    open_folder_clicked = Signal()
    clear_clicked = Signal()

    def __init__(
        self, theme: Theme, gallery: GalleryModel, changes: ExploreChanges, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gallery = gallery
        self.filter_list = GalleryFilter(self)
        self.filter_list.setSourceModel(gallery)
        self.search = QLineEdit(placeholderText="Filter: name, class, changed…", clearButtonEnabled=True)
        self.search.setAccessibleName("Filter pictures")
        self.search.textChanged.connect(self.filter_list.set_text)
        self.view = GalleryView(theme)
        self.view.setAccessibleName("Pictures")
        self.view.setModel(self.filter_list)
        self.view.current_changed.connect(self.current_changed)
        self.view.remove_requested.connect(changes.remove)
        self.count_label = text(role="caption", wrap=False)
        line = fill(
            QHBoxLayout(),
            self._button("picture", "Open pictures (Ctrl+I)", self.open_files_clicked),
            self._button("folder", "Open a folder (Ctrl+Shift+I)", self.open_folder_clicked),
            (None, 1),
            self._button("trash", "Clear the gallery", self.clear_clicked),
            spacing=2,
        )
        fill(QVBoxLayout(self), self.search, (self.view, 1), self.count_label, line, margins=(12, 12, 4, 8))
        gallery.counts_changed.connect(self.on_counts_changed)

    def on_counts_changed(self) -> None:
        """Show how many pictures the gallery holds, and how many of them are in each state."""
        self.count_label.setText(self._gallery.count_text())

    def _button(self, icon: str, words: str, clicked: SignalInstance) -> IconButton:
        button = IconButton(self._theme, icon, words, "text_muted")
        button.setAutoRaise(True)
        button.setAccessibleName(words.split(" (")[0])
        button.clicked.connect(clicked)
        return button
