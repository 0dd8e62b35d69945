"""Some pictures as tiles: what is said below each, and its small view once somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from capt_gui.plain_text import plain
from capt_gui.roles import PictureRole
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Tile:
    """One picture: a short caption, the role that colours its mark, and the longer words of the tooltip."""

    path: str
    caption: str = ""
    tone: str = ""
    text: str = ""
    left_out: bool = False
    broken: bool = False


class PictureList(QAbstractListModel):
    """Tiles in order; the same pictures with other captions keep the view where it is."""

    def __init__(self, thumbnails: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._tiles: tuple[Tile, ...] = ()
        self._rows: dict[str, int] = {}
        thumbnails.arrived.connect(self.on_arrived)

    def show(self, tiles: Sequence[Tile]) -> None:
        """Show these tiles (pictures with captions) instead of those before; the same pictures keep the view in place."""
        same = [tile.path for tile in tiles] == [tile.path for tile in self._tiles]
        if same:
            self._tiles = tuple(tiles)
            if tiles:
                self.dataChanged.emit(self.index(0), self.index(len(tiles) - 1))
            return
        self.beginResetModel()
        self._tiles = tuple(tiles)
        self._rows = {tile.path: row for row, tile in enumerate(tiles)}
        self.endResetModel()

    def tile(self, path: str) -> Tile | None:
        """Return the tile (picture with caption) of the picture at `path`; None when it is not in the list."""
        row = self._rows.get(path)
        return None if row is None else self._tiles[row]

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of tiles; 0 under any valid `parent`, because the list has no branches."""
        return 0 if parent.isValid() else len(self._tiles)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return file name, tooltip, caption, thumbnail or mark of the tile at `index`, as `role` asks, or None."""
        if not index.isValid():
            return None
        tile = self._tiles[index.row()]
        if role == PictureRole.THUMBNAIL:
            return None if tile.broken else self._thumbnails.get(tile.path)
        name = PurePath(tile.path).name
        answers: dict[int, object] = {
            Qt.ItemDataRole.DisplayRole: name,
            Qt.ItemDataRole.ToolTipRole: plain("\n".join(part for part in (name, tile.text) if part)),
            Qt.ItemDataRole.AccessibleTextRole: self._spoken(tile, name),
            PictureRole.PATH: tile.path,
            PictureRole.CAPTION: tile.caption,
            PictureRole.TONE: tile.tone,
            PictureRole.LEFT_OUT: tile.left_out,
            PictureRole.BROKEN: tile.broken,
        }
        return answers.get(role)

    def on_arrived(self, paths: list[str]) -> None:
        """Repaint the tiles of the pictures at `paths`, whose thumbnails have just been loaded."""
        for row in (self._rows[path] for path in paths if path in self._rows):
            self.dataChanged.emit(self.index(row), self.index(row))

    def _spoken(self, tile: Tile, name: str) -> str:
        return ", ".join(part for part in (name, tile.caption, self.tr("left out") if tile.left_out else "") if part)
