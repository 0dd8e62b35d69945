"""The classes the model is asked about, and the sentence they stand in."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class ClassEditor(QWidget):
    """A template, a list of class names, and what is wrong with them."""

    changed = Signal()
    restore_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._classes: tuple[str, ...] = ()
        self._template = ""

    def classes(self) -> tuple[str, ...]:
        """The class names, in order, without empty lines."""
        return self._classes

    def template(self) -> str:
        """The sentence with `{}` where the class goes."""
        return self._template

    def set_classes(self, classes: tuple[str, ...], template: str) -> None:
        """Fill both editors without saying `changed`."""
        self._classes, self._template = classes, template

    def set_tokens(
        self, tokens: tuple[int, ...], limit: int, too_long: tuple[int, ...], repeated: tuple[int, ...]
    ) -> None:
        """Show how long the names are to the model, and which are a problem."""
