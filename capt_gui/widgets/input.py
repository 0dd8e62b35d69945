"""Keyboard and mouse behaviour that several widgets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

_UP_DOWN = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_LEFT_RIGHT = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


def arrow_step(event: QKeyEvent, *, across: bool = False) -> int:
    """Return 1 if the key pressed is Down, −1 for Up, 0 for any other.

    across: 1 for Right and −1 for Left instead.
    """
    return (_LEFT_RIGHT if across else _UP_DOWN).get(Qt.Key(event.key()), 0)


def keep_wheel_for_focus(control: QWidget) -> None:
    """Let the mouse wheel change `control` only while it has the focus, so that scrolling past changes no setting."""
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_WheelGuard(control))


def inset(box: QAbstractSpinBox) -> None:
    """Move the figures of the spin `box` off its left edge: a style sheet's padding does not reach its text (Qt 6.11)."""
    box.lineEdit().setTextMargins(8, 0, 0, 0)


def leave_undo(editor: QWidget, can_undo: Callable[[], bool], can_redo: Callable[[], bool]) -> None:
    """Let the window's own Undo and Redo have their keys where the text `editor` has nothing left to undo or redo itself."""
    editor.installEventFilter(_UndoGuard(editor, can_undo, can_redo))


def put_after(anchor: QWidget, controls: Iterable[QWidget]) -> None:
    """Put these controls, in this order, right after `anchor` (which may be the box that holds them) for the Tab key.

    For controls that are made late: Qt would put them behind everything else in the window.
    """
    policy = anchor.focusPolicy()
    # Qt orders only what can have the focus
    anchor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    before = anchor
    for control in controls:
        QWidget.setTabOrder(before, control)
        before = control
    anchor.setFocusPolicy(policy)


class _UndoGuard(QObject):
    """Gives up the keys of Undo and Redo over an editor that has nothing to undo; Qt's editors would claim them always."""

    def __init__(self, editor: QWidget, can_undo: Callable[[], bool], can_redo: Callable[[], bool]) -> None:
        super().__init__(editor)
        self._keys = {QKeySequence.StandardKey.Undo: can_undo, QKeySequence.StandardKey.Redo: can_redo}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        del watched
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            for key, can in self._keys.items():
                if event.matches(key) and not can():
                    event.ignore()
                    return True
        return False


class _WheelGuard(QObject):
    """Ignores the wheel over a control without the focus, so that what holds the control scrolls."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
