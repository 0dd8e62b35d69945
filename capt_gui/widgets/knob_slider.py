"""A labelled slider with named stops."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_gui.theme import Theme


class KnobSlider(QWidget):
    """One plain knob: a title, the stop chosen, and words at both ends."""

    value_changed = Signal(object)

    def __init__(self, theme: Theme, title: str, low_text: str, high_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._texts = (title, low_text, high_text)
        self._stops: list[tuple[str, object]] = []
        self._index = 0

    def set_stops(self, stops: list[tuple[str, object]]) -> None:
        """Offer these (label, value) stops; the first becomes current unless the value stays."""
        self._stops = list(stops)
        self._index = 0

    def value(self) -> object:
        """The value of the current stop, None without stops."""
        return self._stops[self._index][1] if self._stops else None

    def set_value(self, value: object) -> None:
        """Move to the stop with this value."""
        self._index = next((i for i, (_, v) in enumerate(self._stops) if v == value), self._index)
