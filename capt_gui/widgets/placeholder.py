"""A placeholder for something that will come: a symbol, a title, a sentence, perhaps a button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.plain_text import plain_label
from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.layout import fill

_WIDTH = 420


class Placeholder(QWidget):
    """Centred text; `action_clicked` from the button, which is there only when it has a name."""

    action_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._symbol, self._title, self._line = Symbol(theme, 48), plain_label(), plain_label()
        self._title.setProperty("textRole", "title")
        self._line.setProperty("textRole", "muted")
        for label in (self._symbol, self._title, self._line):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self._title, self._line):
            label.setWordWrap(True)
        self._button = QPushButton()
        self._button.setProperty("primary", True)
        self._button.clicked.connect(self.action_clicked)
        body = QWidget()
        body.setMaximumWidth(_WIDTH)
        centred = (self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        parts = ((None, 2), self._symbol, self._title, self._line, 6, centred, (None, 3))
        fill(QVBoxLayout(body), *parts, spacing=10)
        fill(QHBoxLayout(self), (None, 1), (body, 100), (None, 1))

    def set_texts(self, icon: str, title: str, line: str, action: str = "", role: str = "text_muted") -> None:
        """Show an icon of the theme, a title, a sentence below it and, if `action` is not "", a button of that name.

        role: the name of the icon's colour in the theme.
        """
        self._symbol.set_icon(icon, role)
        self._title.setText(title)
        self._line.setText(line)
        self._line.setVisible(bool(line))
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self.setAccessibleName(f"{title}. {line}")

    def title(self) -> str:
        """Return the title that is shown."""
        return self._title.text()
