"""A question at the top of the wizard: go on with the last project, or what to do with an interrupted one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.labels import text

_SYMBOL = 22


class Offer(QFrame):
    """A sentence with its hint, and a button for each answer; `answered(key)`."""

    answered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._asked: tuple[object, ...] = ()
        self.setProperty("offer", True)
        self._symbol = QLabel()
        self._message = text(role="strong")
        self._hint = text(role="muted")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 12, 10)
        layout.setSpacing(12)
        layout.addWidget(self._symbol)
        layout.addLayout(words, 1)
        layout.addLayout(self._buttons)
        theme.changed.connect(self._retint)
        self._retint()
        self.hide()

    def ask(self, message: str, hint: str, answers: Sequence[tuple[str, str]], *, may_answer: bool = True) -> None:
        """Show a question with its answers, each (key, words); the first one is the one to take."""
        asked = (message, hint, tuple(answers), may_answer)
        if asked == self._asked and not self.isHidden():
            return
        self._asked = asked
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for number, (key, words) in enumerate(answers):
            button = QPushButton(words)
            button.setAccessibleName(words)
            button.setAccessibleDescription(message)
            button.setProperty("key", key)
            button.setProperty("primary", number == 0)
            button.setEnabled(may_answer)
            button.clicked.connect(self._on_clicked)
            self._buttons.addWidget(button)
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def message(self) -> str:
        """The question shown."""
        return self._message.text()

    @Slot()
    def _on_clicked(self) -> None:
        self.answered.emit(str(self.sender().property("key")))

    @Slot()
    def _retint(self) -> None:
        self._symbol.setPixmap(self._theme.pixmap("restore", _SYMBOL, "accent", self.devicePixelRatioF()))
