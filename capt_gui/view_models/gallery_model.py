"""The pictures of the gallery, their states and results; flat in memory however many there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow, PictureSet, Preview
from capt_gui.view_models import sentences
from capt_gui.view_models.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex

_PICTURE_SETS = 256
_CLASSES_KEPT = 200
_NOWHERE = QModelIndex()


class Role(IntEnum):
    """What each row answers: the numbers of the gallery view, which the model may not import (a test compares them)."""

    PATH = Qt.ItemDataRole.UserRole + 1
    NAME = Qt.ItemDataRole.UserRole + 2
    THUMBNAIL = Qt.ItemDataRole.UserRole + 3
    STATE = Qt.ItemDataRole.UserRole + 4
    CAPTION = Qt.ItemDataRole.UserRole + 5
    MESSAGE = Qt.ItemDataRole.UserRole + 6


@dataclass
class Item:
    """One picture: what is known of it and what happens to it.

    pending: "", "waiting" or "running". outcome: "", "ready", "broken" or "held". row: the result without its pictures;
    None when there is none yet, or when it was too large to keep. request: what the result was made with.
    """

    path: str
    size: str = ""
    seen: bool = False
    pending: str = ""
    outcome: str = ""
    caption: str = ""
    failure: FailedPicture | None = None
    row: PictureRow | None = None
    request: AnalyzeRequest | None = None

    @property
    def state(self) -> str:
        """One word for the card."""
        if self.failure is not None:
            return "failed"
        return self.pending or self.outcome or ("ready" if self.seen else "waiting")


class GalleryModel(QAbstractListModel):
    """Rows by path. `result_changed(path)`: what is known of one picture ("": of several); `counts_changed`: counts."""

    result_changed = Signal(str)
    counts_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[Item] = []
        self._rows: dict[str, int] = {}
        self._thumbnails = Thumbnails()
        self._pictures: OrderedDict[str, PictureSet] = OrderedDict()
        self._counts = {"done": 0, "broken": 0, "failed": 0}

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Number of pictures."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a card shows."""
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == Role.THUMBNAIL:
            return self._thumbnails.get(item.path)
        answer = _ANSWERS.get(role)
        return answer(item) if answer else None

    def item(self, path: str) -> Item | None:
        """All that is known of one picture."""
        row = self._rows.get(path)
        return None if row is None else self._items[row]

    def pictures(self, path: str) -> PictureSet | None:
        """The three big pictures of a result, None when they were never made or are no longer kept."""
        kept = self._pictures.get(path)
        if kept is not None:
            self._pictures.move_to_end(path)
        return kept

    def paths(self) -> tuple[str, ...]:
        """All pictures, in order."""
        return tuple(item.path for item in self._items)

    def usable_paths(self) -> tuple[str, ...]:
        """The pictures that can be analysed, in order."""
        return tuple(item.path for item in self._items if item.failure is None)

    def has_usable(self) -> bool:
        """Whether there is a picture that can be analysed."""
        return len(self._items) > self._counts["failed"]

    def count_text(self) -> str:
        """The count line."""
        return sentences.count_line(len(self._items), **self._counts)

    def add(self, paths: Iterable[str], failures: Iterable[FailedPicture] = ()) -> None:
        """Append the pictures that are not there yet; `failures` appear as failed cards."""
        items = [Item(path) for path in paths] + [Item(failure.path, failure=failure) for failure in failures]
        fresh = list({item.path: item for item in items if item.path not in self._rows}.values())
        if not fresh:
            return
        start = len(self._items)
        self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
        self._items += fresh
        self._rows |= {item.path: start + offset for offset, item in enumerate(fresh)}
        self._counts["failed"] += sum(item.failure is not None for item in fresh)
        self.endInsertRows()
        self.counts_changed.emit()

    def put_previews(self, previews: Iterable[Preview | FailedPicture]) -> None:
        """Take small views and refusals as they arrive."""
        for preview in previews:
            item = self.item(preview.path)
            if item is None:
                continue
            self._count(item, -1)
            if isinstance(preview, FailedPicture):
                item.failure, item.pending = preview, ""
            else:
                self._thumbnails.put(item.path, preview.thumbnail)
                item.seen, item.size = True, f"{preview.width} × {preview.height}"
            self._count(item)
            self._tell(item)

    def put_rows(self, rows: Iterable[PictureRow | FailedPicture], request: AnalyzeRequest) -> None:
        """Take results and failures as they arrive; `request` is what they were made with."""
        for row in rows:
            item = self.item(row.path)
            if item is None:
                continue
            self._count(item, -1)
            item.pending = ""
            if isinstance(row, FailedPicture):
                item.failure = row
            else:
                self._keep(item, row, request)
            self._count(item)
            self._tell(item)

    def set_pending(self, paths: Iterable[str], pending: str) -> None:
        """Mark pictures as waiting or running, or "" for neither: they then show their last outcome again."""
        rows = [self._rows[path] for path in paths if path in self._rows]
        for row in rows:
            self._items[row].pending = pending
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))
            self.result_changed.emit("")

    def remove(self, paths: Iterable[str]) -> None:
        """Take pictures out of the gallery; the files stay where they are."""
        gone = sorted((self._rows[path] for path in set(paths) if path in self._rows), reverse=True)
        for first, last in _runs(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            for item in self._items[first : last + 1]:
                self._count(item, -1)
                self._thumbnails.drop(item.path)
                self._pictures.pop(item.path, None)
            del self._items[first : last + 1]
            self.endRemoveRows()
        self._rows = {item.path: row for row, item in enumerate(self._items)}
        self.counts_changed.emit()

    def clear(self) -> None:
        """Empty the gallery."""
        self.beginResetModel()
        self._items, self._rows = [], {}
        self._thumbnails.clear()
        self._pictures.clear()
        self._counts = dict.fromkeys(self._counts, 0)
        self.endResetModel()
        self.counts_changed.emit()

    def _keep(self, item: Item, row: PictureRow, request: AnalyzeRequest) -> None:
        item.failure, item.request, item.seen = None, request, True
        item.outcome = "ready" if row.success is None else "broken" if row.success else "held"
        item.caption = sentences.caption(row)
        item.row = replace(row, pictures=None)
        if row.pictures is None:
            return
        self._pictures[item.path] = row.pictures
        self._pictures.move_to_end(item.path)
        if len(self._pictures) > _PICTURE_SETS:
            old = self.item(self._pictures.popitem(last=False)[0])
            if old is not None and old.row is not None and len(old.row.classes) > _CLASSES_KEPT:
                old.row = None

    def _count(self, item: Item, by: int = 1) -> None:
        self._counts["failed"] += by * (item.failure is not None)
        self._counts["done"] += by * (item.failure is None and bool(item.outcome))
        self._counts["broken"] += by * (item.failure is None and item.outcome == "broken")

    def _tell(self, item: Item) -> None:
        index = self.index(self._rows[item.path])
        self.dataChanged.emit(index, index)
        self.result_changed.emit(item.path)
        self.counts_changed.emit()


def _message(item: Item) -> str:
    """The sentence of a failure, or what the tooltip says of a good picture."""
    if item.failure is not None:
        return f"{item.failure.message} {item.failure.hint}".strip()
    return " · ".join(part for part in (item.path, item.size) if part)


def _spoken(item: Item) -> str:
    """What a screen reader says of a card."""
    return ", ".join(part for part in (PurePath(item.path).name, item.state, item.caption) if part)


_CAPTIONS = {"waiting": "Waiting for its turn", "running": "Under attack now"}
_ANSWERS: dict[int, Callable[[Item], str]] = {
    Qt.ItemDataRole.DisplayRole: lambda item: PurePath(item.path).name,
    Qt.ItemDataRole.ToolTipRole: _message,
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    Role.PATH: lambda item: item.path,
    Role.NAME: lambda item: PurePath(item.path).name,
    Role.STATE: lambda item: item.state,
    Role.CAPTION: lambda item: _CAPTIONS.get(item.pending, item.caption),
    Role.MESSAGE: lambda item: _message(item) if item.failure is not None else "",
}


def _runs(descending: list[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring row numbers as (first, last), from the end of the list to its beginning."""
    while descending:
        last = first = descending[0]
        count = 1
        while count < len(descending) and descending[count] == first - 1:
            first = descending[count]
            count += 1
        descending = descending[count:]
        yield first, last
