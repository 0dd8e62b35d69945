"""The kept runs as a list: a title of at most two lines over a caption; several can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QItemSelection, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.painting import draw_focus_ring, elided

_KEY = Qt.ItemDataRole.UserRole + 1
_CAPTION = Qt.ItemDataRole.UserRole + 2
_MUTED = Qt.ItemDataRole.UserRole + 3
_PAD = 10


@dataclass(frozen=True)
class RunEntry:
    """One row: what it is known by, its title, the line under it; `muted` for a run that was not finished."""

    key: str
    title: str
    caption: str
    muted: bool = False


class RunList(QListView):
    """`chosen(keys)`, from the top, whenever the user selects others."""

    chosen = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[RunEntry, ...] = ()
        self._filling = False
        self._rows = QStandardItemModel(self)
        self.setModel(self._rows)
        self.setItemDelegate(RunDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Kept runs"))
        self.setAccessibleDescription(self.tr("Up and down choose a run; with Shift or Ctrl several, side by side"))
        theme.changed.connect(self.viewport().update)

    def set_entries(self, entries: Sequence[RunEntry], chosen: Sequence[str]) -> None:
        """Show these rows with those of them chosen; says nothing."""
        self._filling = True
        if tuple(entries) != self._entries:
            self._entries = tuple(entries)
            self._rows.clear()
            for entry in entries:
                item = QStandardItem(entry.title)
                for value, role in ((entry.key, _KEY), (entry.caption, _CAPTION), (entry.muted, _MUTED)):
                    item.setData(value, role)
                item.setToolTip(f"{entry.title}\n{entry.caption}")
                item.setData(f"{entry.title}, {entry.caption}", Qt.ItemDataRole.AccessibleTextRole)
                self._rows.appendRow(item)
        if list(chosen) != self.chosen_keys():
            self._select(chosen)
        self._filling = False

    def chosen_keys(self) -> list[str]:
        """Return the keys of the chosen runs, from the top."""
        return [str(index.data(_KEY)) for index in sorted(self.selectedIndexes(), key=lambda index: index.row())]

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Say what is chosen now."""
        super().selectionChanged(selected, deselected)
        if not self._filling:
            self.chosen.emit(self.chosen_keys())

    def _select(self, keys: Sequence[str]) -> None:
        selection = self.selectionModel()
        selection.clearSelection()
        for row in range(self._rows.rowCount()):
            index = self._rows.index(row, 0)
            if index.data(_KEY) in keys:
                if not selection.hasSelection():
                    selection.setCurrentIndex(index, selection.SelectionFlag.NoUpdate)
                selection.select(index, selection.SelectionFlag.Select)


class RunDelegate(QStyledItemDelegate):
    """The title over its caption."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for every row."""
        title, words = (QFontMetricsF(self._theme.font(role)).height() for role in ("strong", "caption"))
        return QSize(160, round(2 * title + words) + 2 * _PAD)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one row."""
        theme = self._theme
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(option.rect).adjusted(2, 2, -2, -2)
        painter.setPen(Qt.PenStyle.NoPen)
        if chosen or hovered:
            painter.setBrush(theme.color("accent_soft" if chosen else "surface_raised"))
            painter.drawRoundedRect(card, 9, 9)
        if chosen:
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(card.left(), card.center().y() - 12, 3, 24), 1.5, 1.5)
        if option.state & QStyle.StateFlag.State_HasFocus:
            draw_focus_ring(painter, card, theme, 8)
        words = card.adjusted(_PAD + 2, 0, -_PAD, 0)
        title, small = QFontMetricsF(theme.font("strong")), QFontMetricsF(theme.font("caption"))
        lines = _two_lines(title, str(index.data(Qt.ItemDataRole.DisplayRole) or ""), words.width())
        top = card.center().y() - (len(lines) * title.height() + 2 + small.height()) / 2
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.color("text_muted" if index.data(_MUTED) else "text"))
        for line in lines:
            painter.drawText(QPointF(words.left(), top + title.ascent()), line)
            top += title.height()
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("text_muted"))
        shown = elided(small, str(index.data(_CAPTION) or ""), words.width())
        painter.drawText(QPointF(words.left(), top + 2 + small.ascent()), shown)
        painter.restore()


def _two_lines(metrics: QFontMetricsF, text: str, width: float) -> list[str]:
    """The text broken between words into at most two lines, the second cut where it is still too long."""
    if metrics.horizontalAdvance(text) <= width:
        return [text]
    words = text.split()
    count = 1
    while count < len(words) and metrics.horizontalAdvance(" ".join(words[: count + 1])) <= width:
        count += 1
    lines = [" ".join(words[:count]), " ".join(words[count:])]
    return [elided(metrics, line, width) for line in lines if line]
