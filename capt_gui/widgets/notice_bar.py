"""One thing to know about the pictures, in a line, with what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.buttons import Symbol
from capt_gui.widgets.labels import text
from capt_gui.widgets.layout import fill

_KINDS = {"block": ("error", "broken"), "warning": ("state-failed", "warning"), "info": ("info", "text_muted")}


class NoticeBar(QFrame):
    """A symbol, a sentence over its hint, perhaps a button; `action_clicked`. `kind` is "block", "warning" or "info"."""

    action_clicked = Signal()

    def __init__(
        self, theme: Theme, kind: str, message: str, hint: str = "", action: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.message = message
        self.setProperty("notice", kind)
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        symbol = Symbol(theme, 18, *_KINDS[kind])
        texts = fill(QVBoxLayout(), text(message, "strong"), spacing=0)
        if hint:
            texts.addWidget(text(hint, "caption"))
        middle = Qt.AlignmentFlag.AlignVCenter
        layout = fill(QHBoxLayout(self), (symbol, 0, middle), (texts, 1), spacing=12, margins=(14, 8, 10, 8))
        if action:
            self.button = QPushButton(action)
            self.button.setAccessibleName(action)
            self.button.setAccessibleDescription(message)
            self.button.clicked.connect(self.action_clicked)
            layout.addWidget(self.button, 0, middle)
