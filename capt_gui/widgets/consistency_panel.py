"""The measurements of one picture and its attacked double."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from capt_engine.records import MetricInfo
from capt_gui.theme import Theme


class ConsistencyPanel(QWidget):
    """Label, value, unit and a small meter for each metric."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_metrics(self, infos: tuple[MetricInfo, ...], values: dict[str, float]) -> None:
        """Show the metrics that have a value."""

    def clear(self) -> None:
        """Show the empty state."""
