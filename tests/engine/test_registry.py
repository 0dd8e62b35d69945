"""Tables answer by name; settings describe themselves, and nothing out of range gets past them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.records import ParamInfo, ParamValue
from capt_engine.registry import Table, build, describe, param


@dataclass(frozen=True)
class Tool:
    """An entry with one setting of every kind, and a field that is none."""

    name: str = "tool"
    count: int = param(3, "Count", low=1, high=10, help="How many.")
    size: float = param(0.5, "Size", unit="/255", low=0.0, high=1.0)
    loud: bool = param(False, "Loud")
    mood: str = param("calm", "Mood", choices=("calm", "wild"))
    free: float = param(1.0, "Free")


TOOLS: Table[Tool] = Table("tool", Tool("saw"), Tool("hammer"), Tool("anvil"))


def test_a_table_keeps_the_order_it_was_written_in() -> None:
    """Names, entries and their number, as on the page."""
    assert TOOLS.names() == ("saw", "hammer", "anvil")
    assert [tool.name for tool in TOOLS] == ["saw", "hammer", "anvil"]
    assert len(TOOLS) == 3
    assert TOOLS["hammer"].name == "hammer"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A slip gets a proposal, nonsense gets the list."""
    with pytest.raises(UnknownName) as slip:
        TOOLS["hamer"]
    assert (slip.value.message, slip.value.hint) == ("There is no tool called 'hamer'.", "Did you mean 'hammer'?")
    with pytest.raises(UnknownName) as nonsense:
        TOOLS["xyz"]
    assert nonsense.value.hint == "Known: anvil, hammer, saw."


def test_two_entries_of_one_name_are_a_mistake() -> None:
    """Found when the table is written, not when the second one is missed."""
    with pytest.raises(ValueError, match="share a name"):
        Table("tool", Tool("saw"), Tool("saw"))


def test_describe_tells_a_form_all_it_needs() -> None:
    """Kind, default, range, unit, choices and help of each setting, in order; other fields are left out."""
    assert describe(Tool) == (
        ParamInfo("count", "Count", "int", 3, 1, 10, help="How many."),
        ParamInfo("size", "Size", "float", 0.5, 0.0, 1.0, "/255"),
        ParamInfo("loud", "Loud", "bool", False),
        ParamInfo("mood", "Mood", "choice", "calm", choices=("calm", "wild")),
        ParamInfo("free", "Free", "float", 1.0),
    )


def test_build_takes_what_is_given_and_leaves_the_rest() -> None:
    """Values land in their fields with their own types; what is not named keeps its default."""
    built = build(Tool, (("count", 7.0), ("size", 1), ("mood", "wild"), ("loud", True)))
    assert built == Tool(count=7, size=1.0, mood="wild", loud=True)
    assert (type(built.count), type(built.size)) == (int, float)
    assert build(Tool, ()) == Tool()


@pytest.mark.parametrize(("name", "value"), [("count", 1), ("count", 10), ("size", 0.0), ("size", 1.0), ("free", -1e9)])
def test_the_ends_of_a_range_belong_to_it(name: str, value: ParamValue) -> None:
    """Lowest and highest may be chosen; without limits anything finite may."""
    assert getattr(build(Tool, ((name, value),)), name) == value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("count", 0, "outside 1 to 10"),
        ("count", 11, "outside 1 to 10"),
        ("count", 2.5, "whole number"),
        ("count", "3", "takes a number"),
        ("count", True, "takes a number"),
        ("count", float("inf"), "number"),
        ("size", -0.1, "outside 0 to 1"),
        ("size", float("nan"), "number"),
        ("mood", "sad", "no mood called 'sad'"),
        ("mood", 3, "no mood called '3'"),
        ("colour", "red", "no setting called 'colour'"),
        ("name", "other", "no setting called 'name'"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: ParamValue, words: str) -> None:
    """Out of range, of another kind, or not a setting at all: one sentence with the words that matter."""
    with pytest.raises(BadRequest) as caught:
        build(Tool, ((name, value),))
    assert words in caught.value.message


@pytest.mark.parametrize("value", ["no", 0.5, 2])
def test_yes_or_no_takes_nothing_else(value: ParamValue) -> None:
    """The word "no" is not a yes."""
    with pytest.raises(BadRequest, match="Loud"):
        build(Tool, (("loud", value),))
