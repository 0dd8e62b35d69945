"""Labels in the few roles a page uses, a control under its name, and parts one under the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget


def text(words: str = "", role: str = "", *, wrap: bool = True, parent: QWidget | None = None) -> QLabel:
    """A plain-text label: `role` is one of the theme's text roles, empty for body text."""
    label = QLabel(words, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    if role:
        label.setProperty("textRole", role)
    if wrap:
        policy = label.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        policy.setHeightForWidth(True)
        label.setSizePolicy(policy)
    return label


def named(words: str, control: QWidget) -> QWidget:
    """A control with its name above it."""
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    label = text(words, "muted", wrap=False)
    label.setBuddy(control)
    layout.addWidget(label)
    layout.addWidget(control)
    return box


def column(*widgets: QWidget, spacing: int = 8) -> QWidget:
    """Parts one under the other, without a margin."""
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return box
