"""A message inside the page, beside its cause."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.plain_text import plain_label
from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import IconButton, Symbol
from capt_gui.widgets.labels import selectable
from capt_gui.widgets.layout import fill

_COLORS = {"info": "accent", "done": "accent", "warning": "warning", "error": "broken"}
_SYMBOLS = {"done": "check"}


class Banner(QFrame):
    """A symbol, a sentence, a hint, perhaps one or two actions, a way to dismiss; hidden until it has something to say."""

    action_clicked = Signal()
    second_clicked = Signal()
    third_clicked = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._symbol = Symbol(theme, 20)
        self._message, self._hint = plain_label(), plain_label()
        self._message.setProperty("textRole", "strong")
        for label in (self._message, self._hint):
            label.setWordWrap(True)
        selectable(self._message, self._hint)
        self._action, self._second, self._third = QPushButton(), QPushButton(), QPushButton()
        self._action.clicked.connect(self.action_clicked)
        self._second.clicked.connect(self.second_clicked)
        self._third.clicked.connect(self.third_clicked)
        dismiss = IconButton(theme, "close", self.tr("Dismiss"), "text_muted")
        dismiss.setAccessibleName(self.tr("Dismiss this message"))
        dismiss.clicked.connect(self._on_dismissed)
        top, middle = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter
        texts = fill(QVBoxLayout(), self._message, self._hint, spacing=2)
        row = fill(QHBoxLayout(self), (self._symbol, 0, top), (texts, 1), spacing=12, margins=(16, 12, 8, 12))
        for button in (self._action, self._second, self._third):
            row.addWidget(button, 0, middle)
        row.addWidget(dismiss, 0, top)
        self.hide()

    def show_message(
        self, kind: str, message: str, hint: str = "", action: str = "", second: str = "", third: str = ""
    ) -> None:
        """Show the banner with `message` and, smaller, `hint`, and announce it to screen readers.

        kind: "info", "done", "warning" or "error", which choose symbol and colour; any other counts as "info".
        action, second, third: the names of up to three buttons, "" for none.
        """
        kind = kind if kind in _COLORS else "info"
        self._symbol.set_icon(_SYMBOLS.get(kind, kind), _COLORS[kind])
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        for button, name in ((self._action, action), (self._second, second), (self._third, third)):
            button.setText(name)
            button.setAccessibleName(name or self.tr("No action"))
            button.setVisible(bool(name))
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        self.setProperty("kind", kind)
        repolish(self)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def focus_action(self) -> None:
        """Give the keyboard focus to the first action button, for a message that asks for an answer."""
        self._action.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear(self) -> None:
        """Hide the banner without emitting `dismissed`, which is for the user's own click."""
        self.hide()

    def _on_dismissed(self) -> None:
        self.hide()
        self.dismissed.emit()
