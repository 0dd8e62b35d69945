"""Of the pictures that fooled a model a kept run has files of none, of some, or of all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from capt_engine.records import Picture
from capt_engine.runs import fooled_pictures
from capt_engine.runs.fooled_pictures import FooledPictures, chosen_of

PICTURE = Picture(1, 1, b"\x00\x01\x02")
ROWS = [(number, f"a folder/picture {number % 12}.jpg") for number in range(1, 25)]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six files instead of a thousand."""
    monkeypatch.setattr(fooled_pictures, "MOST", 6)


def names(folder: Path) -> set[str]:
    """The files in a folder."""
    return {one.name for one in folder.iterdir()}


def kept(folder: Path, choice: str, *parts: Iterable[tuple[int, str]], seed: int = 3) -> set[str]:
    """What is there when rows were offered in parts, between which the run was interrupted."""
    folder.mkdir()
    for part in parts:
        ours = FooledPictures(folder, choice, seed)
        for number, path in part:
            ours.offer(number, path, PICTURE)
    return names(folder)


def test_all_and_none(tmp_path: Path) -> None:
    """Every row has its file, by number and name; or none has."""
    found = kept(tmp_path / "all", "all", ROWS)
    assert len(found) == 24
    assert "00001_picture_1.png" in found
    assert kept(tmp_path / "none", "none", ROWS) == set()


def test_some_are_the_same_in_any_order_and_after_an_interruption(tmp_path: Path) -> None:
    """They are drawn by the seed from the names, and both rows of a picture stay together."""
    whole = kept(tmp_path / "whole", "some", ROWS)
    assert len(whole) == 6
    assert kept(tmp_path / "back", "some", ROWS[::-1]) == whole
    assert kept(tmp_path / "resumed", "some", ROWS[:9], ROWS[9:]) == whole
    assert kept(tmp_path / "other", "some", ROWS, seed=4) != whole
    stems = [name.partition("_")[2] for name in whole]
    assert {stems.count(one) for one in stems} == {2}
    assert len(kept(tmp_path / "few", "some", ROWS[:5])) == 5


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """A file that somebody put into the folder is neither counted nor deleted."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "holiday.png").write_bytes(b"x")
    ours = FooledPictures(tmp_path / "mine", "some", 3)
    for number, path in ROWS:
        ours.offer(number, path, PICTURE)
    assert len(names(tmp_path / "mine")) == 7
    assert "holiday.png" in names(tmp_path / "mine")


def test_parts_that_are_joined_keep_as_many_as_one_run(tmp_path: Path) -> None:
    """Of the files of all parts the first in the drawn order; all of them, or none, where that was chosen."""
    for name, part in (("1", ROWS[::2]), ("2", ROWS[1::2])):
        kept(tmp_path / name, "some", part)
    files = sorted(tmp_path.glob("*/*.png"))
    assert {one.name for one in chosen_of(files, "some", 3)} == kept(tmp_path / "whole", "some", ROWS)
    assert chosen_of(files, "all", 3) == set(files)
    assert chosen_of(files, "none", 3) == set()
