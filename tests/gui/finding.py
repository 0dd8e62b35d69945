"""Finding the parts of a page or window as a user would: by what they say, not by what the code calls them."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

W = TypeVar("W", bound=QWidget)


def named(where: QWidget, kind: type[W], name: str) -> W:
    """The part of a kind that has this accessible name or text; the visible one, where there is one."""
    found = [one for one in where.findChildren(kind) if name in (one.accessibleName(), getattr(one, "text", str)())]
    assert found, f"there is no {kind.__name__} {name!r}"
    return next((one for one in found if one.isVisible()), found[0])


def button(where: QWidget, name: str) -> QAbstractButton:
    """The button with a name."""
    return named(where, QAbstractButton, name)


def words(where: QWidget) -> list[str]:
    """The lines of text that can be seen there."""
    return [label.text() for label in where.findChildren(QLabel) if label.isVisible()]


def let_go(window: QWidget, mime: QMimeData) -> bool:
    """Drop this on a window: True if it was taken."""
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    # Not sent: of drops, Qt delivers only those that its own drag manager began.
    window.dropEvent(event)
    return event.isAccepted()
