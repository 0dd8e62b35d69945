"""The progress of a scan, shown while the pictures are looked through."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.view_models.picture_list import PictureList, Tile
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader
from capt_gui.widgets.columns import centred
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill
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
        self._counts = text(role="muted")
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
        line = fill(QHBoxLayout(), (self._counts, 1), self.cancel, spacing=16)
        promise = text(self.tr("Your files are only read, never changed."), "caption")
        body = QWidget()
        parts = (self._title, line, self._bar, 8, (self._grid, 1), promise)
        fill(QVBoxLayout(body), *parts, spacing=12, margins=(24, 32, 24, 24))
        fill(QHBoxLayout(self), centred(body, _WIDTH, 100))

    def begin(self) -> None:
        """Empty the bar, the text and the pictures of the last scan, because a new scan of labelled pictures begins."""
        self._seen.clear()
        self._pictures.show(())
        self.set_progress(0, 0, "")

    def set_progress(self, done: int, total: int, about: str) -> None:
        """Show in bar and text that `done` of `total` pictures have been read, followed by the words of `about`.

        total: 0 while it is not known; the bar then only shows that work goes on.
        """
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        counted = self.tr("{:,} of {:,} pictures").format(done, total) if total else ""
        shown = " · ".join(part for part in (counted, about) if part)
        self._counts.setText(shown)
        self._bar.setAccessibleDescription(shown)

    def on_arrived(self, paths: list[str]) -> None:
        """Show the pictures at `paths`, whose thumbnails have just been loaded, until 60 pictures are on the screen.

        Nothing happens while this widget is hidden.
        """
        if self.isVisible() and len(self._seen) < _SHOWN:
            self._seen |= dict.fromkeys(paths)
            self._pictures.show([Tile(path) for path in list(self._seen)[:_SHOWN]])
