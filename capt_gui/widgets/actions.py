"""Actions of the menus, made in one call."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

Key: TypeAlias = str | QKeySequence.StandardKey


def make_action(owner: QObject, text: str, slot: object, *keys: Key, checked: bool | None = None) -> QAction:
    """Make an action that calls `slot` when it is chosen. keys: its shortcuts, such as "Ctrl+S".

    checked: the present state of an action that is switched on and off; its slot gets the new state. None for other actions.
    """
    action = QAction(text, owner)
    action.setShortcuts([QKeySequence(key) for key in keys])
    if checked is None:
        action.triggered.connect(slot)
    else:
        action.setCheckable(True)
        action.setChecked(checked)
        action.toggled.connect(slot)
    return action
