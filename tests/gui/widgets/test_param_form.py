"""The form: what goes in comes out, to the last bit."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLabel, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from capt_engine.records import ParamInfo
from capt_gui.theme import Theme
from capt_gui.widgets.param_form import ParamForm

THIRD = 1 / 3 / 255
INFOS = (
    ParamInfo("steps", "Steps", "int", 10, 1, 1000, help="How often."),
    ParamInfo("size", "Step size", "float", THIRD, 0.0, 1.0, "/255", help="How far."),
    ParamInfo("momentum", "Momentum", "float", 0.75, 0.0, 1.0, help="How much of the last step is kept."),
    ParamInfo("start", "Random start", "bool", True, help="Begin anywhere."),
    ParamInfo("loss", "Loss", "choice", "ce", choices=("ce", "margin"), help="What is climbed."),
)


@pytest.fixture
def form(theme: Theme, qtbot: QtBot) -> ParamForm:
    """A form on the screen with a setting of each kind."""
    widget = ParamForm(theme)
    widget.set_params(INFOS)
    qtbot.addWidget(widget)
    widget.show()
    return widget


def type_into(form: ParamForm, name: str, text: str, qtbot: QtBot) -> None:
    """Replace the text of a number box as a person would."""
    box = form.editor(name)
    assert isinstance(box, QSpinBox | QDoubleSpinBox)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_a_fresh_form_differs_in_nothing(form: ParamForm) -> None:
    """Defaults are not repeated, even one that cannot be written with few decimals."""
    assert form.values() == ()


@pytest.mark.parametrize("value", [THIRD / 7, 4 / 255, 0.1, 2 / 3])
def test_a_value_nobody_touches_comes_back_bit_for_bit(form: ParamForm, value: float) -> None:
    """What is shown is rounded, what is kept is not."""
    form.set_values((("size", value), ("momentum", value)))
    assert form.values() == (("size", value), ("momentum", value))


@pytest.mark.parametrize("shown", ["0.25", "1", "2.5", "4", "8", "16"])
def test_what_is_typed_in_255ths_is_stored_as_that_fraction(form: ParamForm, shown: str, qtbot: QtBot) -> None:
    """Typing 4 means the very float 4 / 255, and is shown as 4 /255."""
    type_into(form, "size", shown, qtbot)
    assert form.values() == (("size", float(shown) / 255),)
    box = form.editor("size")
    assert isinstance(box, QDoubleSpinBox)
    assert box.text() == f"{shown} /255"


def test_every_kind_can_be_edited_and_says_so(form: ParamForm, qtbot: QtBot) -> None:
    """int, bool and choice arrive with their own types, each with a signal."""
    heard: list[bool] = []
    form.changed.connect(lambda: heard.append(True))
    type_into(form, "steps", "25", qtbot)
    check, choice = form.editor("start"), form.editor("loss")
    assert isinstance(check, QCheckBox)
    assert isinstance(choice, QComboBox)
    qtbot.keyClick(check, Qt.Key.Key_Space)
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert form.values() == (("steps", 25), ("start", False), ("loss", "margin"))
    assert len(heard) >= 3


def test_setting_values_is_silent_and_resets_the_others(form: ParamForm, qtbot: QtBot) -> None:
    """Only a person's edit is a change."""
    with qtbot.assertNotEmitted(form.changed):
        form.set_values((("steps", 50), ("loss", "margin")))
        form.set_values((("steps", 20),))
    assert form.values() == (("steps", 20),)


def test_restore_defaults_is_offered_only_when_it_does_something(form: ParamForm, qtbot: QtBot) -> None:
    """The button is grey at the defaults, and brings them back."""
    button = form.findChild(QPushButton)
    assert button is not None
    assert not button.isEnabled()
    form.set_values((("steps", 50),))
    assert button.isEnabled()
    with qtbot.waitSignal(form.changed):
        button.click()
    assert form.values() == ()


def test_labels_belong_to_their_editors_and_carry_the_help(form: ParamForm) -> None:
    """A click on a label, and its tooltip, lead to the right editor."""
    buddies = {label.text(): label.buddy() for label in form.findChildren(QLabel) if label.buddy()}
    assert buddies["Steps"] is form.editor("steps")
    assert form.editor("steps").toolTip() == "How often."


def test_another_attack_gets_another_form(form: ParamForm) -> None:
    """Old editors are gone, and an attack without settings says so."""
    form.set_params(INFOS[:1])
    form.set_values((("steps", 3), ("size", 0.5)))
    assert form.values() == (("steps", 3),)
    form.set_params(())
    visible = [label.text() for label in form.findChildren(QLabel) if label.isVisible()]
    assert visible == ["This attack has no further settings."]
