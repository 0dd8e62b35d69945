"""The pictures of the gallery, their states and results; flat in memory however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from weakref import WeakValueDictionary

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QImage

from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow, PictureSet, Preview
from capt_gui.plain_text import plain
from capt_gui.roles import GalleryRole
from capt_gui.translate import later, spoken, tr
from capt_gui.view_models import formatting
from capt_gui.view_models.explore.gallery_item import GalleryEntry, Item
from capt_gui.view_models.explore.packed_row import PackedRow
from capt_gui.view_models.explore.picture_sets import PictureSets
from capt_gui.view_models.thumbnails import Thumbnails
from capt_gui.view_models.truth import WORST_FIRST, outcome_of

Index = QModelIndex | QPersistentModelIndex

_CLASSES_KEPT = 200
# what is more scattered than this is told as a whole
_MOST_RUNS = 8
_NOWHERE = QModelIndex()


class Removed(NamedTuple):
    """A picture that was taken off the gallery: its row of before, all that was known of it, and its thumbnail."""

    row: int
    item: Item
    thumbnail: QByteArray | None


class GalleryModel(QAbstractListModel):
    """Rows by path. `result_changed(path)`: what is known of one picture ("": of several); `counts_changed`: counts.

    However many pictures come, change or go at once, each signal is emitted once for all of them.
    """

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
        return self.answer(self._items[index.row()], role)

    def answer(self, item: Item, role: int) -> object:
        """Return what the card of `item` shows, as `role` asks: file name, thumbnail, state, caption or message; else None."""
        if role == GalleryRole.THUMBNAIL:
            return self._thumbnails.get(item.path)
        if role == GalleryRole.SIDES:
            return () if item.pending or item.failure is not None else item.sides
        answer = _ANSWERS.get(role)
        return answer(item) if answer else None

    @property
    def is_compared(self) -> bool:
        """True if a picture has answers of both A and B."""
        return self._counts["compared"] > 0

    def items(self) -> Sequence[Item]:
        """Return all pictures, in the order of the gallery; the sequence is the gallery's own and changes with it."""
        return self._items

    def item(self, path: str) -> Item | None:
        """Return all that is known of the picture at `path`; None when it is not in the gallery."""
        row = self._rows.get(path)
        return None if row is None else self._items[row]

    def thumbnail(self, path: str) -> QImage | None:
        """Return the small picture of the card of the picture at `path`; None while there is none."""
        return self._thumbnails.get(path)

    def pictures(self, path: str, side: str = "a") -> PictureSet | None:
        """Return the three large pictures (clean, perturbation, adversarial) of the result for the picture at `path`.

        None when they were never made or are no longer kept. side: "a" or "b", the prompts that were attacked; where
        one attack was shown to both, both give the same pictures.
        """
        item = self.item(path)
        return self._pictures.get(path, side if item is not None and has_two_sets(item) else "a")

    def is_drawn(self, path: str) -> bool:
        """Return True if the large pictures of the result at `path` are kept, for A and B where they differ."""
        item = self.item(path)
        sides = "ab" if item is not None and has_two_sets(item) else "a"
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
        changed = []
        for path, label in labels.items():
            item = self.item(path)
            if item is None or item.label == label:
                continue
            self._count(item, -1)
            item.label = label
            self._judge(item)
            self._count(item)
            changed.append(item)
        self._tell(changed)

    def set_tags(self, tags: Mapping[str, tuple[str, ...]]) -> None:
        """Give the pictures with these paths the tags, the user's own words, that stand beside them, in place of those of before."""
        changed = []
        for path, own in tags.items():
            item = self.item(path)
            if item is not None and item.tags != own:
                item.tags = own
                changed.append(item)
        self._tell(changed)

    def entries(self) -> list[GalleryEntry]:
        """Return the plain record of every picture, in the order of the gallery, for `restore`."""
        return [item.entry(_bytes(self._thumbnails.packed(item.path))) for item in self._items]

    def restore(self, entries: Iterable[GalleryEntry]) -> None:
        """Append the pictures that `entries` gave before, with all that was known of them; one that is there stays as it is."""
        self.restore_items([(Item.of(entry), entry.thumbnail) for entry in entries])

    def restore_items(self, kept: Iterable[tuple[Item, bytes]]) -> None:
        """Append pictures with their small JPEGs, as `restore` does; whoever makes the items may do so on another thread."""
        fresh = {item.path: (item, thumbnail) for item, thumbnail in kept if item.path not in self._rows}
        for path, (item, thumbnail) in fresh.items():
            if thumbnail:
                self._thumbnails.put_packed(path, QByteArray(thumbnail))
            if item.label:
                self._labels[path] = item.label
        self._append([item for item, _ in fresh.values()])

    def add(self, paths: Iterable[str], failures: Iterable[FailedPicture] = ()) -> None:
        """Append a card for each picture at `paths`, and a failed one for each of `failures`, unless already there."""
        items = [Item(path, label=self._labels.get(path, "")) for path in paths]
        items += [Item(failure.path, failure=failure) for failure in failures]
        self._append(list({item.path: item for item in items if item.path not in self._rows}.values()))

    def put_previews(self, previews: Iterable[Preview | FailedPicture]) -> None:
        """Add thumbnails and sizes to the pictures' cards, and turn those that could not be read into failed cards."""
        changed = []
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
            changed.append(item)
        self._tell(changed)

    def put_rows(self, rows: Iterable[PictureRow | FailedPicture], request: AnalyzeRequest) -> None:
        """Put the answers, or failures, into the cards of the pictures; where two are compared, B's row follows A's.

        request: the settings that the rows were made with. Pictures that were removed and can be put back keep their rows.
        """
        changed = []
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
                changed.append(item)
        self._tell(changed)

    def set_pending(self, paths: Iterable[str], pending: str) -> None:
        """Mark the pictures at `paths` as "waiting" or "running", or with "" as neither, to show their last outcome."""
        named = list(paths)
        for path in named:
            if (item := self.item(path) or self._removed.get(path)) is not None:
                item.pending = pending
        self._show([item for path in named if (item := self.item(path)) is not None])

    def remove(self, paths: Iterable[str]) -> None:
        """Remove the pictures at `paths` from the gallery, with their results; the files on disk stay."""
        gone = sorted((self._rows[path] for path in set(paths) if path in self._rows), reverse=True)
        if not gone:
            return
        runs = list(_runs(gone))
        scattered = len(runs) > _MOST_RUNS
        if scattered:
            self.beginResetModel()
        for first, last in runs:
            if not scattered:
                self.beginRemoveRows(QModelIndex(), first, last)
            for item in self._items[first : last + 1]:
                self._count(item, -1)
                self._thumbnails.drop(item.path)
                self._pictures.drop(item.path)
                self._labels.pop(item.path, None)
            del self._items[first : last + 1]
            if not scattered:
                self._number()
                self.endRemoveRows()
        if scattered:
            self._number()
            self.endResetModel()
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
        groups = list(_neighbours([one for one in removed if one.item.path not in self._rows]))
        if not groups:
            return
        scattered = len(groups) > _MOST_RUNS
        if scattered:
            self.beginResetModel()
        for first, group in groups:
            row = min(first, len(self._items))
            if not scattered:
                self.beginInsertRows(QModelIndex(), row, row + len(group) - 1)
            self._items[row:row] = [one.item for one in group]
            for one in group:
                self._count(one.item)
                self._removed.pop(one.item.path, None)
                if one.thumbnail is not None:
                    self._thumbnails.put_packed(one.item.path, one.thumbnail)
            if not scattered:
                self._number()
                self.endInsertRows()
        if scattered:
            self._number()
            self.endResetModel()
        self.counts_changed.emit()

    def packed(self, path: str) -> bytes:
        """Return the thumbnail of the picture at `path` as a small JPEG, as an entry has it; b"" where there is none."""
        return _bytes(self._thumbnails.packed(path))

    def large_pictures(self) -> dict[tuple[str, str], PictureSet]:
        """Return the large pictures that are in memory, by path and side, those looked at last first."""
        return self._pictures.every()

    def put_pictures(self, path: str, sets: Sequence[PictureSet]) -> None:
        """Keep the large pictures of the result at `path`, of A and of B where they differ, as `large_pictures` gave them."""
        for side, pictures in zip("ab", sets, strict=False):
            self._pictures.put(path, side, pictures)

    def forget_results(self, paths: Iterable[str]) -> None:
        """Forget the results and the thumbnails of the pictures at `paths`, which are other pictures now; labels and tags stay."""
        taken = self.take(paths)
        blank = (Item(one.item.path, label=one.item.label, tags=one.item.tags) for one in taken)
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
        item.a, item.b = PackedRow(both[0]), PackedRow(both[1]) if len(both) == 2 else None
        self._judge(item)
        self._pictures.drop(item.path)
        for side, row in zip("ab" if has_two_sets(item) else "a", both, strict=False):
            gone = self._pictures.put(item.path, side, row.pictures) if row.pictures is not None else None
            old = self.item(gone) if gone is not None else None
            if old is not None and old.a is not None and len(old.a.rest.classes) > _CLASSES_KEPT:
                old.a = old.b = None

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
            for suffix, row, found in zip(("", "_b"), (item.a, item.b), outcomes, strict=False):
                self._counts[f"fooled{suffix}"] += by * (found == "broken")
                self._counts[f"changed{suffix}"] += by * (row is not None and row.has_changed)

    def _number(self) -> None:
        """Know the row of each picture again, before anybody hears that pictures came or went."""
        self._rows = {item.path: row for row, item in enumerate(self._items)}

    def _append(self, fresh: list[Item]) -> None:
        """Append pictures that are not there yet."""
        if not fresh:
            return
        start = len(self._items)
        self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
        self._items += fresh
        self._rows |= {item.path: start + offset for offset, item in enumerate(fresh)}
        for item in fresh:
            self._count(item)
        self.endInsertRows()
        self.counts_changed.emit()

    def _tell(self, items: list[Item]) -> None:
        """Say once that more is known of these pictures."""
        if items:
            self._show(items)
            self.counts_changed.emit()

    def _show(self, items: list[Item]) -> None:
        """Have the cards of these pictures painted anew."""
        if not items:
            return
        for item in items:
            item.searched = ""
        rows = [self._rows[item.path] for item in items]
        self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))
        self.result_changed.emit(items[0].path if len(items) == 1 else "")


def has_two_sets(item: Item) -> bool:
    """Return True if A and B were shown different pictures: each was attacked on its own."""
    return item.b is not None and item.request is not None and item.request.options.aim == "each"


def _message(item: Item) -> str:
    """The sentence of a failure, or what the tooltip says of a good picture."""
    if item.failure is not None:
        return f"{spoken(item.failure.message)} {spoken(item.failure.hint)}".strip()
    return " · ".join(part for part in (item.path, item.size) if part)


def _spoken(item: Item) -> str:
    """The text of a card for a screen reader."""
    return ", ".join(part for part in (item.name, item.state, item.caption) if part)


_COUNTED = ("done", "failed", "compared", "known", "changed", "changed_b", "fooled", "fooled_b")
_CAPTIONS = {"waiting": later("Waiting for its turn"), "running": later("Under attack now")}
_ANSWERS: dict[int, Callable[[Item], str]] = {
    Qt.ItemDataRole.DisplayRole: lambda item: item.name,
    Qt.ItemDataRole.ToolTipRole: lambda item: plain(_message(item)),
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    GalleryRole.PATH: lambda item: item.path,
    GalleryRole.NAME: lambda item: item.name,
    GalleryRole.STATE: lambda item: item.state,
    GalleryRole.CAPTION: lambda item: tr(_CAPTIONS[item.pending]) if item.pending in _CAPTIONS else item.caption,
    GalleryRole.MESSAGE: lambda item: _message(item) if item.failure is not None else "",
}


def _bytes(packed: QByteArray | None) -> bytes:
    return b"" if packed is None else bytes(packed.data())


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
