"""The progress of a scan, shown while the pictures are looked through."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.picture_list import PictureList, Tile
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.widgets.labels import text
from capt_gui.widgets.picture_grid import PictureGrid

_WIDTH = 640
_SHOWN = 60


class ScanProgress(QWidget):
    """A bar with its words, the first pictures as they come, and `cancel_clicked`."""

    cancel_clicked = Signal()

    def __init__(self, theme: Theme, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seen: dict[str, None] = {}
        self._title = text(self.tr("Looking through your pictures"), "title")
        self._words = text(role="muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._pictures = PictureList(thumbnails, self)
        self._grid = PictureGrid(theme)
        self._grid.setModel(self._pictures)
        self._grid.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._grid.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._grid.setSelectionMode(PictureGrid.SelectionMode.NoSelection)
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.setAccessibleName(self.tr("Cancel"))
        self.cancel.clicked.connect(self.cancel_clicked)
        thumbnails.arrived.connect(self.on_arrived)
        body = QWidget()
        body.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(body)
        column.setContentsMargins(24, 32, 24, 24)
        column.setSpacing(12)
        column.addWidget(self._title)
        line = QHBoxLayout()
        line.setSpacing(16)
        line.addWidget(self._words, 1)
        line.addWidget(self.cancel)
        column.addLayout(line)
        column.addWidget(self._bar)
        column.addSpacing(8)
        column.addWidget(self._grid, 1)
        column.addWidget(text(self.tr("Your files are only read, never changed."), "caption"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(body, 100)
        layout.addStretch(1)

    def begin(self) -> None:
        """A scan begins: forget the pictures of the last one."""
        self._seen.clear()
        self._pictures.show(())
        self.set_progress(0, 0, "")

    def set_progress(self, done: int, total: int, words: str) -> None:
        """Show how far it is; a total of 0 means unknown."""
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        counted = self.tr("{:,} of {:,} pictures").format(done, total) if total else ""
        shown = " · ".join(part for part in (counted, words) if part)
        self._words.setText(shown)
        self._bar.setAccessibleDescription(shown)

    def on_arrived(self, paths: list[str]) -> None:
        """Some pictures have been read."""
        if self.isVisible() and len(self._seen) < _SHOWN:
            self._seen |= dict.fromkeys(paths)
            self._pictures.show([Tile(path) for path in list(self._seen)[:_SHOWN]])
