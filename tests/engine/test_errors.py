"""Every expected failure says what happened and what to do."""

from __future__ import annotations

import inspect
import re

import pytest

from capt_engine import errors
from capt_engine.errors import BadRequest, Cancelled, CaptError, UnknownName

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, CaptError)]


def test_the_tree_drawn_at_the_top_is_the_family() -> None:
    """Each class stands in the module's drawing, so that the first screen tells the truth."""
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in FAMILY)
    assert issubclass(UnknownName, BadRequest)


@pytest.mark.parametrize("kind", [kind for kind in FAMILY if kind not in (UnknownName, Cancelled)])
def test_message_and_hint_are_kept_apart_and_read_together(kind: type[CaptError]) -> None:
    """A window shows them one under the other, a terminal one after the other."""
    error = kind("It broke.", "Mend it.")
    assert (error.message, error.hint, str(error)) == ("It broke.", "Mend it.", "It broke. Mend it.")
    assert str(kind("It broke.")) == "It broke."


def test_an_unknown_name_without_anything_known() -> None:
    """An empty table is said to be empty."""
    assert UnknownName("prompt", "x", []).hint == "Known: none."


def test_an_unknown_name_among_very_many() -> None:
    """Nobody reads a thousand names: some are shown, the rest are counted."""
    hint = UnknownName("class", "???", [f"class {number:04}" for number in range(1000)]).hint
    assert "class 0000" in hint
    assert hint.endswith("and 980 more.")
    assert len(hint) < 400


def test_cancelled_is_a_failure_that_lost_nothing() -> None:
    """It needs no words from whoever raises it."""
    assert str(Cancelled()) == "Cancelled. What was finished is kept."


def test_every_family_has_the_exit_code_of_the_contract() -> None:
    """The codes that scripts rely on, class by class; a class that says nothing is a wrong request."""
    assert {kind.__name__: kind.exit_code for kind in FAMILY} == {
        "CaptError": 2,
        "BadImage": 3,
        "BadCheckpoint": 4,
        "BadRequest": 2,
        "UnknownName": 2,
        "BadPlugin": 2,
        "DeviceProblem": 5,
        "CannotWrite": 5,
        "Cancelled": 130,
        "Stopped": 130,
    }


def test_the_drawing_says_the_exit_codes() -> None:
    """The number beside each class in the module's drawing is the one it has."""
    drawn = dict(re.findall(r"([A-Z]\w+) +(\d+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__: str(kind.exit_code) for kind in FAMILY}
