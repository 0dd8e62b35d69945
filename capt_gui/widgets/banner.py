"""A message inside the page, beside its cause."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from capt_gui.theme import Theme, repolish

_COLORS = {"info": "accent", "done": "accent", "warning": "warning", "error": "broken"}
_SYMBOLS = {"done": "check"}


class Banner(QFrame):
    """A symbol, a sentence, a hint, perhaps one or two actions, a way to dismiss; hidden until it has something to say."""

    action_clicked = Signal()
    second_clicked = Signal()
    dismissed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = "info"
        self._symbol = QLabel()
        self._message = QLabel()
        self._message.setProperty("textRole", "strong")
        self._hint = QLabel()
        for label in (self._message, self._hint):
            label.setWordWrap(True)
            # What an engine says may hold a file name with angle brackets; it is never markup.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = QPushButton()
        self._action.clicked.connect(self.action_clicked)
        self._second = QPushButton()
        self._second.clicked.connect(self.second_clicked)
        self._dismiss = QToolButton()
        self._dismiss.setIconSize(QSize(16, 16))
        self._dismiss.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._dismiss.setToolTip(self.tr("Dismiss"))
        self._dismiss.setAccessibleName(self.tr("Dismiss this message"))
        self._dismiss.clicked.connect(self._on_dismissed)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._message)
        words.addWidget(self._hint)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 8, 12)
        layout.setSpacing(12)
        layout.addWidget(self._symbol, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        for button in (self._action, self._second):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._retint)
        self.hide()

    def show_message(self, kind: str, message: str, hint: str = "", action: str = "", second: str = "") -> None:
        """Show a message of kind "info", "done", "warning" or "error"; with `action` and `second`, buttons of those names."""
        self._kind = kind if kind in _COLORS else "info"
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        for button, words in ((self._action, action), (self._second, second)):
            button.setText(words)
            button.setAccessibleName(words or self.tr("No action"))
            button.setVisible(bool(words))
        self.setAccessibleName(message)
        self.setAccessibleDescription(hint)
        self.setProperty("kind", self._kind)
        self._retint()
        repolish(self)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def focus_action(self) -> None:
        """Put the keyboard on the first action: this banner asks something."""
        self._action.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear(self) -> None:
        """Hide the banner without saying `dismissed`."""
        self.hide()

    @Slot()
    def _on_dismissed(self) -> None:
        self.hide()
        self.dismissed.emit()

    @Slot()
    def _retint(self) -> None:
        ratio = self.devicePixelRatioF()
        self._symbol.setPixmap(self._theme.pixmap(_SYMBOLS.get(self._kind, self._kind), 20, _COLORS[self._kind], ratio))
        self._dismiss.setIcon(self._theme.icon("close", "text_muted"))
