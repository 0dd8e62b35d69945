"""Keyboard and mouse behaviour that several widgets share."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

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


class _WheelGuard(QObject):
    """Ignores the wheel over a control without the focus, so that what holds the control scrolls."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
