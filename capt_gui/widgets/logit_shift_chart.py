"""How far the attack moved the score of each class."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class LogitShiftChart(QWidget):
    """Bars of attacked minus clean logit per class."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_shift(
        self, classes: tuple[str, ...], clean_logits: tuple[float, ...], attacked_logits: tuple[float, ...]
    ) -> None:
        """Show one picture's shift."""

    def clear(self) -> None:
        """Show the empty state."""
