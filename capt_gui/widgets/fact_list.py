"""A list of facts: names on the left, values that can be selected on the right, perhaps a mark between them."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import selectable, text


class FactList(QWidget):
    """names: what each value is called, by its key, from the top."""

    def __init__(self, theme: Theme, names: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: dict[str, QLabel] = {}
        self._marks: dict[str, Symbol] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(2, 1)
        for row, (key, name) in enumerate(names.items()):
            self._values[key], self._marks[key] = text(), Symbol(theme, 16)
            selectable(self._values[key])
            self._values[key].setAccessibleName(name)
            grid.addWidget(text(name, "muted", wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._marks[key], row, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._values[key], row, 2)

    def set_facts(self, facts: Mapping[str, str]) -> None:
        """Show these values, each by the key that its row has; other rows stay, and an unknown key is a KeyError."""
        for key, value in facts.items():
            self._values[key].setText(value)

    def mark(self, key: str) -> Symbol:
        """Return the symbol beside the value of `key`, blank until it gets an icon; KeyError for an unknown key."""
        return self._marks[key]
