"""A message inside the page, beside its cause."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from capt_gui.plain_text import plain_label
from capt_gui.theme import Theme, repolish
from capt_gui.widgets.buttons import IconButton, Symbol
from capt_gui.widgets.labels import selectable
from capt_gui.widgets.layout import fill

_COLORS = {"info": "accent", "done": "accent", "warning": "warning", "error": "broken"}
_SYMBOLS = {"done": "check"}
# of the room for a banner on a page: the most that it is wide, its distance from the edges, and from the lower one
_WIDEST, _EDGE, _ABOVE = 760, 12, 64


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


class BannerRoom(QWidget):
    """Lies over the lower part of its parent, a page, with a banner in it, so that nothing moves when a message comes and goes."""

    def __init__(self, banner: Banner, parent: QWidget) -> None:
        super().__init__(parent)
        self._page = parent
        self._inside = fill(QVBoxLayout(self), banner)
        parent.installEventFilter(self)
        self.hide()

    def showEvent(self, event: QShowEvent) -> None:
        """Come to the front, at the place that the message needs; Qt handles `event` too."""
        super().showEvent(event)
        self.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of the page `watched`; Qt handles `event` too."""
        if event.type() == QEvent.Type.Resize and watched is self._page:
            self.place()
        return False

    def event(self, event: QEvent) -> bool:
        """Take the height that another message needs; Qt handles `event` first."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.place()
        return done

    def place(self) -> None:
        """Lie in the middle of the page, as far above its lower edge as buttons stand there, in front of all else."""
        page = self._page.rect()
        width = min(_WIDEST, page.width() - 2 * _EDGE)
        wanted = self._inside.totalHeightForWidth(width)
        height = max(wanted if wanted >= 0 else self.sizeHint().height(), self.minimumSizeHint().height())
        top = max(page.height() - _ABOVE - height, _EDGE)
        self.setGeometry((page.width() - width) // 2, top, width, height)
        self.raise_()
