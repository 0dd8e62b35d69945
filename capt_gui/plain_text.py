"""The one door for words into tooltips, labels and message boxes: whatever a name holds, it is shown as it is written.

Qt takes text that looks like HTML for HTML: a class called `<img src=…>` would have its picture fetched, and of a pipe waited for
without end. Labels are told to show plain text. A tooltip cannot be told, so its first tag is broken by a character without width.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint
from PySide6.QtCore import Qt as QtCore
from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QToolTip, QWidget

_JOINER = "\u2060"


class HasTooltip(Protocol):
    """A widget, an action or an item of a list or table."""

    def setToolTip(self, text: str, /) -> object:
        """Show `text` while the mouse rests on it."""


def plain(text: str) -> str:
    """Return `text` so that Qt shows it as it is written; text that Qt does not take for HTML is returned unchanged.

    Elsewhere a character without width, U+2060, stands behind each "<" and "&".
    """
    if not Qt.mightBeRichText(text):
        return text
    broken = text.replace("<", f"<{_JOINER}").replace("&", f"&{_JOINER}")
    # A declaration at the very beginning is HTML whatever stands in it.
    return f"{_JOINER}{broken}" if Qt.mightBeRichText(broken) else broken


def set_tooltip(target: HasTooltip, text: str) -> None:
    """Give `target` the tooltip `text`, shown as it is written; "" takes it away."""
    target.setToolTip(plain(text))


def show_tooltip(position: QPoint, text: str, widget: QWidget) -> None:
    """Show the tooltip `text` of `widget` at once, as it is written, at a global `position` in pixels; "" hides it."""
    QToolTip.showText(position, plain(text), widget)


def plain_label(text: str = "") -> QLabel:
    """Return a label that shows `text`, and any text it gets later, as it is written."""
    made = QLabel(text)
    made.setTextFormat(QtCore.TextFormat.PlainText)
    return made


def message_box(
    icon: QMessageBox.Icon, title: str, text: str, hint: str = "", parent: QWidget | None = None
) -> QMessageBox:
    """Return a message box, not shown yet and without a button, that shows its words as they are written.

    title: of its window. hint: smaller words below `text`, "" for none. parent: the window that it stands before.
    """
    box = QMessageBox(icon, title, text, QMessageBox.StandardButton.NoButton, parent)
    box.setTextFormat(QtCore.TextFormat.PlainText)
    box.setInformativeText(plain(hint))
    return box
