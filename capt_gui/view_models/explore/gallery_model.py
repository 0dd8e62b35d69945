"""The pictures of the gallery, their states and results; flat in memory however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import PurePath
from typing import NamedTuple
from weakref import WeakValueDictionary

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow, PictureSet, Preview
from capt_gui.plain_text import plain
from capt_gui.roles import GalleryRole
from capt_gui.view_models import formatting
from capt_gui.view_models.explore.picture_sets import PictureSets
from capt_gui.view_models.thumbnails import Thumbnails
from capt_gui.view_models.truth import WORST_FIRST, has_changed, outcome_of

Index = QModelIndex | QPersistentModelIndex

_CLASSES_KEPT = 200
_NOWHERE = QModelIndex()


@dataclass
class Item:
    """One picture: what is known of it and what happens to it.

    pending: "", "waiting" or "running". outcome: "" or one of truth.WORST_FIRST. label: the right answer that somebody
    gave, "" for none. row: the result without its pictures; None when there is none yet, or when it was too large to keep.
    request: what the result was made with. other: the row of side B, where two were compared; `sides` then holds
    (outcome, caption) of A and of B, and `outcome` is the worse.
    """

    path: str
    size: str = ""
    seen: bool = False
    pending: str = ""
    outcome: str = ""
    label: str = ""
    caption: str = ""
    failure: FailedPicture | None = None
    row: PictureRow | None = None
    request: AnalyzeRequest | None = None
    other: PictureRow | None = None
    sides: tuple[tuple[str, str], ...] = ()

    @property
    def state(self) -> str:
        """The state of the card in one word: "waiting", "ready", "running", "failed", or an outcome."""
        if self.failure is not None:
            return "failed"
        return self.pending or self.outcome or ("ready" if self.seen else "waiting")


class Removed(NamedTuple):
    """A picture that was taken off the gallery: its row of before, all that was known of it, and its thumbnail."""

    row: int
    item: Item
    thumbnail: QByteArray | None


class KeptItem(NamedTuple):
    """A picture of a session: all that was known of it, its thumbnail as a JPEG of whoever saved it, the large pictures of A and B."""

    item: Item
    thumbnail: bytes
    sets: tuple[PictureSet, ...]


class GalleryModel(QAbstractListModel):
    """Rows by path. `result_changed(path)`: what is known of one picture ("": of several); `counts_changed`: counts."""

    result_changed = Signal(str)
    counts_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[Item] = []
        self._rows: dict[str, int] = {}
        # those that can still be put back: a run that was under way goes on with them
        self._removed: WeakValueDictionary[str, Item] = WeakValueDictionary()
        self._thumbnails = Thumbnails()
        self._pictures = PictureSets()
        self._labels: dict[str, str] = {}
        self._counts = dict.fromkeys(_COUNTED, 0)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of pictures; 0 under any valid `parent`, because the list has no branches."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return file name, thumbnail, state, caption or message of the card at `index`, as `role` asks, or None."""
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == GalleryRole.THUMBNAIL:
            return self._thumbnails.get(item.path)
        if role == GalleryRole.SIDES:
            return () if item.pending or item.failure is not None else item.sides
        answer = _ANSWERS.get(role)
        return answer(item) if answer else None

    def item(self, path: str) -> Item | None:
        """Return all that is known of the picture at `path`; None when it is not in the gallery."""
        row = self._rows.get(path)
        return None if row is None else self._items[row]

    def pictures(self, path: str, side: str = "a") -> PictureSet | None:
        """Return the three large pictures (clean, perturbation, adversarial) of the result for the picture at `path`.

        None when they were never made or are no longer kept. side: "a" or "b", the prompts that were attacked; where
        one attack was shown to both, both give the same pictures.
        """
        item = self.item(path)
        return self._pictures.get(path, side if item is not None and _has_two_sets(item) else "a")

    def is_drawn(self, path: str) -> bool:
        """Return True if the large pictures of the result at `path` are kept, for A and B where they differ."""
        item = self.item(path)
        sides = "ab" if item is not None and _has_two_sets(item) else "a"
        return all(self._pictures.get(path, side) is not None for side in sides)

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all pictures, in the order of the gallery."""
        return tuple(item.path for item in self._items)

    def usable_paths(self) -> tuple[str, ...]:
        """Return the paths of the pictures that have not failed, in the order of the gallery."""
        return tuple(item.path for item in self._items if item.failure is None)

    def has_usable(self) -> bool:
        """Return True if at least one picture has not failed, and so can be analysed."""
        return len(self._items) > self._counts["failed"]

    def count_text(self) -> str:
        """Return the line that counts the pictures, such as "19 of 50 · 7 changed"; "" for an empty gallery."""
        n = self._counts
        fooled = (n["fooled"], n["fooled_b"]) if n["done"] and n["known"] == n["done"] else None
        return formatting.count_line(
            len(self._items), n["done"], n["failed"], (n["changed"], n["changed_b"]), fooled, n["compared"]
        )

    def set_labels(self, labels: Mapping[str, str]) -> None:
        """Take the right answers that somebody gave, by path; "" takes one back. Pictures may come into the gallery later.

        Outcomes that are there already are judged by them from now on.
        """
        self._labels |= labels
        for path, label in labels.items():
            item = self.item(path)
            if item is None or item.label == label:
                continue
            self._count(item, -1)
            item.label = label
            self._judge(item)
            self._count(item)
            self._tell(item)

    def add(self, paths: Iterable[str], failures: Iterable[FailedPicture] = ()) -> None:
        """Append a card for each picture at `paths`, and a failed one for each of `failures`, unless already there."""
        items = [Item(path, label=self._labels.get(path, "")) for path in paths]
        items += [Item(failure.path, failure=failure) for failure in failures]
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
        """Add thumbnails and sizes to the pictures' cards, and turn those that could not be read into failed cards."""
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
        """Put the answers, or failures, into the cards of the pictures; where two are compared, B's row follows A's.

        request: the settings that the rows were made with. Pictures that were removed and can be put back keep their rows.
        """
        for path, group in groupby(rows, lambda row: row.path):
            there = self.item(path)
            item = there or self._removed.get(path)
            if item is None:
                continue
            if there is not None:
                self._count(item, -1)
            item.pending = ""
            results: list[PictureRow] = []
            for row in group:
                if isinstance(row, FailedPicture):
                    item.failure = row
                else:
                    results.append(row)
            if results:
                self._keep(item, results, request)
            if there is not None:
                self._count(item)
                self._tell(item)

    def set_pending(self, paths: Iterable[str], pending: str) -> None:
        """Mark the pictures at `paths` as "waiting" or "running", or with "" as neither, to show their last outcome."""
        named = list(paths)
        for path in named:
            if (item := self.item(path) or self._removed.get(path)) is not None:
                item.pending = pending
        rows = [self._rows[path] for path in named if path in self._rows]
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))
            self.result_changed.emit("")

    def remove(self, paths: Iterable[str]) -> None:
        """Remove the pictures at `paths` from the gallery, with their results; the files on disk stay."""
        gone = sorted((self._rows[path] for path in set(paths) if path in self._rows), reverse=True)
        for first, last in _runs(gone):
            self.beginRemoveRows(QModelIndex(), first, last)
            for item in self._items[first : last + 1]:
                self._count(item, -1)
                self._thumbnails.drop(item.path)
                self._pictures.drop(item.path)
                self._labels.pop(item.path, None)
            del self._items[first : last + 1]
            self.endRemoveRows()
        self._rows = {item.path: row for row, item in enumerate(self._items)}
        self.counts_changed.emit()

    def take(self, paths: Iterable[str]) -> list[Removed]:
        """Remove the pictures at `paths` as `remove` does, and return all that `put_back` needs; large pictures are forgotten."""
        rows = sorted(self._rows[path] for path in set(paths) if path in self._rows)
        taken = [Removed(row, self._items[row], self._thumbnails.packed(self._items[row].path)) for row in rows]
        self._removed.update({one.item.path: one.item for one in taken})
        self.remove([one.item.path for one in taken])
        return taken

    def put_back(self, removed: Iterable[Removed]) -> None:
        """Put pictures that `take` removed back into their rows, with their results; one that is there again stays as it is."""
        for first, group in _neighbours([one for one in removed if one.item.path not in self._rows]):
            row = min(first, len(self._items))
            self.beginInsertRows(QModelIndex(), row, row + len(group) - 1)
            self._items[row:row] = [one.item for one in group]
            for one in group:
                self._count(one.item)
                self._removed.pop(one.item.path, None)
                if one.thumbnail is not None:
                    self._thumbnails.put_packed(one.item.path, one.thumbnail)
            self.endInsertRows()
        self._rows = {item.path: row for row, item in enumerate(self._items)}
        self.counts_changed.emit()

    def packed(self, path: str) -> bytes:
        """Return the thumbnail of the picture at `path` as a small JPEG for a session; b"" where there is none."""
        return bytes((self._thumbnails.packed(path) or QByteArray()).data())

    def large_pictures(self) -> dict[tuple[str, str], PictureSet]:
        """Return the large pictures that are in memory, by path and side, those looked at last first."""
        return self._pictures.every()

    def restore(self, kept: Iterable[KeptItem]) -> None:
        """Append the pictures of a session with all that was known of them; one that is there already stays as it is."""
        fresh = list({one.item.path: one for one in kept if one.item.path not in self._rows}.values())
        if not fresh:
            return
        start = len(self._items)
        self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
        for row, (item, thumbnail, sets) in enumerate(fresh, start):
            self._items.append(item)
            self._rows[item.path] = row
            self._labels |= {item.path: item.label} if item.label else {}
            self._judge(item)
            self._count(item)
            if thumbnail:
                self._thumbnails.put_foreign(item.path, thumbnail)
            for side, pictures in zip("ab", sets, strict=False):
                self._pictures.put(item.path, side, pictures)
        self.endInsertRows()
        self.counts_changed.emit()

    def forget_results(self, paths: Iterable[str]) -> None:
        """Forget the results and the thumbnails of the pictures at `paths`, which are other pictures now; labels stay."""
        taken = self.take(paths)
        blank = (Item(one.item.path, label=one.item.label) for one in taken)
        self.put_back([Removed(one.row, item, None) for one, item in zip(taken, blank, strict=True)])

    def clear(self) -> None:
        """Remove all pictures from the gallery, with their results; the files on disk stay."""
        self.beginResetModel()
        self._items, self._rows, self._labels = [], {}, {}
        self._thumbnails.clear()
        self._pictures.clear()
        self._counts = dict.fromkeys(self._counts, 0)
        self.endResetModel()
        self.counts_changed.emit()

    def _keep(self, item: Item, rows: list[PictureRow], request: AnalyzeRequest) -> None:
        """Take A's row, and B's where two were compared."""
        item.failure, item.request, item.seen = None, request, True
        both = rows[:2] if request.options.compare is not None else rows[-1:]
        item.row = replace(both[0], pictures=None)
        item.other = replace(both[1], pictures=None) if len(both) == 2 else None
        self._judge(item)
        self._pictures.drop(item.path)
        for side, row in zip("ab" if _has_two_sets(item) else "a", both, strict=False):
            gone = self._pictures.put(item.path, side, row.pictures) if row.pictures is not None else None
            old = self.item(gone) if gone is not None else None
            if old is not None and old.row is not None and len(old.row.classes) > _CLASSES_KEPT:
                old.row = old.other = None

    def _judge(self, item: Item) -> None:
        """Say what became of the answers to a picture, by the right one where it is known."""
        both = [row for row in (item.row, item.other) if row is not None]
        if not both:
            return
        outcomes = [outcome_of(row, item.label) for row in both]
        captions = [formatting.caption(row) for row in both]
        item.outcome = min(outcomes, key=WORST_FIRST.index)
        item.caption = captions[0] if len(both) == 1 else f"A {captions[0]} · B {captions[1]}"
        item.sides = tuple(zip(outcomes, captions, strict=True)) if len(both) == 2 else ()

    def _count(self, item: Item, by: int = 1) -> None:
        outcomes = [outcome for outcome, _ in item.sides] or [item.outcome]
        self._counts["failed"] += by * (item.failure is not None)
        if item.failure is None:
            self._counts["done"] += by * bool(item.outcome)
            self._counts["compared"] += by * bool(item.sides)
            self._counts["known"] += by * (bool(item.outcome) and not {"ready", "kept", "changed"} & set(outcomes))
            for suffix, row, found in zip(("", "_b"), (item.row, item.other), outcomes, strict=False):
                self._counts[f"fooled{suffix}"] += by * (found == "broken")
                self._counts[f"changed{suffix}"] += by * (row is not None and has_changed(row))

    def _tell(self, item: Item) -> None:
        index = self.index(self._rows[item.path])
        self.dataChanged.emit(index, index)
        self.result_changed.emit(item.path)
        self.counts_changed.emit()


def _has_two_sets(item: Item) -> bool:
    """True if A and B were shown different pictures: each was attacked on its own."""
    return item.other is not None and item.request is not None and item.request.options.aim == "each"


def _message(item: Item) -> str:
    """The sentence of a failure, or what the tooltip says of a good picture."""
    if item.failure is not None:
        return f"{item.failure.message} {item.failure.hint}".strip()
    return " · ".join(part for part in (item.path, item.size) if part)


def _spoken(item: Item) -> str:
    """The text of a card for a screen reader."""
    return ", ".join(part for part in (PurePath(item.path).name, item.state, item.caption) if part)


_COUNTED = ("done", "failed", "compared", "known", "changed", "changed_b", "fooled", "fooled_b")
_CAPTIONS = {"waiting": "Waiting for its turn", "running": "Under attack now"}
_ANSWERS: dict[int, Callable[[Item], str]] = {
    Qt.ItemDataRole.DisplayRole: lambda item: PurePath(item.path).name,
    Qt.ItemDataRole.ToolTipRole: lambda item: plain(_message(item)),
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    GalleryRole.PATH: lambda item: item.path,
    GalleryRole.NAME: lambda item: PurePath(item.path).name,
    GalleryRole.STATE: lambda item: item.state,
    GalleryRole.CAPTION: lambda item: _CAPTIONS.get(item.pending, item.caption),
    GalleryRole.MESSAGE: lambda item: _message(item) if item.failure is not None else "",
}


def _neighbours(ascending: list[Removed]) -> Iterator[tuple[int, list[Removed]]]:
    """Removed pictures that stood side by side: the row of the first, and all of them, from the beginning of the list."""
    for _, group in groupby(enumerate(ascending), lambda pair: pair[1].row - pair[0]):
        some = [one for _, one in group]
        yield some[0].row, some


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
