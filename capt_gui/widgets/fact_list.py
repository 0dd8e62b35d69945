"""A list of facts: names on the left, values that can be selected on the right, perhaps a mark between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.elided_label import ElidedLabel
from capt_gui.widgets.labels import selectable, text


class FactList(QWidget):
    """names: what each value is called, by its key, from the top. codes: keys of hashes, which no line can be broken in.

    A hash is cut where it does not fit; its tooltip has all of it, and its context menu copies it.
    """

    def __init__(
        self, theme: Theme, names: Mapping[str, str], codes: Collection[str] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._values: dict[str, QLabel] = {}
        self._marks: dict[str, Symbol] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(2, 1)
        for row, (key, name) in enumerate(names.items()):
            self._values[key] = self._code() if key in codes else text()
            if key not in codes:
                selectable(self._values[key])
            self._marks[key] = Symbol(theme, 16)
            self._values[key].setAccessibleName(name)
            grid.addWidget(text(name, "muted", wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._marks[key], row, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._values[key], row, 2)

    def set_facts(self, facts: Mapping[str, str]) -> None:
        """Show these values, each by the key that its row has; other rows stay, and an unknown key is a KeyError."""
        for key, value in facts.items():
            label = self._values[key]
            if isinstance(label, ElidedLabel):
                label.set_text(value)
            else:
                label.setText(value)

    def mark(self, key: str) -> Symbol:
        """Return the symbol beside the value of `key`, blank until it gets an icon; KeyError for an unknown key."""
        return self._marks[key]

    def _code(self) -> ElidedLabel:
        label = ElidedLabel(text_role="")
        copy = QAction(self.tr("Copy"), label)
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(label.text()))
        label.addAction(copy)
        label.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return label
