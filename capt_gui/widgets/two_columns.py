"""Cards in two columns where there is room, else one under the other in the order they were added."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capt_gui.widgets.layout import fill

_ROOM = 1060
_GAP = 12


class TwoColumns(QWidget):
    """Tab follows the order of adding in either shape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[tuple[QWidget, int]] = []
        self._columns = (QVBoxLayout(), QVBoxLayout())
        self._wide = False
        left, right = (fill(column, (None, 1), spacing=_GAP) for column in self._columns)
        self._row = fill(QHBoxLayout(self), (left, 1), right, spacing=_GAP)

    def add(self, card: QWidget, column: int) -> None:
        """Add a card at the end of column 0 or 1; while there is only one column, it takes all cards."""
        self._cards.append((card, column))
        self._put(card, column)

    def is_wide(self) -> bool:
        """Return True while the cards stand in two columns."""
        return self._wide

    def arrange(self) -> None:
        """Put the cards into two columns where there is room and neither would be empty, else into one."""
        some = {column for card, column in self._cards if not card.isHidden()}
        wide = self.width() >= _ROOM and len(some) > 1
        if wide == self._wide:
            return
        self._wide = wide
        for card, _ in self._cards:
            for layout in self._columns:
                layout.removeWidget(card)
        for card, column in self._cards:
            self._put(card, column)
        self._row.setStretch(1, int(wide))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the cards in one or two columns, as the new width allows."""
        super().resizeEvent(event)
        self.arrange()

    def _put(self, card: QWidget, column: int) -> None:
        layout = self._columns[column if self._wide else 0]
        layout.insertWidget(layout.count() - 1, card)
