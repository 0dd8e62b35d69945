"""One thing to know about the pictures, in a line, with what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.labels import text

_SYMBOL = 18
_KINDS = {"block": ("error", "broken"), "warning": ("state-failed", "warning"), "info": ("info", "text_muted")}


class NoticeBar(QFrame):
    """A symbol, a sentence over its hint, perhaps a button; `action_clicked`. `kind` is "block", "warning" or "info"."""

    action_clicked = Signal()

    def __init__(
        self, theme: Theme, kind: str, message: str, hint: str = "", action: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = kind
        self.message = message
        self.setProperty("notice", kind)
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        self._symbol = QLabel()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(text(message, "strong"))
        if hint:
            words.addWidget(text(hint, "caption"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 10, 8)
        layout.setSpacing(12)
        layout.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(words, 1)
        if action:
            self.button = QPushButton(action)
            self.button.setAccessibleName(action)
            self.button.setAccessibleDescription(message)
            self.button.clicked.connect(self.action_clicked)
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        theme.changed.connect(self._retint)
        self._retint()

    @Slot()
    def _retint(self) -> None:
        symbol, role = _KINDS[self._kind]
        self._symbol.setPixmap(self._theme.pixmap(symbol, _SYMBOL, role, self.devicePixelRatioF()))
