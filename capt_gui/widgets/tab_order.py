"""The Tab order of controls that are made late: Qt would put them behind everything else in the window."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def put_after(anchor: QWidget, controls: Iterable[QWidget]) -> None:
    """Have Tab pass these controls, in this order, right after the anchor, which may be the box that holds them."""
    policy = anchor.focusPolicy()
    # Qt orders only what can have the focus
    anchor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    before = anchor
    for control in controls:
        QWidget.setTabOrder(before, control)
        before = control
    anchor.setFocusPolicy(policy)
