"""A placeholder for something that will come: a symbol, a title, a sentence, perhaps a button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme

_SYMBOL = 48
_WIDTH = 420


class Placeholder(QWidget):
    """Centred words; `action_clicked` from the button, which is there only when it has a name."""

    action_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon, self._role = "info", "text_muted"
        self._symbol = QLabel()
        self._title = QLabel()
        self._title.setProperty("textRole", "title")
        self._line = QLabel()
        self._line.setProperty("textRole", "muted")
        for label in (self._symbol, self._title, self._line):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self._title, self._line):
            # an engine's sentence may name a file with angle brackets; it is never markup
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._button = QPushButton()
        self._button.setProperty("primary", True)
        self._button.clicked.connect(self.action_clicked)
        body = QWidget()
        body.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addStretch(2)
        for widget in (self._symbol, self._title, self._line):
            column.addWidget(widget)
        column.addSpacing(6)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(body, 100)
        layout.addStretch(1)
        theme.changed.connect(self._retint)

    def set_words(self, icon: str, title: str, line: str, action: str = "", role: str = "text_muted") -> None:
        """Say what will be here; `role` is the colour of the symbol."""
        self._icon, self._role = icon, role
        self._title.setText(title)
        self._line.setText(line)
        self._line.setVisible(bool(line))
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self.setAccessibleName(f"{title}. {line}")
        self._retint()

    def title(self) -> str:
        """The title shown."""
        return self._title.text()

    @Slot()
    def _retint(self) -> None:
        self._symbol.setPixmap(self._theme.pixmap(self._icon, _SYMBOL, self._role, self.devicePixelRatioF()))
