"""One reader: every file is a value of its type or one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capt_engine.errors import BadCheckpoint, BadRequest, CaptError
from capt_engine.reading import DEEPEST, decode, json_if_sound, read_json, read_toml


@dataclass(frozen=True)
class Part:
    """An inner type whose field had another name."""

    OLD_NAMES: ClassVar[Mapping[str, str]] = {"rate": "lr"}
    lr: float


@dataclass(frozen=True)
class Whole:
    """An outer type with everything that our files hold."""

    n: int
    part: Part
    parts: tuple[Part, ...] = ()
    maybe: Part | None = None
    pair: tuple[str, Part] | None = None
    named: Mapping[str, Part] | None = None
    text: str = ""


SOUND = (
    '{"n": 1, "part": {"rate": 2}, "parts": [{"rate": 3}, {"lr": 4}], "maybe": {"rate": 5}, "pair": ["a", {"rate": 6}], '
    '"named": {"b": {"rate": 7}}, "later": [1]}'
)


def test_a_file_is_read_as_its_type_with_old_names_at_any_depth_and_unknown_keys_passed_over(tmp_path: Path) -> None:
    """Names of before stand for today's in nested, listed, paired, named and optional parts."""
    path = tmp_path / "one.json"
    path.write_text(SOUND, encoding="utf-8")
    assert read_json(path, Whole) == Whole(1, Part(2), (Part(3), Part(4)), Part(5), ("a", Part(6)), {"b": Part(7)})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\xff{}", "not UTF-8"),
        (b"{", "not sound JSON"),
        (b'{"n": 1, "n": 2}', "stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested too deeply"),
        (b"9" * 5000, "not sound JSON"),
        (b"[1]", "expected `object`, got `array`"),
        (b'{"n": 1}', "missing required field `part`"),
        (b'{"n": 1, "part": {"lr": "x"}}', "part.lr: expected `float`, got `str`"),
        (b'{"n": true, "part": {"lr": 1}}', "n: expected `int`, got `bool`"),
        (b'{"n": 1, "part": {"lr": NaN}}', "NaN is not a finite number"),
        (b'{"n": 1, "part": {"lr": 1e999}}', "1e999 is not a finite number"),
        (b" " * 2000, "longer than 1,000 bytes"),
    ],
)
def test_every_malformed_file_is_one_sentence_that_names_it(tmp_path: Path, data: bytes, words: str) -> None:
    """The sentence says which file, and what is wrong with it; the family is the caller's."""
    path = tmp_path / "one.json"
    path.write_bytes(data)
    most = 1000 if data[:1] == b" " else 1 << 20
    with pytest.raises(BadCheckpoint) as caught:
        read_json(path, Whole, error=BadCheckpoint, finite=True, most=most)
    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint


def test_a_file_that_is_not_there_or_no_file_is_a_sentence_too(tmp_path: Path) -> None:
    """A missing file, a folder, and a name that no file can have."""
    for place, words in (
        (tmp_path / "none", "There is no file"),
        (tmp_path, "cannot be read"),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(BadRequest, match=words):
            read_json(place, Whole)
        assert json_if_sound(place, Whole) is None


def test_lone_surrogates_are_kept_since_they_stand_for_bytes_of_file_names(tmp_path: Path) -> None:
    """A path that is not UTF-8 comes back as Python gives it."""
    path = tmp_path / "one.json"
    path.write_bytes(b'["a\\udcff"]')
    assert read_json(path, list[str]) == ["a\udcff"]


def test_toml_is_read_by_the_same_rules(tmp_path: Path) -> None:
    """A table is its type; a broken one, or one nested without end, is a sentence."""
    path = tmp_path / "one.toml"
    path.write_text("n = 1\npart.rate = 2", encoding="utf-8")
    assert read_toml(path, Whole) == Whole(1, Part(2))
    for text in ("n =", "n = " + "[" * 50_000, "n = 'x'\npart.lr = 1", "n = " + "9" * 5000):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadRequest, match=r"one\.toml"):
            read_toml(path, Whole)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: (
        st.lists(inside) | st.dictionaries(st.sampled_from(["n", "part", "parts", "lr", "rate"]) | st.text(), inside)
    ),
)


@given(st.binary(), st.integers(0, len(SOUND)), st.integers(0, 5))
def test_any_bytes_are_a_value_or_a_sentence(noise: bytes, at: int, gone: int) -> None:
    """A sound file with some bytes replaced is read or refused, never anything else."""
    data = SOUND.encode()
    for kind in (Whole, dict[str, Any]):
        assert _is_read_or_refused(data[:at] + noise + data[at + gone :], kind)


@given(PLAIN, st.sampled_from(["n", "part", "parts", "maybe", "pair", "named", "text"]))
def test_any_value_in_any_place_is_a_value_or_a_sentence(value: object, name: str) -> None:
    """Any JSON value where another was expected is taken or refused."""
    assert _is_read_or_refused(json.dumps(json.loads(SOUND) | {name: value}), Whole)


def _is_read_or_refused(text: bytes | str, kind: type) -> bool:
    try:
        return isinstance(decode(text, kind, called="it"), get_origin(kind) or kind)
    except CaptError as error:
        return error.message.startswith("it ")
