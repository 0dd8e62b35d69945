"""Tables of named entries, and settings that describe themselves to forms, captions and help."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Generic, Protocol, TypeVar, cast

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.plugins import Plugin, found
from capt_engine.records import Number, ParamInfo, ParamValue

_KINDS = {bool: "bool", int: "int", float: "float", str: "choice"}


class Named(Protocol):
    """An entry of a table: any object with a name."""

    @property
    def name(self) -> str:
        """Return the name by which a table finds this entry."""


T = TypeVar("T", bound=Named)
P = TypeVar("P")
D = TypeVar("D", int, float, bool, str)


class Table(Generic[T]):
    """Named entries in the order they were written; an unknown name is answered with the nearest one.

    plugins: the entry point group by which other packages add entries behind ours, looked for when the table is first gone
    through or searched for a name that is not ours; fits: accepts what may stand in the table.
    """

    def __init__(
        self, kind: str, *entries: T, plugins: str = "", fits: Callable[[object], bool] = lambda _: True
    ) -> None:
        self._kind, self._group, self._fits = kind, plugins, fits
        self._own = {entry.name: entry for entry in entries}
        if len(self._own) != len(entries):
            raise ValueError(f"two entries of the {kind} table share a name")

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> T:
        """The entry called `name`; raises UnknownName."""
        # A name of ours is answered without a look for plug-ins.
        entries = self._own if name in self._own else self._entries
        if name not in entries:
            raise UnknownName(self._kind, name, entries)
        return entries[name]

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries in order: our own as they were written, then those of plug-ins."""
        return tuple(self._entries)

    def own_names(self) -> tuple[str, ...]:
        """Return the names of the entries that this program brings, without those of plug-ins."""
        return tuple(self._own)

    def plugins(self) -> tuple[Plugin, ...]:
        """Return a record for each plug-in that other packages offer for this table, those skipped as broken too."""
        return found(self._group, self._fits, tuple(self._own)) if self._group else ()

    @cached_property
    def _entries(self) -> dict[str, T]:
        added = (cast(T, one.entry) for one in self.plugins() if not one.problem)
        return self._own | {entry.name: entry for entry in added}


def param(
    default: D,
    label: str,
    *,
    unit: str = "",
    low: Number | None = None,
    high: Number | None = None,
    choices: tuple[str, ...] = (),
    help: str = "",
) -> D:
    """Make a dataclass field with all that a form or a line of help needs to show it as a setting.

    default: its value where none is given. label: its name for people. unit: shown behind the value; "/255" means that
    the value is stored in [0, 1] and shown times 255. low, high: the range that is allowed, both included; None: no
    limit. choices: the texts to choose from. help: one sentence.
    """
    shown = {"label": label, "unit": unit, "low": low, "high": high, "choices": choices, "help": help}
    # Typed as its default, as `dataclasses.field` is: so a field whose annotation does not fit its default is found.
    return dataclasses.field(default=default, metadata={"param": shown})


def describe(entry: type) -> tuple[ParamInfo, ...]:
    """Return one ParamInfo (name, type, default, range, help) for each field of the dataclass `entry` made by `param`.

    Fields come in the order in which they are written; other fields are left out.
    """
    hints = typing.get_type_hints(entry)
    return tuple(
        ParamInfo(
            name=field.name,
            kind=_KINDS[hints[field.name]],
            default=cast(ParamValue, field.default),
            **field.metadata["param"],
        )
        for field in dataclasses.fields(entry)
        if "param" in field.metadata
    )


def build(entry: type[P], values: tuple[tuple[str, ParamValue], ...]) -> P:
    """Make an instance of the dataclass `entry`, whose fields `param` made, from the settings `values`.

    values: pairs of a setting's name and its value; others keep their defaults. Raises UnknownName for a name or choice
    that there is not, BadRequest for a value of another type or out of range.
    """
    known = {info.name: info for info in describe(entry)}
    checked: dict[str, ParamValue] = {}
    for name, value in values:
        if name not in known:
            raise UnknownName("setting", name, known)
        checked[name] = _checked(known[name], value)
    return entry(**checked)


def _checked(info: ParamInfo, value: ParamValue) -> ParamValue:
    if info.kind == "choice":
        if value not in info.choices:
            raise UnknownName(info.label.lower(), str(value), info.choices)
        return value
    if info.kind == "bool":
        if value not in (0, 1):
            raise BadRequest(f"{info.label} takes yes or no, not {value!r}.", "Give it true or false.")
        return bool(value)
    if isinstance(value, (str, bool)):
        raise BadRequest(f"{info.label} takes a number, not {value!r}.")
    if not math.isfinite(value) or (info.kind == "int" and value != int(value)):
        raise BadRequest(f"{info.label} takes a {'whole ' if info.kind == 'int' else ''}number, not {value!r}.")
    number = int(value) if info.kind == "int" else float(value)
    if (info.low is not None and number < info.low) or (info.high is not None and number > info.high):
        raise BadRequest(
            f"{info.label} is {number:g}, outside {info.low:g} to {info.high:g}.", "Choose a value inside that range."
        )
    return number
