"""Columns of a page: side by side with handles between them, or one in the middle that is no wider than it reads well."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from capt_gui.widgets.layout import fill


def columns(*parts: tuple[QWidget, int, int], sizes: Sequence[int], handle: int = 0) -> QSplitter:
    """Put widgets side by side with handles between them; none can be pushed together to nothing.

    parts: each widget with its share of room that is won or lost, and its least width in pixels. sizes: the first width of each.
    handle: the width of the handles in pixels, 0 for the style's own.
    """
    splitter = QSplitter(Qt.Orientation.Horizontal)
    for number, (widget, stretch, least) in enumerate(parts):
        splitter.addWidget(widget)
        splitter.setStretchFactor(number, stretch)
        widget.setMinimumWidth(least)
    splitter.setChildrenCollapsible(False)
    if handle:
        splitter.setHandleWidth(handle)
    splitter.setSizes(sizes)
    return splitter


def centred(body: QWidget, width: int, share: int = 1000) -> QWidget:
    """Put a widget into the middle, at most `width` pixels wide; it takes `share` times as much room as either side."""
    body.setMaximumWidth(width)
    outer = QWidget()
    fill(QHBoxLayout(outer), (None, 1), (body, share), (None, 1))
    return outer
