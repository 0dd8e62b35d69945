"""The only reader of JSON and TOML: a value of the type that a file stands for, or one sentence that says what is wrong with it.

Keys that a type does not have are ignored, since a newer version may have written them; a dict[str, Any] keeps them all.
Names of before are read where a dataclass says them: OLD_NAMES: ClassVar[Mapping[str, str]], old → today's.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from capt_engine.errors import BadRequest, CaptError

T = TypeVar("T")
V = TypeVar("V")

MOST_BYTES = 64 << 20
DEEPEST = 64
_PIECE = 1 << 20
_HINT = "It may be cut off or from another program; use a whole copy."


def read_json(
    path: Path,
    kind: type[T],
    *,
    error: type[CaptError] = BadRequest,
    hint: str = _HINT,
    most: int = MOST_BYTES,
    finite: bool = False,
) -> T:
    """Return the value in the JSON file `path`, as the type `kind`; raises `error` where there is none.

    error: the exception for a file that is missing, unreadable, too large, no JSON, or does not fit `kind`; its message
    names the file, and its advice is `hint`. most: the largest size in bytes. finite: refuse NaN and ±Infinity too.
    """
    data = _bytes_of(path, error, hint, most)
    return decode(data, kind, called=repr(str(path)), error=error, hint=hint, most=most, finite=finite)


def read_toml(path: Path, kind: type[T], *, error: type[CaptError] = BadRequest, hint: str = _HINT) -> T:
    """Return the value in the TOML file `path`, as the type `kind`; raises `error` where there is none.

    error: the exception for a file that is missing, unreadable, too large, no TOML, or does not fit `kind`; its message
    names the file, and its advice is `hint`. NaN and ±Infinity are refused too.
    """
    data = _bytes_of(path, error, hint, MOST_BYTES)
    return _decode(data, _toml, "TOML", kind, repr(str(path)), error, hint, MOST_BYTES)


def json_if_sound(path: Path, kind: type[T], *, finite: bool = False) -> T | None:
    """Return the value in the JSON file `path`, as the type `kind`; None where the file is missing, damaged or unfit.

    For files that the program can make again; nothing is raised. finite: a file with NaN or ±Infinity is unfit.
    """
    try:
        return read_json(path, kind, finite=finite)
    except CaptError:
        return None


def decode(
    data: bytes | str,
    kind: type[T],
    *,
    called: str,
    error: type[CaptError] = BadRequest,
    hint: str = _HINT,
    most: int = MOST_BYTES,
    finite: bool = False,
) -> T:
    """Return the value in the JSON text `data`, as the type `kind`; raises `error` where there is none.

    called: what the message names as the place of the text. error: the exception for text that is empty, too long, no
    JSON or does not fit `kind`; its advice is `hint`. most: the largest length (bytes, or characters of a str). finite:
    refuse NaN and ±Infinity too.
    """
    return _decode(data, _finite_json if finite else _json, "JSON", kind, called, error, hint, most)


def fitted(value: object, kind: type[T], *, called: str, error: type[CaptError] = BadRequest, hint: str = _HINT) -> T:
    """Return `value`, which was parsed from JSON or TOML, as the type `kind`; raises `error` where it does not fit.

    called: what the message names as the place of the value. hint: the advice that the exception gives.
    """
    try:
        return msgspec.convert(_today(value, kind), kind)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as problem:
        raise error(f"{called} does not hold what it should: {_words(problem)}.", hint) from problem


def what_fits(values: Mapping[str, object], kind: type[T], unfit: Callable[[str], object] = lambda _: None) -> T:
    """Make an instance of the dataclass `kind` from those of `values` that fit its fields; the rest is ignored.

    values: field name → value, nested for a field that is a dataclass. A field without a fitting value keeps its
    default. unfit: called with the name of each field whose value does not fit.
    """
    taken: dict[str, Any] = {}
    for name, field in get_type_hints(kind, include_extras=True).items():
        if name in values and dataclasses.is_dataclass(field):
            inner = values[name]
            if not isinstance(inner, dict):
                unfit(name)
            taken[name] = what_fits(inner if isinstance(inner, dict) else {}, cast("type", field), unfit)
        elif name in values:
            try:
                taken[name] = fitted(values[name], field, called=name)
            except CaptError:
                unfit(name)
    return kind(**taken)


def renamed(values: Mapping[str, V], old_names: Mapping[str, str]) -> dict[str, V]:
    """Return `values` with each old key replaced by its new one; keys that `old_names` does not list stay.

    old_names: old key → today's.
    """
    return {old_names.get(name, name): value for name, value in values.items()}


def _bytes_of(path: Path, error: type[CaptError], hint: str, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            # In pieces, since `read(n)` makes room for n bytes first; what is beyond `most` tells `_decode` that it is too long.
            data = bytearray()
            while len(data) <= most and (piece := file.read(_PIECE)):
                data += piece
            return bytes(data)
    except FileNotFoundError as problem:
        raise error(f"There is no file {str(path)!r}.", hint) from problem
    except (OSError, ValueError) as problem:  # ValueError: a name that no file can have
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error(f"{str(path)!r} cannot be read: {reason}.", hint) from problem


def _decode(
    data: bytes | str,
    parse: Callable[[str], object],
    language: str,
    kind: type[T],
    called: str,
    error: type[CaptError],
    hint: str,
    most: int,
) -> T:
    if not data:
        raise error(f"{called} is empty.", hint)
    if len(data) > most:
        raise error(f"{called} is longer than {most:,} bytes.", hint)
    try:
        value = parse(data if isinstance(data, str) else data.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise error(f"{called} is not sound {language}: it is not UTF-8.", hint) from problem
    except RecursionError as problem:
        raise error(f"{called} is nested too deeply.", hint) from problem
    except ValueError as problem:
        raise error(f"{called} is not sound {language}: {str(problem)[:200]}.", hint) from problem
    if _is_deep(value):
        raise error(f"{called} is nested too deeply.", hint)
    return fitted(value, kind, called=called, error=error, hint=hint)


def _json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_object)


def _finite_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_number)


def _toml(text: str) -> object:
    return tomllib.loads(text, parse_float=_number)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _number(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:20]} is not a finite number")
    return value


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inside = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [one for part in inside for one in part]
        if not level:
            return False
    return True


@lru_cache
def _fields(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}


@lru_cache
def _has_old_names(kind: Any) -> bool:
    """True where a type or one inside it had other names; a type may stand inside itself."""
    seen, waiting = set(), [kind]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            if hasattr(one, "OLD_NAMES"):
                return True
            waiting += (*get_args(one), *_fields(one).values())
    return False


def _today(value: Any, kind: Any) -> Any:
    """A value under today's names, wherever its type says what they were."""
    if not _has_old_names(kind):
        return value
    if (types := _fields(kind)) and isinstance(value, dict):
        now = renamed(value, getattr(kind, "OLD_NAMES", {}))
        return {name: _today(one, types.get(name, Any)) for name, one in now.items()}
    inner = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        for one in inner:
            value = _today(value, one)
    elif isinstance(value, list) and inner:
        each = (
            itertools.repeat(inner[0])
            if inner[-1] is Ellipsis or len(inner) == 1
            else itertools.chain(inner, itertools.repeat(Any))
        )
        return [_today(one, of) for one, of in zip(value, each, strict=False)]
    elif isinstance(value, dict) and len(inner) == 2:
        return {name: _today(one, inner[1]) for name, one in value.items()}
    return value


def _words(problem: Exception) -> str:
    """Write a fault and its place: "request.seed: expected `int`, got `str`"."""
    said, _, where = str(problem)[:300].partition(" - at `$")
    said = said[:1].lower() + said[1:]
    return f"{where.strip('.`')}: {said}" if where.strip(".`") else said
