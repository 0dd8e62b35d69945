"""Actions of the menus, made in one call."""

from __future__ import annotations

from typing import TypeAlias

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence, QUndoStack
from PySide6.QtWidgets import QMenu

Key: TypeAlias = str | QKeySequence.StandardKey
_NAME_LENGTH = 40


def make_action(owner: QObject, text: str, slot: object, *keys: Key, checked: bool | None = None) -> QAction:
    """Make a menu action named `text`, owned by `owner`, that calls `slot` when it is chosen.

    keys: its shortcuts, such as "Ctrl+S". checked: None for an ordinary action; True or False makes it one that is
    switched on and off, in that state at first, and `slot` then gets the new state.
    """
    action = QAction(text, owner)
    # some standard keys, such as those of Quit, are none on some systems
    action.setShortcuts([one for key in keys if not (one := QKeySequence(key)).isEmpty()])
    if checked is None:
        action.triggered.connect(slot)
    else:
        action.setCheckable(True)
        action.setChecked(checked)
        action.toggled.connect(slot)
    return action


def empty(menu: QMenu) -> None:
    """Remove all entries of a menu that is filled anew whenever it is shown, and delete the menus inside it.

    `QMenu.clear` deletes the entries but leaves the inner menus and theirs behind: a day of work gathers thousands.
    """
    inner = [action.menu() for action in menu.actions() if isinstance(action.menu(), QMenu)]
    menu.clear()
    for one in inner:
        if isinstance(one, QMenu) and one.parent() is menu:
            one.deleteLater()


def menu_line(name: str, *facts: str) -> str:
    """Return the text of a menu entry for something that the user named, with `facts` behind it.

    A long `name` is cut, and "&" is doubled, which would be taken for a shortcut.
    """
    short = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    return " · ".join((short, *facts)).replace("&", "&&")


def undo_actions(owner: QObject, stack: QUndoStack) -> tuple[QAction, QAction]:
    """Make the menu actions of `owner` that undo and redo the changes on `stack`, and that name the next one."""
    undo, redo = stack.createUndoAction(owner), stack.createRedoAction(owner)
    undo.setShortcuts(QKeySequence.StandardKey.Undo)
    redo.setShortcuts(QKeySequence.StandardKey.Redo)
    return undo, redo
