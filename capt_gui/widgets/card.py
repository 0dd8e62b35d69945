"""A rounded surface that holds one thing."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from capt_gui.widgets.layout import fill


class Card(QFrame):
    """A card around one widget; the style sheet paints it."""

    def __init__(self, content: QWidget, margin: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        fill(QVBoxLayout(self), content, margins=margin)
