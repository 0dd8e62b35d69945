"""A question at the top of the wizard: go on with the last project, or what to do with an interrupted one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_SYMBOL = 22
_MOST_ANSWERS = 3


class QuestionBar(QFrame):
    """A question with a hint and a button for each answer; emits `answered(key)`."""

    answered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question: tuple[object, ...] = ()
        self.setProperty("offer", True)
        self._message = text(role="strong")
        self._hint = text(role="muted")
        # made once, here: buttons made with the question would come last in the order of Tab
        self._buttons = [QPushButton() for _ in range(_MOST_ANSWERS)]
        for button in self._buttons:
            button.clicked.connect(self._on_clicked)
        symbol = Symbol(theme, _SYMBOL, "restore", "accent")
        question = fill(QVBoxLayout(), self._message, self._hint, spacing=1)
        answers = fill(QHBoxLayout(), *self._buttons)
        fill(QHBoxLayout(self), symbol, (question, 1), answers, spacing=12, margins=(16, 10, 12, 10))
        self.hide()

    def ask(self, message: str, hint: str, answers: Sequence[tuple[str, str]], *, may_answer: bool = True) -> None:
        """Show the question `message`, a `hint` below it ("" for none), and a button for each of at most three `answers`.

        answers: pairs (key, text), the recommended one first; a click emits `answered` with the key. may_answer: False
        disables the buttons.
        """
        question = (message, hint, tuple(answers), may_answer)
        if question == self._question and not self.isHidden():
            return
        self._question = question
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        for button, answer in zip_longest(self._buttons, answers):
            button.setVisible(answer is not None)
            if answer is None:
                continue
            button.setText(answer[1])
            button.setAccessibleDescription(message)
            button.setProperty("key", answer[0])
            button.setProperty("primary", answer is answers[0])
            button.setEnabled(may_answer)
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def focus_first(self) -> bool:
        """Move the keyboard focus to the first answer; return False, and leave it, while there is nothing to answer."""
        asks = not self.isHidden() and self._buttons[0].isEnabled()
        if asks:
            self._buttons[0].setFocus(Qt.FocusReason.TabFocusReason)
        return asks

    def message(self) -> str:
        """Return the text of the question that was asked last, "" before the first."""
        return self._message.text()

    @Slot()
    def _on_clicked(self) -> None:
        self.answered.emit(str(self.sender().property("key")))
