"""Chips in a flow: each says one thing that holds, and goes when it is clicked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import TextButton
from capt_gui.widgets.flow_layout import FlowLayout
from capt_gui.widgets.layout import clear

_LONGEST = 34


class ChipBar(QWidget):
    """Removable chips, hidden while there is none. `removed(number)`: of the chip that was clicked; `cleared()`: all of them."""

    removed = Signal(int)
    cleared = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._flow = FlowLayout(4, self)
        self._words: tuple[str, ...] = ()
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Filters"))
        self.hide()

    def set_chips(self, words: Sequence[str]) -> None:
        """Show a chip for each of `words`; none hides the bar."""
        if tuple(words) == self._words:
            return
        self._words = tuple(words)
        clear(self._flow)
        for number, text in enumerate(words):
            chip = self._chip(text)
            chip.setProperty("number", number)
            chip.clicked.connect(self._on_clicked)
            self._flow.addWidget(chip)
        if len(words) > 1:
            all_of_them = QPushButton(self.tr("Clear all"))
            all_of_them.setProperty("link", True)
            all_of_them.setProperty("chip", True)
            all_of_them.setAccessibleName(self.tr("Clear all filters"))
            all_of_them.clicked.connect(self.cleared)
            self._flow.addWidget(all_of_them)
        self.setVisible(bool(words))
        self.updateGeometry()

    def chips(self) -> tuple[str, ...]:
        """Return the words of the chips."""
        return self._words

    def _chip(self, text: str) -> QPushButton:
        short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        chip = TextButton(self._theme, short.replace("&", "&&"), "close", icon_height=10)
        chip.setProperty("chip", True)
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        chip.setAccessibleName(self.tr("Remove the filter {}").format(text))
        set_tooltip(chip, self.tr("{} (click to remove)").format(text))
        return chip

    def _on_clicked(self) -> None:
        self.removed.emit(int(self.sender().property("number")))
