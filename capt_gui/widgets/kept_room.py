"""Room for words that come later: what stands below does not move when they come."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from capt_gui.widgets.layout import Part, fill


class KeptRoom(QWidget):
    """Parts from the top down, in as much room as `least` says for a width, in pixels; more words than that ask for more."""

    def __init__(self, least: Callable[[int], int], *parts: Part, spacing: int = 4) -> None:
        super().__init__()
        self._strut = _Strut(least)
        words = QWidget()
        fill(QVBoxLayout(words), *parts, (None, 1), spacing=spacing)
        # in one cell, which is as high as the higher of them
        cell = QGridLayout(self)
        cell.setContentsMargins(0, 0, 0, 0)
        cell.addWidget(self._strut, 0, 0)
        cell.addWidget(words, 0, 0)

    def refresh(self) -> None:
        """Ask anew how much room is to be kept."""
        self._strut.updateGeometry()


class _Strut(QWidget):
    """Nothing to be seen, as high as it is told for its width."""

    def __init__(self, least: Callable[[int], int]) -> None:
        super().__init__()
        self._least = least
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        """Return the height that is kept at this width, both in pixels."""
        return self._least(width)
