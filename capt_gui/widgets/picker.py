"""A drop-down list of named things."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPaintEvent, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from capt_gui.plain_text import plain, set_tooltip
from capt_gui.widgets.input import keep_wheel_for_focus

_KIND = Qt.ItemDataRole.UserRole + 1

# the style sheet's padding beside the text
_INSET = 6

HEADING, CLOSED = "heading", "closed"

Entry = tuple[str, str, str] | tuple[str, str, str, str]


class Picker(QComboBox):
    """Offers (label, key, help) entries; `picked(key)` only when the user chooses.

    A fourth value of HEADING makes the entry the title of those below it, CLOSED one that cannot be chosen: its help says
    why.
    """

    picked = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: list[tuple[str, ...]] = []
        self.setAccessibleName(name)
        keep_wheel_for_focus(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # long names are cut rather than widening the column
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.activated.connect(self.on_activated)

    def set_entries(self, entries: Sequence[Entry], key: str) -> None:
        """Replace the entries, (label, key, help) each, and show the one with this `key`, or else the first.

        `picked` is not emitted. A fourth value HEADING or CLOSED makes an entry a title, or one that cannot be
        chosen.
        """
        wanted: list[tuple[str, ...]] = [(*entry, "") if len(entry) == 3 else entry for entry in entries]
        with QSignalBlocker(self):
            if wanted != self._shown:
                self._shown = wanted
                self.clear()
                for row, (label, name, help_text, kind) in enumerate(wanted):
                    self.addItem(label, name)
                    self.setItemData(row, plain(help_text), Qt.ItemDataRole.ToolTipRole)
                    self.setItemData(row, kind, _KIND)
                    self._set_open(row, kind)
            self.setCurrentIndex(max(self.findData(key), 0))
        set_tooltip(self, str(self.currentData(Qt.ItemDataRole.ToolTipRole) or ""))

    def on_activated(self, row: int) -> None:
        """Emit `picked` with the key of the entry in `row`, which the user chose."""
        self.picked.emit(self.itemData(row))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the closed list, with an ellipsis where the current label is too long for it."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
        end = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, end, room - _INSET)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def _set_open(self, row: int, kind: str) -> None:
        model = self.model()
        if kind and isinstance(model, QStandardItemModel):
            item = model.item(row)
            item.setEnabled(False)
            if kind == HEADING:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
