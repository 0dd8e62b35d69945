"""Labels in the few roles a page uses, a control under its name, and parts one under the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.widgets.layout import Part, fill


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
    label = text(words, "muted", wrap=False)
    label.setBuddy(control)
    return column(label, control, spacing=4)


def column(*parts: Part, spacing: int = 8) -> QWidget:
    """Put parts, as `fill` takes them, one under the other without a margin."""
    box = QWidget()
    fill(QVBoxLayout(box), *parts, spacing=spacing)
    return box
