"""One editor per kind of setting; each keeps the very number it was given until the user changes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QSignalBlocker
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from capt_engine.records import ParamInfo, ParamValue
from capt_gui.plain_text import set_tooltip
from capt_gui.widgets.input import inset, keep_wheel_for_focus

_WIDEST = 1e9
_SEPARATORS = ".,"
_WIDEST_INT = 2**31 - 1


class FloatEditor(QDoubleSpinBox):
    """A number; one with the unit "/255" is edited times 255.

    What is shown is rounded, what is kept is not: `value_kept` gives back the very float of `set_kept` if nobody typed.
    """

    def __init__(self, info: ParamInfo) -> None:
        super().__init__()
        self._times = 255.0 if info.unit == "/255" else 1.0
        self._kept: float | None = None
        self.setDecimals(4 if self._times > 1 else 6)
        low = -_WIDEST if info.low is None else float(info.low) * self._times
        high = _WIDEST if info.high is None else float(info.high) * self._times
        self.setRange(low, high)
        self.setSingleStep(_step_of(info, self._times))
        if info.unit:
            self.setSuffix(f" {info.unit}")
        inset(self)
        keep_wheel_for_focus(self)
        self._before = _BeforeEditing(self)
        self.valueChanged.connect(self._on_edited)

    def set_kept(self, value: float) -> None:
        """Put in a value, in the unit it is stored in, without emitting a change.

        `value_kept` returns exactly this until the user changes it.
        """
        with QSignalBlocker(self):
            self.setValue(value * self._times)
        self._kept = value

    def value_kept(self) -> float:
        """Return the value in the unit it is stored in: the exact one of `set_kept`, or what the user typed since."""
        return self._kept if self._kept is not None else self.value() / self._times

    def textFromValue(self, value: float) -> str:
        """Return the text that the editor shows for a number: rounded, and without zeros at its end."""
        text = f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".")
        return text.replace(".", self.locale().decimalPoint()) or "0"

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Let a point and a comma stand for the decimal separator, whatever the language of the system.

        Qt would swallow the one that is not its own while one types, and 0,5 would become 5. With two of them nobody
        knows the number, so the text is not complete, and the value of before comes back at the end.
        """
        if _separators(text) > 1:
            return QValidator.State.Intermediate, text, position
        state, _, place = _answer(super().validate(self._localised(text), position))
        return state, text, place

    def fixup(self, text: str) -> str:
        """Return the text of the value before the editing where nobody can read the one that was typed."""
        before = self._before.value
        return self.textFromValue(before) + self.suffix() if _separators(text) > 1 else str(super().fixup(text) or text)

    def valueFromText(self, text: str) -> float:
        """Return the number that a text stands for, written with a point or a comma."""
        return super().valueFromText(self._localised(text))

    def _localised(self, text: str) -> str:
        for separator in _SEPARATORS:
            text = text.replace(separator, self.locale().decimalPoint())
        return text

    def _on_edited(self) -> None:
        self._kept = None


class WholeNumberBox(QSpinBox):
    """A spin box of whole numbers in which 2.5 never becomes 25: a text with a point or a comma is not complete.

    It stays while one types, and the value of before comes back at the end.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inset(self)
        self._before = _BeforeEditing(self)

    def fixup(self, text: str) -> str:
        """Return the text of the value before the editing where the one that was typed is no whole number."""
        before = self.textFromValue(round(self._before.value)) + self.suffix()
        return before if _separators(text) else str(super().fixup(text) or text)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Keep a typed point or comma on the screen, where Qt would swallow it, and call the text incomplete."""
        if _separators(text):
            return QValidator.State.Intermediate, text, position
        return _answer(super().validate(text, position))


class IntEditor(WholeNumberBox):
    """A whole number."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__()
        self.setRange(
            -_WIDEST_INT if info.low is None else int(info.low), _WIDEST_INT if info.high is None else int(info.high)
        )
        if info.unit:
            self.setSuffix(f" {info.unit}")
        keep_wheel_for_focus(self)


class ChoiceEditor(QComboBox):
    """One of a few choices."""

    def __init__(self, info: ParamInfo) -> None:
        super().__init__()
        self.addItems(list(info.choices))
        keep_wheel_for_focus(self)


class Field:
    """An editor with one way in and one way out, whatever its kind."""

    def __init__(self, info: ParamInfo, on_edited: Callable[[], None]) -> None:
        self.info = info
        if info.kind == "bool":
            check = QCheckBox(info.label)
            check.toggled.connect(on_edited)
            self.editor: QWidget = check
        elif info.kind == "int":
            box = IntEditor(info)
            box.valueChanged.connect(on_edited)
            self.editor = box
        elif info.kind == "choice":
            choice = ChoiceEditor(info)
            choice.currentIndexChanged.connect(on_edited)
            self.editor = choice
        else:
            number = FloatEditor(info)
            number.valueChanged.connect(on_edited)
            self.editor = number
        set_tooltip(self.editor, info.help)
        self.editor.setAccessibleName(info.label)
        self.editor.setAccessibleDescription(info.help)
        self.set_value(info.default)

    def value(self) -> ParamValue:
        """Return the present value of this setting, in the unit it is stored in (8/255 as 0.031…, not as 8)."""
        match self.editor:
            case QCheckBox():
                return self.editor.isChecked()
            case IntEditor():
                return self.editor.value()
            case ChoiceEditor():
                return self.editor.currentText()
            case FloatEditor():
                return self.editor.value_kept()
            case _:
                return self.info.default

    def set_value(self, value: ParamValue) -> None:
        """Put a value, in the unit it is stored in, into the editor without telling anyone of a change."""
        with QSignalBlocker(self.editor):
            match self.editor:
                case FloatEditor():
                    self.editor.set_kept(float(value))
                case QCheckBox():
                    self.editor.setChecked(bool(value))
                case IntEditor():
                    self.editor.setValue(int(value))
                case ChoiceEditor():
                    self.editor.setCurrentText(str(value))


class _BeforeEditing(QObject):
    """Holds the value that a spin box had before somebody began to type: while one types, its value follows each key."""

    def __init__(self, box: QDoubleSpinBox | QSpinBox) -> None:
        super().__init__(box)
        self._box = box
        self._is_typing = False
        self.value: float = box.value()
        # comes before the box takes the text for its value
        box.lineEdit().textEdited.connect(self._on_text_edited)
        box.editingFinished.connect(self._on_finished)

    def _on_text_edited(self) -> None:
        if not self._is_typing:
            self._is_typing, self.value = True, self._box.value()

    def _on_finished(self) -> None:
        self._is_typing = False


def _separators(text: str) -> int:
    """Return how many points and commas a text has."""
    return sum(text.count(separator) for separator in _SEPARATORS)


def _answer(given: object) -> tuple[QValidator.State, str, int]:
    """Return what a spin box of Qt says of a text, which its type stub describes as one value and which are three."""
    return given  # type: ignore[return-value]


def _step_of(info: ParamInfo, times: float) -> float:
    if times > 1:
        return 0.25 if float(info.default) * times <= 2 else 1.0
    span = float(info.high) - float(info.low) if info.low is not None and info.high is not None else 10.0
    return 0.01 if span <= 1 else 0.1 if span <= 20 else 1.0
