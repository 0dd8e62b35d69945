"""Asks for a range of numbers of one of several quantities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from capt_gui.widgets.dialogs import answer_of
from capt_gui.widgets.labels import named, text
from capt_gui.widgets.layout import fill


class Quantity(NamedTuple):
    """A quantity that can be chosen. scale: the factor between its values and the numbers that are typed, 100 for per cent."""

    key: str
    title: str
    unit: str
    scale: float


class Range(NamedTuple):
    """The values of the quantity `key` from `low` to `high`; −∞ or ∞ where nobody set an end."""

    key: str
    low: float
    high: float


class RangeDialog(QDialog):
    """A list of quantities and two fields; an empty field is no limit."""

    def __init__(self, parent: QWidget, title: str, quantities: Sequence[Quantity], start: Range) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._quantities = list(quantities)
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Quantity"))
        self.choice.addItems([one.title for one in quantities])
        keys = [one.key for one in quantities]
        self.choice.setCurrentIndex(keys.index(start.key) if start.key in keys else 0)
        self.low, self.high = self._field(self.tr("From", "the lower end of a range")), self._field(self.tr("To"))
        scale = self._quantity().scale
        for field, end in ((self.low, start.low), (self.high, start.high)):
            if math.isfinite(end):
                field.setText(f"{end * scale:.10g}")
        self._unit = text("", "muted", wrap=False)
        self._problem = text("", "problem")
        kinds = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        line = fill(
            QHBoxLayout(),
            (named(self.tr("From", "the lower end of a range"), self.low), 1),
            (named(self.tr("To"), self.high), 1),
            self._unit,
        )
        fill(
            QVBoxLayout(self), named(self.tr("Quantity"), self.choice), line, self._problem, self._buttons,
            spacing=10, margins=18,
        )  # fmt: skip
        self.setMinimumWidth(380)
        for field in (self.low, self.high):
            field.textChanged.connect(self.on_changed)
        self.choice.currentIndexChanged.connect(self.on_changed)
        self.on_changed()

    def on_changed(self) -> None:
        """Show the unit, and allow OK for a range that holds a number."""
        self._unit.setText(self._quantity().unit)
        low, high = self._number(self.low, -math.inf), self._number(self.high, math.inf)
        wrong = low is None or high is None or low > high
        nothing = low == -math.inf and high == math.inf
        words = self.tr("“From” is above “To”.") if low is not None and high is not None else self.tr("Type numbers.")
        self._problem.setText(words if wrong else "")
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not wrong and not nothing)

    def chosen(self) -> Range:
        """Return the range that the fields hold now."""
        quantity = self._quantity()
        low, high = self._number(self.low, -math.inf), self._number(self.high, math.inf)
        return Range(quantity.key, (low or 0.0) / quantity.scale, (high or 0.0) / quantity.scale)

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit(placeholderText=self.tr("any"))
        field.setAccessibleName(name)
        field.setValidator(QDoubleValidator(field))
        return field

    def _quantity(self) -> Quantity:
        return self._quantities[max(self.choice.currentIndex(), 0)]

    def _number(self, field: QLineEdit, empty: float) -> float | None:
        """The number of a field, with a comma or a point; `empty` for none, None for what is no number."""
        typed = field.text().strip().replace(",", ".").replace("−", "-")
        if not typed:
            return empty
        try:
            number = float(typed)
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def ask_for_range(parent: QWidget, title: str, quantities: Sequence[Quantity], start: Range) -> Range | None:
    """Ask in a dialog over `parent` for a range of one of `quantities`, and return it; None when the user cancels.

    start: the quantity that is chosen at first, with the ends that stand in the fields.
    """
    dialog = RangeDialog(parent, title, quantities, start)
    return dialog.chosen() if answer_of(dialog) else None
