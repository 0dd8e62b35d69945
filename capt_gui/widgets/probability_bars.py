"""Probabilities of the likeliest classes, clean against attacked."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_engine.records import Verdict
from capt_gui.theme import Theme


class ProbabilityBars(QWidget):
    """Grouped horizontal bars."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_verdicts(self, classes: tuple[str, ...], clean: Verdict, attacked: Verdict | None, count: int = 5) -> None:
        """Show the union of both top lists."""

    def clear(self) -> None:
        """Show the empty state."""
