"""The same chart for one set of prompts, or for A and for B, each under its name."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from capt_gui.theme import Theme
from capt_gui.widgets.layout import fill
from capt_gui.widgets.side_badge import SIDES, SideTitle

# width from which two sides stand beside each other
_ROOM = 450

Part = TypeVar("Part", bound=QWidget)


class SidePair(QWidget, Generic[Part]):
    """Two parts beside each other, in a narrow card above each other; the second is hidden while there is one side only."""

    def __init__(self, theme: Theme, a: Part, b: Part) -> None:
        super().__init__()
        self.parts = (a, b)
        self._titles = (SideTitle(theme, "a"), SideTitle(theme, "b"))
        self._columns = (QWidget(), QWidget())
        for column, title, part in zip(self._columns, self._titles, self.parts, strict=True):
            fill(QVBoxLayout(column), title, (part, 1000), (None, 1), spacing=4)
        self._layout = fill(
            QBoxLayout(QBoxLayout.Direction.LeftToRight, self), *((column, 1) for column in self._columns), spacing=16
        )
        self._layout.setSizeConstraint(QBoxLayout.SizeConstraint.SetNoConstraint)
        self.setFocusProxy(a)
        self.name_sides("", "")

    def name_sides(self, a: str, b: str) -> None:
        """Name both sides; two empty names stand for one side only."""
        for title, text in zip(self._titles, (a, b), strict=True):
            title.set_text(text)
            title.setVisible(bool(text))
        self._columns[1].setVisible(bool(b))

    def shown(self) -> tuple[Part, ...]:
        """Return the part of the only side, or of both."""
        return self.parts[: len(SIDES) if self._columns[1].isVisibleTo(self) else 1]

    def minimumSizeHint(self) -> QSize:
        """Two sides ask for no more width than one: they can stand above each other."""
        return QSize(self.parts[0].minimumSizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow card the sides stand above each other."""
        super().resizeEvent(event)
        wide = event.size().width() >= _ROOM
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
