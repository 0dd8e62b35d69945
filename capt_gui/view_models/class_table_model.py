"""The classes as a table: one row each, numbers that sort, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from capt_engine.records import ClassCount, ScanResult
from capt_gui.plain_text import plain
from capt_gui.roles import ClassRole
from capt_gui.view_models.scan_job import STRIP
from capt_gui.view_models.thumbnail_loader import ThumbnailLoader

Index = QModelIndex | QPersistentModelIndex

NAME, STRIP_COLUMN, LISTED, USABLE, UNREADABLE, TINY, COPIES = range(7)
_NOWHERE = QModelIndex()


class Pictures(Protocol):
    """The source of the classes that are shown: the wizard's data, or the data that is evaluated."""

    thumbnails: ThumbnailLoader

    @property
    def pictures(self) -> Mapping[str, tuple[str, ...]]:
        """The paths of the usable pictures, by name of their class."""

    def class_of(self, path: str) -> str:
        """Return the name of the class that the picture at `path` is labelled as; "" while it is not known."""

    def usable(self, name: str) -> int:
        """Return the number of usable pictures of the class called `name`."""


class ClassTableModel(QAbstractTableModel):
    """Rows in the order of the data set; what changes is told row by row, so that the view keeps its place."""

    def __init__(self, scan: Pictures, left_out: frozenset[str] = frozenset(), parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scan = scan
        self._left_out = left_out
        self._result: ScanResult | None = None
        self._rows: tuple[ClassCount, ...] = ()
        self._row_of: dict[str, int] = {}
        scan.thumbnails.arrived.connect(self.on_arrived)

    def show(self, result: ScanResult | None, left_out: frozenset[str]) -> None:
        """Fill the table from a scan's result, one row for each class; None empties it.

        The same result object again only repaints the rows. left_out: names of the classes to mark as left out.
        """
        self._left_out = left_out
        if result is not self._result:
            self.beginResetModel()
            self._result = result
            self._rows = result.classes if result is not None else ()
            self._row_of = {own.name: row for row, own in enumerate(self._rows)}
            self.endResetModel()
        else:
            self.refresh()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of classes; 0 under any valid `parent`, as the table has no branches."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return 7: name, some pictures, and five counts; 0 under any valid `parent`, as the table has no branches."""
        return 0 if parent.isValid() else COPIES + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return title, tooltip or alignment of the column numbered `section`, as `role` asks; None for any other."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        title, help_text = self._titles()[section]
        answers: dict[int, str] = {
            Qt.ItemDataRole.DisplayRole: title,
            Qt.ItemDataRole.ToolTipRole: plain(help_text or title),
        }
        return answers.get(role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return text, tooltip, sort value, colour or thumbnails of the cell at `index`, as `role` asks, or None."""
        if not index.isValid():
            return None
        own, column = self._rows[index.row()], index.column()
        if role == ClassRole.NAME:
            return own.name
        if role == ClassRole.LEFT_OUT:
            return own.name in self._left_out
        if column == STRIP_COLUMN:
            return (
                self._strip(own.name)
                if role == ClassRole.STRIP
                else ""
                if role == Qt.ItemDataRole.DisplayRole
                else None
            )
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(own.name)
        value = own.name if column == NAME else self._number(own, column)
        if role == ClassRole.SORT:
            return value.casefold() if isinstance(value, str) else value
        if role == ClassRole.TONE:
            return _tone(column, value)
        if role == Qt.ItemDataRole.DisplayRole:
            return value if isinstance(value, str) else "–" if value == 0 and column > USABLE else f"{value:,}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(own, column, value)
        return None

    def refresh(self) -> None:
        """Repaint all rows, because more is now known about the same classes."""
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, COPIES))

    def on_arrived(self, paths: list[str]) -> None:
        """Repaint the thumbnails of the classes of the pictures at `paths`, which have just been loaded."""
        for name in {self._scan.class_of(path) for path in paths}:
            if (row := self._row_of.get(name)) is not None:
                index = self.index(row, STRIP_COLUMN)
                self.dataChanged.emit(index, index)

    def _strip(self, name: str) -> list[object]:
        return [self._scan.thumbnails.get(path) for path in self._scan.pictures.get(name, ())[:STRIP]]

    def _number(self, own: ClassCount, column: int) -> int:
        if column == USABLE:
            return self._scan.usable(own.name)
        return {LISTED: own.listed, UNREADABLE: own.listed - own.usable, TINY: own.tiny, COPIES: own.duplicates}[column]

    def _spoken(self, own: ClassCount, column: int, value: str | int) -> str:
        if column == NAME:
            return self.tr("{}, left out").format(own.name) if own.name in self._left_out else own.name
        return f"{self._titles()[column][0]}: {value}"

    def _titles(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.tr("Class"), self.tr("The name the model is told, that of the folder")),
            ("", self.tr("Some of its pictures")),
            (self.tr("Pictures"), self.tr("Files that were found")),
            (self.tr("Usable"), self.tr("What is left once unreadable pictures and those left out are gone")),
            (self.tr("Unreadable"), self.tr("Files that cannot be read as pictures")),
            (self.tr("Under 32 px"), self.tr("Less than 32 pixels wide or high")),
            (self.tr("Look-alikes"), self.tr("Pictures that look like another one")),
        )


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column in (NAME, STRIP_COLUMN) else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _tone(column: int, value: str | int) -> str:
    if not isinstance(value, int):
        return ""
    if column == USABLE:
        return "broken" if value < 2 else ""
    if column <= LISTED or value == 0:
        return "text_muted"
    return "warning"
