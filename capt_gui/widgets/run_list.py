"""The kept runs as a list: a title of at most two lines over a caption; several can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QItemSelection, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.card_list import KEY, CardDelegate, CardList, Index
from capt_gui.widgets.painting import draw_text, elided, line_height

_CAPTION = Qt.ItemDataRole.UserRole + 2
_MUTED = Qt.ItemDataRole.UserRole + 3
_PINNED = Qt.ItemDataRole.UserRole + 4
_PIN = 15
_PAD = 10


@dataclass(frozen=True)
class RunEntry:
    """One row: what it is known by, its title, the line under it; `muted` for a run that was not finished; `pinned` has a mark."""

    key: str
    title: str
    caption: str
    muted: bool = False
    pinned: bool = False
    tip: str = ""


class RunList(CardList):
    """`chosen(keys)`, from the top, whenever the user selects others."""

    chosen = Signal(list)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(RunDelegate(theme), parent)
        self._entries: tuple[RunEntry, ...] = ()
        self._filling = False
        self._rows = QStandardItemModel(self)
        self.setModel(self._rows)
        self.setAccessibleName(self.tr("Kept runs"))
        self.setAccessibleDescription(self.tr("Up and down choose a run; with Shift or Ctrl several, side by side"))

    def set_entries(self, entries: Sequence[RunEntry], chosen: Sequence[str]) -> None:
        """Show these rows and select those whose key is in `chosen`, without emitting `chosen`."""
        self._filling = True
        if tuple(entries) != self._entries:
            self._entries = tuple(entries)
            self._rows.clear()
            for entry in entries:
                item = QStandardItem(entry.title)
                for value, role in (
                    (entry.key, KEY),
                    (entry.caption, _CAPTION),
                    (entry.muted, _MUTED),
                    (entry.pinned, _PINNED),
                ):
                    item.setData(value, role)
                set_tooltip(item, entry.tip or f"{entry.title}\n{entry.caption}")
                spoken = (self.tr("pinned"),) if entry.pinned else ()
                item.setData(", ".join((*spoken, entry.title, entry.caption)), Qt.ItemDataRole.AccessibleTextRole)
                self._rows.appendRow(item)
        if list(chosen) != self.selected_keys():
            self._select(chosen)
        self._filling = False

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Emit `chosen` with the selected rows' keys, from the top, unless `set_entries` made the change."""
        super().selectionChanged(selected, deselected)
        if not self._filling:
            self.chosen.emit(self.selected_keys())

    def _select(self, keys: Sequence[str]) -> None:
        selection = self.selectionModel()
        selection.clearSelection()
        for row in range(self._rows.rowCount()):
            index = self._rows.index(row, 0)
            if index.data(KEY) in keys:
                if not selection.hasSelection():
                    selection.setCurrentIndex(index, selection.SelectionFlag.NoUpdate)
                selection.select(index, selection.SelectionFlag.Select)


class RunDelegate(CardDelegate):
    """The title over its caption."""

    inset = (2.0, 2.0)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the size of a row in pixels, which is the same for all rows."""
        title, words = line_height(self.theme, "strong"), line_height(self.theme, "caption")
        return QSize(160, round(2 * title + words) + 2 * _PAD)

    def draw_card(self, painter: QPainter, card: QRectF, index: Index) -> None:
        """Paint the title of the run `index`, in at most two lines, over its caption; an unfinished run is muted."""
        theme, words = self.theme, card.adjusted(_PAD + 2, 0, -_PAD, 0)
        if index.data(_PINNED):
            ratio = painter.device().devicePixelRatioF()
            corner = QPointF(words.right() - _PIN, card.top() + 7)
            painter.drawPixmap(corner, theme.pixmap("pin", _PIN, "accent", ratio))
            words.setRight(words.right() - _PIN - 4)
        title, small = line_height(theme, "strong"), line_height(theme, "caption")
        lines = _two_lines(
            QFontMetricsF(theme.font("strong")), str(index.data(Qt.ItemDataRole.DisplayRole) or ""), words.width()
        )
        words.setTop(card.center().y() - (len(lines) * title + 2 + small) / 2)
        for line in lines:
            words.setHeight(title)
            draw_text(painter, words, line, theme, "strong", "text_muted" if index.data(_MUTED) else "text")
            words.setTop(words.bottom())
        words.translate(0, 2)
        words.setHeight(small)
        draw_text(painter, words, str(index.data(_CAPTION) or ""), theme, "caption", "text_muted")


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
