"""A frozen dataclass with shared methods behaves as one of Python's own."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import pytest

from capt_engine.frozen import dataclass


@dataclass(frozen=True)
class Base:
    """The base."""

    name: str
    size: int = 3


@dataclass(frozen=True)
class Ours(Base):
    """A record with a field of each kind."""

    KIND: ClassVar[str] = "x"

    parts: tuple[int, ...] = field(default_factory=tuple)
    seconds: float = field(default=0.0, compare=False)
    silent: str = field(default="", repr=False)
    apart: bool = field(default=False, kw_only=True)


@dataclasses.dataclass(frozen=True)
class PlainBase:
    """The base, by Python's own decorator."""

    name: str
    size: int = 3


@dataclasses.dataclass(frozen=True)
class Plain(PlainBase):
    """The same record, by Python's own decorator."""

    KIND: ClassVar[str] = "x"

    parts: tuple[int, ...] = field(default_factory=tuple)
    seconds: float = field(default=0.0, compare=False)
    silent: str = field(default="", repr=False)
    apart: bool = field(default=False, kw_only=True)


@dataclasses.dataclass(frozen=True)
class Below(Ours):
    """A record of Python's own kind below one of ours."""

    more: int = 0


@dataclass(frozen=True)
class Counted:
    """A record that looks at itself once it is made."""

    n: int
    seen: ClassVar[list[int]] = []

    def __post_init__(self) -> None:
        self.seen.append(self.n)

    def __repr__(self) -> str:
        return f"<{self.n}>"


TAKEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 4, (1, 2)), {}),
    (("a",), {"seconds": 2.0, "apart": True}),
    ((), {"silent": "s", "name": "b"}),
]
REFUSED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    (("a",), {"name": "b"}),
    (("a",), {"nothing": 1}),
    ((), {"nothing": 1}),
    (("a", 1, (), 0.0, "", True), {}),
    (("a", 1, (), 0.0, "", True, 7), {"apart": True}),
]
SAME: list[Callable[[Any], Any]] = [
    dataclasses.asdict,
    dataclasses.astuple,
    lambda one: repr(one).replace("Plain", "Ours"),
    lambda one: [(each.name, each.kw_only) for each in dataclasses.fields(one)],
    lambda one: str(inspect.signature(type(one))),
    lambda one: type(one).__match_args__,
    lambda one: type(one).__dataclass_params__.frozen,
    lambda one: dataclasses.asdict(dataclasses.replace(one, size=9)),
    lambda one: hash(one) == hash(dataclasses.replace(one, seconds=1.0)),
    lambda one: one == dataclasses.replace(one, seconds=1.0),
    lambda one: one != dataclasses.replace(one, size=9),
    lambda one: one == "another",
    lambda one: pickle.loads(pickle.dumps(one)) == one == copy.deepcopy(one),
]


@pytest.mark.parametrize(("values", "named"), TAKEN)
@pytest.mark.parametrize("look", SAME)
def test_it_is_as_pythons_own(look: Callable[[Any], Any], values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Fields, signature, text, equality, hash, copies and changes are those of a dataclass that Python made."""
    assert look(Ours(*values, **named)) == look(Plain(*values, **named))


@pytest.mark.parametrize(("values", "named"), REFUSED)
def test_it_refuses_what_pythons_own_refuses(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Missing values, strangers, too many, and two values for one field are a TypeError that names the class."""
    for kind in (Ours, Plain):
        with pytest.raises(TypeError, match=r"Ours|__init__"):
            kind(*values, **named)


def test_it_cannot_be_changed() -> None:
    """Neither a field nor anything else can be written or deleted."""
    one = Ours("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.size = 4  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.size
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.stranger = 1  # type: ignore[attr-defined]


def test_pythons_own_stands_below_it() -> None:
    """A class of Python's own kind inherits the fields, and is equal only to its like."""
    below = Below("a", more=2)
    assert (below.size, below.more, below == Below("a", more=2)) == (3, 2, True)
    assert below != Ours("a")


def test_what_a_class_writes_itself_stays() -> None:
    """Its own text is used, and it is told when it is made."""
    assert (repr(Counted(5)), Counted.seen) == ("<5>", [5])


def test_slots_are_refused() -> None:
    """A class with slots has no room for what the shared methods write."""
    with pytest.raises(TypeError, match="slots"):

        @dataclass(frozen=True)
        class Narrow:
            __slots__ = ("n",)
