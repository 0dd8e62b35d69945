"""The pictures of the gallery as the user wants to see them: filtered, in an order, in chosen columns; one list for cards and table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QObject,
    Qt,
    QTimer,
    QUrl,
    Signal,
)

from capt_engine.records import MetricInfo
from capt_gui.plain_text import plain
from capt_gui.roles import GalleryRole
from capt_gui.settings import Condition, SavedView
from capt_gui.translate import tr
from capt_gui.view_models.explore import gallery_columns
from capt_gui.view_models.explore.gallery_columns import Column
from capt_gui.view_models.explore.gallery_item import Item
from capt_gui.view_models.explore.gallery_model import GalleryModel, Index

REARRANGE_MS = 400
"""News of pictures change filter and order at most so often."""

_NOWHERE = QModelIndex()
_FEW = 64
# whole rows are moved, so that one index stands for a row that is chosen, and not one for each of its cells
_HINTED = "QList<QPersistentModelIndex>", "QAbstractItemModel::LayoutChangeHint"
_ROWS_MOVE = QAbstractItemModel.LayoutChangeHint.VerticalSortHint
Test = Callable[[Item], bool]


class GalleryRows(QAbstractTableModel):
    """Rows of the gallery that pass the filter, in order; column 0 is the picture itself, with the roles of a card.

    arranged: other rows are shown, or in another order. wanted_changed: filter, order or columns were changed.
    """

    arranged = Signal()
    wanted_changed = Signal()

    def __init__(
        self, gallery: GalleryModel, metrics: Callable[[], Sequence[MetricInfo]], parent: QObject | None = None
    ) -> None:
        """metrics: asked for those of the catalogue, which come with the engine."""
        super().__init__(parent)
        self._gallery = gallery
        self._metrics = metrics
        self._wanted = SavedView("")
        self._items: list[Item] = []
        self._row_of: dict[str, int] = {}
        self._tests: list[Test] = []
        self.columns: dict[str, Column] = {}
        self._shown: tuple[Column, ...] = ()
        self._compared = False
        self._timer = QTimer(self, singleShot=True, interval=REARRANGE_MS)
        self._timer.timeout.connect(self.arrange)
        gallery.rowsInserted.connect(self._on_inserted)
        gallery.rowsRemoved.connect(self.arrange)
        gallery.modelReset.connect(self.arrange)
        gallery.dataChanged.connect(self._on_data_changed)
        self.refresh_columns()

    @property
    def wanted(self) -> SavedView:
        """The filter, the order and the columns as they are now, under no name."""
        return self._wanted

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """The columns of the table, the picture first."""
        return self._shown

    @property
    def is_filtered(self) -> bool:
        """True if the filter may leave pictures out."""
        return bool(self._wanted.text.split() or self._wanted.conditions)

    @property
    def is_compared(self) -> bool:
        """True if there are answers of B beside those of A."""
        return self._compared

    def want(self, view: SavedView) -> None:
        """Show the pictures with the filter, the order and the columns of `view`."""
        self._wanted = SavedView("", view.text, view.conditions, view.sort, view.descending, view.columns)
        self._show_columns()
        self._compile()
        self.arrange()
        self.wanted_changed.emit()

    def set_text(self, text: str) -> None:
        """Show only pictures whose name, label, tags, answers or state have each word of `text`; case does not matter."""
        self._refilter(text=text)

    def add_condition(self, condition: Condition) -> None:
        """Show only pictures that also fulfil `condition`; one for a range of numbers replaces that of the same column."""
        same = [own for own in self._wanted.conditions if own != condition]
        if not condition.values:
            same = [own for own in same if own.column != condition.column or own.values]
        self._refilter(conditions=(*same, condition))

    def remove_condition(self, condition: Condition) -> None:
        """Take `condition` out of the filter; nothing happens if it is not there."""
        self._refilter(conditions=tuple(own for own in self._wanted.conditions if own != condition))

    def clear_filter(self) -> None:
        """Show all pictures; the order stays."""
        self._refilter(text="", conditions=())

    def set_order(self, key: str, *, descending: bool = False) -> None:
        """Order the pictures by the column `key`, "" for the order in which they came."""
        wanted = self._wanted
        if (wanted.sort, wanted.descending) == (key, descending):
            return
        self._wanted = SavedView("", wanted.text, wanted.conditions, key, descending, wanted.columns)
        self.arrange()
        self.wanted_changed.emit()

    def set_columns(self, keys: Iterable[str]) -> None:
        """Show the columns of these keys, in this order; none for the usual ones. The picture is always the first."""
        wanted = self._wanted
        self._wanted = SavedView(
            "", wanted.text, wanted.conditions, wanted.sort, wanted.descending, tuple(dict.fromkeys(keys))
        )
        self._show_columns()
        self.wanted_changed.emit()

    def refresh_columns(self) -> None:
        """Offer the columns anew: the catalogue has come, or two are compared for the first time."""
        self._compared = self._gallery.is_compared
        self.columns = gallery_columns.columns(self._metrics(), compared=self._compared)
        self._show_columns()
        self._compile()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the pictures by the table's column with this number, −1 for the order in which they came; Qt calls this."""
        key = self._shown[column].key if 0 <= column < len(self._shown) else ""
        self.set_order(key, descending=order == Qt.SortOrder.DescendingOrder)

    def items(self) -> Sequence[Item]:
        """Return the pictures that are shown, in their order."""
        return self._items

    def item_at(self, row: int) -> Item | None:
        """Return the picture of this row, None where there is none."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def row_of(self, path: str) -> int:
        """Return the row of the picture at `path`, −1 where it is not shown."""
        return self._row_of.get(path, -1)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of pictures that are shown; 0 under any valid `parent`, as there are no branches."""
        return 0 if parent.isValid() else len(self._items)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of columns; 0 under any valid `parent`, as there are no branches."""
        return 0 if parent.isValid() else len(self._shown)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that each row can be chosen and dragged out; Qt asks for this."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def mimeTypes(self) -> list[str]:
        """Return that rows are dragged out as files."""
        return ["text/uri-list"]

    def supportedDragActions(self) -> Qt.DropAction:
        """Return that files are copied by a drag, never moved."""
        return Qt.DropAction.CopyAction

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the files of the rows of `indexes`, for a drag to another program."""
        data = QMimeData()
        rows = dict.fromkeys(index.row() for index in indexes)
        data.setUrls([QUrl.fromLocalFile(self._items[row].path) for row in rows])
        return data

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return title, tooltip or alignment of the column numbered `section`, as `role` asks; None for any other."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._shown):
            return None
        column = self._shown[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(f"{column.title}: {column.help}")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what the card or the cell at `index` shows, as `role` asks; None where there is nothing."""
        if not index.isValid():
            return None
        item, number = self._items[index.row()], index.column()
        if role == GalleryRole.CELL:
            column = self._shown[number]
            state = item.state if number == 0 else item.outcome_of(column.side) if column.is_outcome else ""
            return column.text(item), state, column.is_number
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown[number].text(item)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self._shown[number])
        if role == Qt.ItemDataRole.AccessibleTextRole and number:
            return f"{self._shown[number].title}: {self._shown[number].text(item)}"
        return self._gallery.answer(item, role)

    def tsv(self, paths: Iterable[str]) -> str:
        """Return the rows of the pictures at `paths` in the shown columns, with a header, for a spreadsheet: tabs between cells."""
        items = [item for path in paths if (item := self._gallery.item(path)) is not None]
        lines = [["path", *(column.title for column in self._shown)]]
        lines += [[item.path, *(column.exact(item) for column in self._shown)] for item in items]
        return "\n".join("\t".join(map(_cell, line)) for line in lines) + "\n"

    def texts_of(self, key: str) -> list[tuple[str, int]]:
        """Return the texts that pictures of the gallery have in the column `key`, with how many have each, the most frequent first.

        Of a column that is not there, and of numbers, there are none.
        """
        column = self.columns.get(key)
        if column is None or column.is_number:
            return []
        counts: dict[str, int] = {}
        for item in self._gallery.items():
            for text in column.texts(item):
                counts[text] = counts.get(text, 0) + 1
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].casefold()))

    def describe(self, condition: Condition) -> str:
        """Return a condition in words, such as "Label: cat" or "Confidence: 50 to 90 %"."""
        column = self.columns.get(condition.column)
        if column is None:
            return condition.column
        if condition.values:
            words = [column.word(text) if text else tr("none") for text in condition.values]
            return tr("{}: {}").format(column.title, " / ".join(words))
        low, high = (_shown_bound(column, bound) for bound in (condition.low, condition.high))
        if not low or not high:
            return (tr("{}: at least {}") if low else tr("{}: at most {}")).format(column.title, low or high)
        return tr("{}: {} to {}").format(column.title, low, high)

    def arrange(self) -> None:
        """Filter and order the pictures anew; the views keep what is chosen."""
        self._timer.stop()
        items = self._gallery.items()
        if self._tests:
            tests = self._tests
            found = [item for item in items if all(test(item) for test in tests)]
        else:
            found = list(items)
        column = self.columns.get(self._wanted.sort)
        if column is not None:
            found = column.arrange(found, descending=self._wanted.descending)
        if len(found) == len(self._items) and all(map(_is, found, self._items)):
            return
        self.layoutAboutToBeChanged[_HINTED].emit([], _ROWS_MOVE)  # type: ignore[index]
        before = self.persistentIndexList()
        paths = [self._items[index.row()].path for index in before]
        self._take(found)
        after = [
            self.index(row, index.column()) if (row := self._row_of.get(path, -1)) >= 0 else QModelIndex()
            for path, index in zip(paths, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged[_HINTED].emit([], _ROWS_MOVE)  # type: ignore[index]
        self.arranged.emit()

    def _take(self, items: list[Item]) -> None:
        self._items = items
        self._row_of = {item.path: row for row, item in enumerate(items)}

    def _refilter(self, *, text: str | None = None, conditions: tuple[Condition, ...] | None = None) -> None:
        wanted = self._wanted
        text = wanted.text if text is None else text
        conditions = wanted.conditions if conditions is None else conditions
        if (text, conditions) == (wanted.text, wanted.conditions):
            return
        self._wanted = SavedView("", text, conditions, wanted.sort, wanted.descending, wanted.columns)
        self._compile()
        self.arrange()
        self.wanted_changed.emit()

    def _compile(self) -> None:
        """Make the tests of the filter: any of the texts of one column, and all columns, ranges and words together."""
        wanted: dict[str, set[str]] = {}
        for condition in self._wanted.conditions:
            if condition.values:
                wanted.setdefault(condition.column, set()).update(condition.values)
        tests = [_one_of(self.columns.get(key), frozenset(texts)) for key, texts in wanted.items()]
        tests += [_between(self.columns.get(one.column), one) for one in self._wanted.conditions if not one.values]
        if words := self._wanted.text.casefold().split():
            tests.append(_contains(words, self._spell))
        self._tests = tests

    def _spell(self, item: Item) -> str:
        """The text that words are looked for in, kept until more is known of the picture."""
        states = [item.state, *[own for own, _ in item.sides if own != item.state]]
        words = (item.name, item.caption, item.label, *item.tags, *map(_spoken, states))
        item.searched = " ".join(words).casefold()
        return item.searched

    def _show_columns(self) -> None:
        keys = self._wanted.columns or gallery_columns.USUAL
        first = self.columns[gallery_columns.NAME]
        others = [
            self.columns[key]
            for key in keys
            if key in self.columns and key != first.key and (self._compared or self.columns[key].side != "b")
        ]
        if [(own.key, own.title) for own in (first, *others)] == [(own.key, own.title) for own in self._shown]:
            self._shown = (first, *others)
            return
        if len(self._shown) > 1:
            self.beginRemoveColumns(QModelIndex(), 1, len(self._shown) - 1)
            self._shown = (first,)
            self.endRemoveColumns()
        self._shown = self._shown or (first,)
        if others:
            self.beginInsertColumns(QModelIndex(), 1, len(others))
            self._shown = (first, *others)
            self.endInsertColumns()

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        """Put new pictures at the end, where that is their place."""
        items = self._gallery.items()
        if self._tests or self._wanted.sort or first != len(self._items) or last != len(items) - 1:
            self.arrange()
            return
        self.beginInsertRows(QModelIndex(), first, last)
        self._items += items[first : last + 1]
        self._row_of |= {item.path: first + offset for offset, item in enumerate(items[first : last + 1])}
        self.endInsertRows()
        self.arranged.emit()

    def _on_data_changed(self, top: QModelIndex, bottom: QModelIndex, roles: Sequence[int]) -> None:
        """Have the rows painted anew whose pictures have news, and soon filtered and ordered, where that matters."""
        if self._items:
            rows = [top.row(), bottom.row()]
            if self._tests or self._wanted.sort:
                rows = [0, len(self._items) - 1]
                changed = self._gallery.items()[top.row() : bottom.row() + 1]
                if len(changed) <= _FEW:
                    rows = [row for item in changed if (row := self._row_of.get(item.path, -1)) >= 0]
            if rows:
                last = len(self._shown) - 1
                self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), last), list(roles))
        if GalleryRole.THUMBNAIL in roles:
            return
        if self._gallery.is_compared != self._compared:
            self.refresh_columns()
        if (self._tests or self._wanted.sort) and not self._timer.isActive():
            self._timer.start()


@lru_cache(maxsize=64)
def _spoken(state: str) -> str:
    """A state by its own name, which is the field's, and by the word that is shown."""
    return f"{state} {gallery_columns.outcome_word(state)}"


def _is(one: object, other: object) -> bool:
    return one is other


def _one_of(column: Column | None, wanted: frozenset[str]) -> Test:
    if column is None:
        return lambda _: False
    texts = column.texts
    return lambda item: not wanted.isdisjoint(texts(item))


def _between(column: Column | None, condition: Condition) -> Test:
    if column is None:
        return lambda _: False
    value = column.value
    low = -math.inf if condition.low is None else condition.low
    high = math.inf if condition.high is None else condition.high

    def holds(item: Item) -> bool:
        found = value(item)
        return not isinstance(found, str | None) and low <= found <= high

    return holds


def _contains(words: Sequence[str], spell: Callable[[Item], str]) -> Test:
    if len(words) == 1:
        (word,) = words
        return lambda item: word in (item.searched or spell(item))
    return lambda item: all(word in (item.searched or spell(item)) for word in words)


def _shown_bound(column: Column, bound: float | None) -> str:
    return "" if bound is None else column.shown(bound)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _cell(text: str) -> str:
    return " ".join(text.split("\t")).replace("\n", " ").replace("\r", " ")
