"""Labels in the few roles a page uses, a control under its name, and parts one under the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.plain_text import plain_label
from capt_gui.widgets.layout import Part, fill


def text(shown: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label of plain text that shows `shown`.

    role: one of the theme's text roles such as "caption", "" for body text. wrap: break the text into lines; without
    it the label is as wide as its text.
    """
    label = plain_label(shown)
    label.setWordWrap(wrap)
    if role:
        label.setProperty("textRole", role)
    if wrap:
        policy = label.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        policy.setHeightForWidth(True)
        label.setSizePolicy(policy)
    return label


def named(name: str, control: QWidget) -> QWidget:
    """Return a widget that holds `control` with `name` as a label above it."""
    label = text(name, "muted", wrap=False)
    label.setBuddy(control)
    return column(label, control, spacing=4)


def column(*parts: Part, spacing: int = 8) -> QWidget:
    """Return a widget with these parts one under the other, `spacing` pixels apart and without a margin.

    parts: as `layout.fill` takes them: widgets, layouts, numbers of pixels, or None for a stretch.
    """
    box = QWidget()
    fill(QVBoxLayout(box), *parts, spacing=spacing)
    return box


def selectable(*labels: QLabel) -> None:
    """Let the text of these labels be selected with the mouse, so that it can be copied."""
    for label in labels:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
