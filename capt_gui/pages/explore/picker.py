"""A drop-down list of named things."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget


class Picker(QComboBox):
    """Offers (label, key, help) entries; `picked(key)` only when the user chooses."""

    picked = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # long names are cut rather than widening the column
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.activated.connect(self.on_activated)

    def set_entries(self, entries: Sequence[tuple[str, str, str]], key: str) -> None:
        """Replace the entries and show the one with this key."""
        with QSignalBlocker(self):
            if entries != [self._entry(row) for row in range(self.count())]:
                self.clear()
                for row, (label, name, words) in enumerate(entries):
                    self.addItem(label, name)
                    self.setItemData(row, words, Qt.ItemDataRole.ToolTipRole)
            self.setCurrentIndex(max(self.findData(key), 0))

    def on_activated(self, row: int) -> None:
        """Say what the user chose."""
        self.picked.emit(self.itemData(row))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the column scroll: a wheel that passes over a list must not change it."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _entry(self, row: int) -> tuple[str, str, str]:
        return self.itemText(row), self.itemData(row), self.itemData(row, Qt.ItemDataRole.ToolTipRole)
