"""The parts that a model and a prompt checkpoint share: a title, a standing, and what can be done with them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from capt_gui.widgets.labels import text


class ModelItem(QWidget):
    """use_clicked(id), verify_clicked(id), remove_clicked(id): what the user wants of the one that is shown."""

    use_clicked = Signal(str)
    verify_clicked = Signal(str)
    remove_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown_id = ""
        self.title, self.standing = text("", "title", wrap=False), text("", "strong", wrap=False)
        self.standing_mark = QLabel()
        self.about = text()
        self.use = QPushButton(self.tr("Use in the explorer"))
        self.use.setProperty("primary", True)
        self.verify = QPushButton(self.tr("Verify"))
        self.remove = QPushButton(self.tr("Remove…"))
        self.use.clicked.connect(self.on_use)
        self.verify.clicked.connect(self.on_verify)
        self.remove.clicked.connect(self.on_remove)

    def on_use(self) -> None:
        """The user wants to look at pictures with it."""
        self.use_clicked.emit(self.shown_id)

    def on_verify(self) -> None:
        """Is it still what was installed?"""
        self.verify_clicked.emit(self.shown_id)

    def on_remove(self) -> None:
        """The user wants it gone; the page asks first."""
        self.remove_clicked.emit(self.shown_id)

    def head(self) -> QHBoxLayout:
        """The title, and on the right where it stands."""
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.standing_mark)
        head.addWidget(self.standing)
        return head


def in_a_row(*buttons: QPushButton, spacing: int = 10) -> QHBoxLayout:
    """Buttons from the left."""
    row = QHBoxLayout()
    row.setSpacing(spacing)
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
