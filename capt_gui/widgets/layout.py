"""Boxes filled in one call."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QLayout, QWidget

Item: TypeAlias = QWidget | QLayout | int | None
Part: TypeAlias = Item | tuple[Item, int] | tuple[QWidget, int, Qt.AlignmentFlag]
Box = TypeVar("Box", bound=QBoxLayout)


def fill(layout: Box, *parts: Part, spacing: int = 8, margins: int | tuple[int, int, int, int] = 0) -> Box:
    """Put parts into a box layout, in order, and return the layout.

    parts: a widget, a layout, a number of pixels left free, or None for room that stretches; in a tuple with its
    stretch factor, and perhaps with the alignment of a widget. spacing: pixels between parts. margins: pixels around
    all, one number or (left, top, right, bottom).
    """
    layout.setContentsMargins(*(margins if isinstance(margins, tuple) else (margins,) * 4))
    layout.setSpacing(spacing)
    for part in parts:
        item, stretch, *alignment = part if isinstance(part, tuple) else (part, 0)
        if item is None:
            layout.addStretch(stretch)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item, stretch)
        else:
            layout.addWidget(item, stretch, *alignment)
    return layout


def clear(layout: QLayout) -> None:
    """Take everything out of a layout, and hide and delete its widgets; those in nested layouts stay."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
