"""Columns of a page: side by side with handles between them, or one in the middle that is no wider than it reads well."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from capt_gui.widgets.layout import fill


def columns(*parts: tuple[QWidget, int, int], sizes: Sequence[int], handle: int = 0) -> QSplitter:
    """Return a splitter with these widgets side by side and handles between them; none can be collapsed.

    parts: each widget with its stretch factor and its least width in pixels. sizes: the first width of each in
    pixels. handle: the width of the handles in pixels, 0 for that of the style.
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
    """Return a widget that holds `body` in the middle, at most `width` pixels wide.

    share: the stretch factor of `body`, where the empty room at either side has 1.
    """
    body.setMaximumWidth(width)
    outer = QWidget()
    fill(QHBoxLayout(outer), (None, 1), (body, share), (None, 1))
    return outer
