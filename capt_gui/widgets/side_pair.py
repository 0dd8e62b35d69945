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
        """Set the titles of two compared models; "" for both shows only the first part, as for a single model."""
        for title, text in zip(self._titles, (a, b), strict=True):
            title.set_text(text)
            title.setVisible(bool(text))
        self._columns[1].setVisible(bool(b))

    def shown(self) -> tuple[Part, ...]:
        """Return the parts (such as charts) that are shown: one for a single model, or those of models A and B."""
        return self.parts[: len(SIDES) if self._columns[1].isVisibleTo(self) else 1]

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size in pixels, as wide as one part, since two can stand above each other."""
        return QSize(self.parts[0].minimumSizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the parts of models A and B side by side, or one above the other where the new width is small."""
        super().resizeEvent(event)
        wide = event.size().width() >= _ROOM
        self._layout.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
