"""The parts that a model and a prompt checkpoint share: a title, a standing, and what can be done with them."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill


class ModelItem(QWidget):
    """The details of the item `shown_id`; the page connects the buttons `use`, `verify` and `remove`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown_id = ""
        self.title, self.standing = text("", "title"), text("", "strong", wrap=False)
        self.standing_mark = Symbol(theme, 16)
        self.about = text()
        self.use = QPushButton(self.tr("Use in the explorer"))
        self.use.setProperty("primary", True)
        self.verify = QPushButton(self.tr("Verify"))
        self.remove = QPushButton(self.tr("Remove…"))
        self.head = fill(QHBoxLayout(), (self.title, 1), self.standing_mark, self.standing)
