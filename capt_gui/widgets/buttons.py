"""Buttons and symbols whose icons follow the theme, and choices of which one is taken."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from capt_gui.plain_text import set_tooltip
from capt_gui.theme import Theme

_LEAST_LABEL = 48
_ICON_ROLES = {"primary": "accent_text", "link": "accent"}


class Symbol(QLabel):
    """An icon of the theme as a label, `size` logical pixels square."""

    def __init__(self, theme: Theme, size: int, icon: str = "", role: str = "text_muted") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._theme, self._size = theme, size
        self._icon, self._role = icon, role
        theme.changed.connect(self._draw)
        self._draw()

    def set_icon(self, icon: str, role: str) -> None:
        """Show the theme's icon named `icon` in the theme's colour named `role`; the name "" changes nothing."""
        self._icon, self._role = icon, role
        self._draw()

    def _draw(self) -> None:
        if self._icon:
            self.setPixmap(self._theme.pixmap(self._icon, self._size, self._role, self.devicePixelRatioF()))


class TextButton(QPushButton):
    """A button with an icon before its text, "" for none. look: "primary", "link", or "" for a plain one."""

    def __init__(
        self, theme: Theme, text: str, icon: str, *, look: str = "", tip: str = "", icon_height: int = 16
    ) -> None:
        super().__init__(text)
        self._theme, self._icon, self._role = theme, icon, _ICON_ROLES.get(look, "text")
        if look:
            self.setProperty(look, True)
        self.setIconSize(QSize(round(icon_height * 4 / 3), icon_height))
        self.setAccessibleName(text.rstrip("…"))
        self.setAccessibleDescription(tip)
        set_tooltip(self, tip)
        theme.changed.connect(self._tint)
        self._tint()

    def set_icon(self, icon: str, role: str) -> None:
        """Show the theme's icon named `icon` before the text, in the theme's colour named `role`."""
        self._icon, self._role = icon, role
        self._tint()

    def _tint(self) -> None:
        if self._icon:
            self.setIcon(self._theme.icon_beside_text(self._icon, self._role))


class LinkButton(TextButton):
    """A link that is cut with an ellipsis where its column is narrower; the whole of it is its name and its tooltip."""

    def __init__(self, theme: Theme, text: str, icon: str, *, tip: str = "") -> None:
        super().__init__(theme, "", icon, look="link", tip=tip or text, icon_height=15)
        self._whole = text
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setText(_literal(text))

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size, at which next to nothing is left of the text."""
        return QSize(80, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Return the size with the whole text, whatever is shown of it now."""
        shown, self_size = self.text(), super().sizeHint()
        metrics = self.fontMetrics()
        more = metrics.horizontalAdvance(self._whole) - metrics.horizontalAdvance(shown.replace("&&", "&"))
        return QSize(self_size.width() + max(more, 0), self_size.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the text where the new width has no room for it."""
        super().resizeEvent(event)
        around = self.sizeHint().width() - self.fontMetrics().horizontalAdvance(self._whole)
        room = self.width() - around
        self.setText(_literal(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)))


class IconButton(QToolButton):
    """A button that is an icon, named by its tooltip; it may have a text beside the icon."""

    def __init__(self, theme: Theme, icon: str, tip: str, role: str = "text", text: str = "") -> None:
        super().__init__()
        self._theme, self._icon, self._role = theme, icon, role
        if text:
            self.setText(text)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        set_tooltip(self, tip)
        self.setAccessibleName(text or tip)
        theme.changed.connect(self._tint)
        self._tint()

    def set_icon(self, icon: str, tip: str) -> None:
        """Show the theme's icon named `icon`; `tip` is the tooltip and the name of the button from now on."""
        self._icon = icon
        set_tooltip(self, tip)
        self.setAccessibleName(tip)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._role))


class KeyedButtons(QButtonGroup):
    """Buttons of which one is taken, each known by a key; `picked(key)` only when the user chooses."""

    picked = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.buttonClicked.connect(self._on_clicked)

    def add(self, key: str, button: QAbstractButton) -> None:
        """Add `button` and make it checkable; `key` is the text that stands for it in `picked` and `key()`."""
        button.setCheckable(True)
        button.setProperty("key", key)
        self.addButton(button)

    def key(self) -> str:
        """Return the key of the button that is checked, "" when none is."""
        button = self.checkedButton()
        return str(button.property("key")) if button is not None else ""

    def _on_clicked(self, button: QAbstractButton) -> None:
        self.picked.emit(str(button.property("key")))


def _literal(text: str) -> str:
    """The text with its ampersands shown, which else mark a key."""
    return text.replace("&", "&&")


class GivingButton(QToolButton):
    """A button that gives way: its label is cut with an ellipsis where there is no room, and then stands in the tooltip.

    label: the words, which the tooltip says while they are cut. words: what the tooltip says of them.
    """

    def __init__(self, label: str, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._words = label, words
        set_tooltip(self, words)

    def minimumSizeHint(self) -> QSize:
        """Return a least width that cuts the label, where the place has no room for all of it."""
        least = super().minimumSizeHint()
        return QSize(min(least.width(), _LEAST_LABEL), least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the label into the tooltip where the new width of `event` has no room for it."""
        super().resizeEvent(event)
        is_cut = bool(self.text()) and self.sizeHint().width() > self.width()
        set_tooltip(self, f"{self._label}\n{self._words}".strip() if is_cut else self._words)
