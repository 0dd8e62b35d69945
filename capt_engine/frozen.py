"""Frozen dataclasses that are there at once: their methods are shared by all of them, and not compiled anew for each.

Python's own decorator writes six methods for every frozen class and compiles them: 0.6 ms a class, a fifth of the time until the window is
painted, most of it for methods that this run never calls. Here Python's decorator still makes the fields, so that `fields`, `replace`,
`asdict` and pattern matching know such a class as any other; only the methods come from this module. Checkers of types see Python's own.
docs/decisions/0023-dataclasses-that-share-their-methods.md has the figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from inspect import Signature

T = TypeVar("T")


class _Shape(NamedTuple):
    """A class in short.

    names: of all fields that are given. places: of those that may come without their name. values: the defaults; makers: what makes
    one. compared: gives what equality looks at. has_post: `__post_init__` is called.
    """

    names: dict[str, None]
    places: tuple[str, ...]
    values: dict[str, Any]
    makers: dict[str, Callable[[], Any]]
    compared: Callable[[Any], Any]
    has_post: bool


@cache
def _shape(kind: type) -> _Shape:
    all_fields = dataclasses.fields(kind)
    given = [one for one in all_fields if one.init]
    compared = [one.name for one in all_fields if one.compare]
    return _Shape(
        dict.fromkeys(one.name for one in given),
        tuple(one.name for one in given if not one.kw_only),
        {one.name: one.default for one in given if one.default is not dataclasses.MISSING},
        {one.name: one.default_factory for one in given if one.default_factory is not dataclasses.MISSING},
        attrgetter(*compared) if compared else lambda _: (),
        hasattr(kind, "__post_init__"),
    )


def _init(self: Any, *values: Any, **named: Any) -> None:
    kind: Any = type(self)
    shape = _shape(kind)
    given = {**shape.values, **dict(zip(shape.places, values, strict=False)), **named}
    for name in shape.makers.keys() - given.keys() if shape.makers else ():
        given[name] = shape.makers[name]()
    # strangers, too many or two values for one name leave a difference
    if (
        given.keys() != shape.names.keys()
        or len(values) > len(shape.places)
        or named.keys() & shape.places[: len(values)]
    ):
        raise TypeError(_complaint(kind, shape, values, named, given))
    self.__dict__.update(given)
    if shape.has_post:
        self.__post_init__()


def _complaint(kind: type, shape: _Shape, values: tuple[Any, ...], named: dict[str, Any], given: dict[str, Any]) -> str:
    if len(values) > len(shape.places):
        return f"{kind.__qualname__} takes {len(shape.places)} values without their names, not {len(values)}."
    faults = {
        "does not know": named.keys() - shape.names.keys(),
        "was given twice": named.keys() & set(shape.places[: len(values)]),
        "lacks": shape.names.keys() - given.keys(),
    }
    return f"{kind.__qualname__} " + "; ".join(
        f"{fault} {', '.join(sorted(names))}" for fault, names in faults.items() if names
    )


def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in dataclasses.fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    kind: Any = type(self)
    compared = _shape(kind).compared
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    kind: Any = type(self)
    return hash(_shape(kind).compared(self))


class _Made:
    """Stands in a signature for a default that is made for each."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Made()


class _SignatureOnDemand:
    """Tells `inspect.signature` the fields, as it would read them from a written `__init__`."""

    def __get__(self, _: object, kind: Any) -> Signature:
        from inspect import Parameter, Signature

        parameters = []
        for one in dataclasses.fields(kind):
            if one.init:
                way = Parameter.KEYWORD_ONLY if one.kw_only else Parameter.POSITIONAL_OR_KEYWORD
                default: object = _MADE if one.default_factory is not dataclasses.MISSING else one.default
                default = Parameter.empty if default is dataclasses.MISSING else default
                parameters.append(Parameter(one.name, way, default=default, annotation=one.type))
        parameters.sort(key=lambda one: one.kind)
        return Signature(parameters, return_annotation=None)


_METHODS: dict[str, Any] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
}

if not TYPE_CHECKING:

    def dataclass(*, frozen: bool) -> Callable[[type[T]], type[T]]:
        """Make a class a frozen dataclass, as `dataclasses.dataclass(frozen=True)` does; `frozen` says so where it is used.

        What the class writes itself stays. A field that is not given to
        `__init__` cannot be. Raises TypeError for a class with slots.
        """
        del frozen

        def made(kind: type[T]) -> type[T]:
            own = set(vars(kind))
            if "__slots__" in own:
                raise TypeError(f"{kind.__qualname__} has slots: use dataclasses.dataclass.")
            kind = dataclasses.dataclass(init=False, repr=False, eq=False, frozen=True)(kind)
            for name, method in _METHODS.items():
                if name not in own:
                    setattr(kind, name, method)
            if "__hash__" not in own or ("__eq__" in own and kind.__hash__ is None):
                kind.__hash__ = _hash
            kind.__signature__ = _SignatureOnDemand()
            return kind

        return made
