"""The classes with what their pictures are used for, and the pictures of one of them."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from capt_engine.records import USES, Assigned, ClassSplit
from capt_gui.plain_text import plain
from capt_gui.roles import ClassRole
from capt_gui.translate import tr
from capt_gui.view_models.picture_list import Tile

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()

TONES = {"train": "accent", "val": "clean", "test": "ok", "unused": "control"}
"""The colour of each use, a role of the theme."""


class SplitRows(QAbstractListModel):
    """One row for each class."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ClassSplit, ...] = ()

    def show(self, rows: tuple[ClassSplit, ...]) -> None:
        """Show one row for each class in `rows`; if the classes are the same, only their numbers are renewed."""
        same = [own.name for own in rows] == [own.name for own in self._rows]
        if same:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of classes; 0 under a valid `parent`, because rows have no children."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the class name, tooltip, spoken text or counts of the row at `index`, by Qt role or ClassRole.

        None for any other role, or an invalid index.
        """
        if not index.isValid():
            return None
        own = self._rows[index.row()]
        answers: dict[int, object] = {
            Qt.ItemDataRole.DisplayRole: own.name,
            Qt.ItemDataRole.ToolTipRole: plain(f"{own.name}\n{counts_text(own)}"),
            Qt.ItemDataRole.AccessibleTextRole: f"{own.name}: {counts_text(own)}",
            ClassRole.NAME: own.name,
            ClassRole.PARTS: parts(own),
        }
        return answers.get(role)


def parts(own: ClassSplit) -> tuple[int, int, int, int]:
    """Return the numbers of train, validation, test and unused pictures of a class, in this order."""
    return own.train, own.val, own.test, own.unused


def use_name(use: str) -> str:
    """Return the label of a use of pictures: "train", "val", "test" or "unused"; raises KeyError for any other."""
    return {"train": tr("Train"), "val": tr("Validation"), "test": tr("Test"), "unused": tr("Unused")}[use]


def use_help(use: str) -> str:
    """Return a sentence that explains a use of pictures: "train", "val", "test" or "unused"; else raises KeyError."""
    return {
        "train": tr("The prompts are tuned on these."),
        "val": tr(
            "Measured after every epoch, to see when it stops getting better; the prompts are not tuned on them."
        ),
        "test": tr("Kept for the end, and never used for tuning."),
        "unused": tr("More than the number of training pictures."),
    }[use]


def counts_text(own: ClassSplit) -> str:
    """Return the numbers of pictures of a class by use, as "Train 16, Validation 4, Test 12, Unused 0"."""
    return ", ".join(f"{use_name(use)} {count:,}" for use, count in zip(USES, parts(own), strict=True))


def tiles(pictures: tuple[Assigned, ...]) -> list[Tile]:
    """Return a tile for each picture of a class, grouped by use: train, validation, test, then unused."""
    order = {use: number for number, use in enumerate(USES)}
    ordered = sorted(pictures, key=lambda own: order[own.use])
    return [Tile(own.path, use_name(own.use), TONES[own.use], use_help(own.use)) for own in ordered]
