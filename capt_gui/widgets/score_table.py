"""Class by class, before and after; a click on a heading, or a key on it, sorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from capt_gui.plain_text import plain
from capt_gui.widgets.card_list import set_up_table

# in pixels, of the column of names where the others leave it too little room
_LEAST_NAME, _MOST_NAME = 90, 220
_SORT = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Cell:
    """A cell of the table: the text that is shown, and the value that it is sorted by."""

    text: str
    value: float | str
    spoken: str = ""


class ScoreTable(QTableView):
    """Read-only; Tab leaves it, the arrow keys move in it, and Ctrl+Space sorts by the current column."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = 0
        self._rows = QStandardItemModel(self)
        self._sorted = _ByValue(self)
        self._sorted.setSourceModel(self._rows)
        self.setModel(self._sorted)
        self.setAccessibleName(name)
        self.setAccessibleDescription(self.tr("Arrow keys move; Ctrl+Space sorts by the current column"))
        set_up_table(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def set_table(self, headings: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]]) -> None:
        """Fill the table anew, unsorted, and make the first cell current.

        headings: (words, tooltip) of each column; the first column holds names. rows: for each row a cell (a text and
        the value it sorts by) for each column.
        """
        self._rows.clear()
        self._rows.setHorizontalHeaderLabels([words for words, _ in headings])
        for column, (title, help_words) in enumerate(headings):
            self._rows.setHeaderData(
                column, Qt.Orientation.Horizontal, plain(help_words or title), Qt.ItemDataRole.ToolTipRole
            )
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self._rows.setHeaderData(0, Qt.Orientation.Horizontal, left, Qt.ItemDataRole.TextAlignmentRole)
        for cells in rows:
            items = []
            for column, cell in enumerate(cells):
                item = QStandardItem(cell.text)
                item.setData(cell.value, _SORT)
                item.setTextAlignment(right if column else left)
                if shown := headings[column][1] if column else cell.text:
                    item.setData(plain(shown), Qt.ItemDataRole.ToolTipRole)
                item.setData(f"{headings[column][0]}: {cell.spoken or cell.text}", Qt.ItemDataRole.AccessibleTextRole)
                items.append(item)
            self._rows.appendRow(items)
        header = self.horizontalHeader()
        for column in range(len(headings)):
            mode = QHeaderView.ResizeMode.ResizeToContents if column else QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(column, mode)
        self._sorted.sort(-1)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._use_room()
        if rows:
            self.setCurrentIndex(self._sorted.index(0, 0))

    def shown(self, number: int) -> list[str]:
        """Return the texts of the column of this number, from 0, in the order of the rows as sorted."""
        return [str(self._sorted.index(row, number).data()) for row in range(self._sorted.rowCount())]

    def show_rows(self, most: int) -> None:
        """Fix the height to that of all rows, but at most to that of `most` rows; the others scroll."""
        self._most = most
        self._use_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the figures scroll where the new width has no room for them beside the names."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._use_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Sort by the current column on Ctrl+Space: ascending, or descending if it is sorted ascending already."""
        if event.key() == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            header = self.horizontalHeader()
            column = max(self.currentIndex().column(), 0)
            falling = (
                header.sortIndicatorSection() == column and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
            )
            self.sortByColumn(column, Qt.SortOrder.DescendingOrder if falling else Qt.SortOrder.AscendingOrder)
        else:
            super().keyPressEvent(event)

    def _use_room(self) -> None:
        header, columns = self.horizontalHeader(), range(1, self._sorted.columnCount())
        spare = self.viewport().width() - sum(self.columnWidth(column) for column in columns)
        # a name is whole where it can be, as it says what the row is about; the figures scroll
        name = min(max(self.sizeHintForColumn(0), _LEAST_NAME), _MOST_NAME)
        scrolls = spare < name
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed if scrolls else QHeaderView.ResizeMode.Stretch)
        if scrolls:
            header.resizeSection(0, name)
        if self._most:
            rows = [self.rowHeight(row) for row in range(min(self._most, self._sorted.rowCount()))]
            bar = self.horizontalScrollBar().sizeHint().height() if scrolls else 0
            self.setFixedHeight(header.sizeHint().height() + sum(rows) + bar + 4)


class _ByValue(QSortFilterProxyModel):
    """Sorts by the value behind a cell, not by its words."""

    def lessThan(self, left: QModelIndex | QPersistentModelIndex, right: QModelIndex | QPersistentModelIndex) -> bool:
        a, b = left.data(_SORT), right.data(_SORT)
        if isinstance(a, str) or isinstance(b, str):
            return str(a).casefold() < str(b).casefold()
        return bool(a < b)
