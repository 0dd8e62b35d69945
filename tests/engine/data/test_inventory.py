"""An inventory comes back as it was written, whatever the names; anything else in its place is refused with a sentence."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.data.inventory import COLUMNS, Entry, Inventory, read, to_bytes
from capt_engine.errors import BadRequest
from capt_engine.records import LongName
from tests.engine.data.drawn_pictures import entry, listed

STRANGE = (
    "a,b;c\"d'",
    "line\nbreak\r",
    " spaces ",
    "dots...",
    "🐱",
    "כלב",
    "=1+1",
    "x" * 200,
    os.fsdecode(b"caf\xe9"),
)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    """Strange names, broken bytes among them, clusters and problems survive the way through the file."""
    entries = [entry(f"/pictures/{name}.png", label, "test", cluster=label % 3) for label, name in enumerate(STRANGE)]
    entries.append(Entry("/pictures/broken.png", 0, "train", "", 0, 0, problem='It is "broken", alas.'))
    inventory = Inventory(
        os.fsdecode(b"/pict\xfcres"), "a {}, cut out.", STRANGE, tuple(entries), 77, (LongName(STRANGE[7], 90),)
    )
    (tmp_path / "inventory.csv").write_bytes(to_bytes(inventory))
    assert read(tmp_path / "inventory.csv") == inventory
    assert os.fsencode(STRANGE[8]) in (tmp_path / "inventory.csv").read_bytes()


def test_it_is_a_table_for_others_too(tmp_path: Path) -> None:
    """Behind the first line it is a CSV with the documented columns."""
    (tmp_path / "inventory.csv").write_bytes(to_bytes(listed({"cat": 2, "dog": 1})))
    with (tmp_path / "inventory.csv").open(encoding="utf-8", newline="") as file:
        assert file.readline().startswith('# {"inventory": 1, "root": "/pictures"')
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["path"], row["label"], row["class"], row["cluster"]) for row in rows] == [
        ("/pictures/cat/0.png", "0", "cat", ""),
        ("/pictures/cat/1.png", "0", "cat", ""),
        ("/pictures/dog/0.png", "1", "dog", ""),
    ]


def test_an_empty_one_is_no_special_case(tmp_path: Path) -> None:
    """No pictures, no classes."""
    empty = Inventory("", "{}", (), ())
    (tmp_path / "inventory.csv").write_bytes(to_bytes(empty))
    assert read(tmp_path / "inventory.csv") == empty


GOOD = to_bytes(listed({"cat": 2, "dog": 2}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda _: b"", "is not an inventory"),
        (lambda _: b"path,label\r\n1.png,cat\r\n", "is not an inventory"),
        (lambda _: b"# {\r\n", "is not sound JSON"),
        (lambda _: b"# []\r\n", "does not hold what it should"),
        (lambda _: b'# {"a": 1}\r\n', "is not an inventory"),
        (lambda _: b'# {"inventory": 1}\r\n', "does not hold what it should"),
        (lambda data: data.replace(b'"inventory": 1', b'"inventory": 2'), "another version"),
        (lambda data: data[:-20], "changed or cut off"),
        (lambda data: data.replace(b"dog/0.png", b"dog/9.png"), "changed or cut off"),
        (lambda data: data.replace(b'"cat", "dog"', b'"dog", "cat"'), "is damaged"),
        (lambda data: data.replace(b'"cat", "dog"', b'"cat"'), "is damaged"),
        (lambda _: bytes(1000), "is not an inventory"),
    ],
)
def test_damage_is_a_sentence(tmp_path: Path, damage: Callable[[bytes], bytes], sentence: str) -> None:
    """Whatever is not exactly what was written is refused, and the hint says to scan again."""
    assert damage(GOOD) != GOOD
    (tmp_path / "inventory.csv").write_bytes(damage(GOOD))
    with pytest.raises(BadRequest, match=sentence) as caught:
        read(tmp_path / "inventory.csv")
    assert "Scan" in caught.value.hint


def test_damage_behind_a_right_sum_is_a_sentence(tmp_path: Path) -> None:
    """A table that says nonsense is refused though its sum is right."""
    nonsense = replace(listed({"cat": 1}), entries=(entry("a", 0)._replace(width="wide"),))  # type: ignore[arg-type]
    (tmp_path / "inventory.csv").write_bytes(to_bytes(nonsense))
    with pytest.raises(BadRequest, match=r"is damaged .*wide"):
        read(tmp_path / "inventory.csv")


def test_one_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """So is a folder in its place, and a name that no file has."""
    for path in (tmp_path / "gone.csv", tmp_path, "a\0b"):
        with pytest.raises(BadRequest, match="cannot be read"):
            read(path)
