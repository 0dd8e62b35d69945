"""A form drawn from the description of an attack."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from capt_engine.records import ParamInfo, ParamValue
from capt_gui.theme import Theme


class ParamForm(QWidget):
    """One labelled editor per setting."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_params(self, infos: tuple[ParamInfo, ...]) -> None:
        """Rebuild the form, all settings at their defaults."""

    def values(self) -> tuple[tuple[str, ParamValue], ...]:
        """The settings that differ from their defaults."""
        return ()

    def set_values(self, values: tuple[tuple[str, ParamValue], ...]) -> None:
        """Put settings into the form; those not named go back to their defaults."""
