"""Folders dropped together are understood as a person meant them, or a sentence says why they cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capt_engine.data.sources import Found, find, labelled, splits_of
from capt_engine.errors import BadRequest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def fill(folder: Path, *names: str) -> None:
    """Writes files that look like pictures, with the folders they need."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)


def named(folder: Path, *names: str) -> Found:
    """What some folders in a folder lead to."""
    return find([str(folder / name) for name in names])


def seen(found: Found, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """(path, class) of each item of each split."""
    return {
        split: [(Path(item.path).relative_to(folder).as_posix(), each.classes[item.label]) for item in each.items]
        for split, each in found.splits.items()
    }


def test_several_folders_are_classes(tmp_path: Path) -> None:
    """Each is a class called as it is, in natural order, pictures at any depth belong to it; what they share is the root."""
    fill(tmp_path, "x/b10/1.png", "y/b2/2.png", "y/b2/deep/3.png")
    (tmp_path / "y/empty").mkdir()
    found = named(tmp_path, "x/b10", "y/b2/", "y/empty")
    assert seen(found, tmp_path) == {"all": [("y/b2/2.png", "b2"), ("y/b2/deep/3.png", "b2"), ("x/b10/1.png", "b10")]}
    first = found.splits["all"]
    assert (first.classes, first.root, found.notes) == (("b2", "b10", "empty"), str(tmp_path), ())


def test_several_folders_that_hold_classes(tmp_path: Path) -> None:
    """Where none has pictures of its own, their subfolders are the classes, and those of one name are one class, which is told."""
    fill(tmp_path, "mine/cat/1.png", "mine/dog/1.png", "yours/cat/2.png")
    found = named(tmp_path, "mine", "yours")
    assert seen(found, tmp_path) == {
        "all": [("mine/cat/1.png", "cat"), ("yours/cat/2.png", "cat"), ("mine/dog/1.png", "dog")]
    }
    assert found.notes == ("Folders of the same name were taken together as one class: cat.",)


def test_parts_dropped_together(tmp_path: Path) -> None:
    """Folders called train, val and test are the parts of one set."""
    fill(tmp_path, "Train/cat/1.png", "Train/dog/1.png", "test/dog/2.png")
    assert seen(named(tmp_path, "test", "Train"), tmp_path) == {
        "train": [("Train/cat/1.png", "cat"), ("Train/dog/1.png", "dog")],
        "test": [("test/dog/2.png", "dog")],
    }


def test_one_folder_named_twice_is_one(tmp_path: Path) -> None:
    """It is read as it would be alone."""
    fill(tmp_path, "set/cat/1.png", "set/dog/1.png")
    assert named(tmp_path, "set", "set/").splits == named(tmp_path, "set").splits == splits_of(str(tmp_path / "set"))[0]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "Nothing was named"),
        (("cat", "gone"), "no such file or folder"),
        (("cat", "a\0b"), "no such file or folder"),
        (("cat", "n" * 300), "no such file or folder"),
        (("gone",), "no such file or folder"),
        (("n" * 300,), "no such file or folder"),
        (("cat",), "holds pictures, but no class folders"),
        (("cat", "cat/1.png"), "is a file; where several things are named"),
        (("cat", "list.csv"), "is a file; where several things are named"),
        (("set", "set/inner"), "lies inside"),
        (("cat", "set"), "has pictures directly in it"),
        (("notes", "notes2"), "hold no pictures"),
    ],
)
def test_what_cannot_be_understood(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    """Each has a sentence that says why, and a hint."""
    fill(tmp_path, "cat/1.png", "set/inner/1.png")
    (tmp_path / "list.csv").write_text("path,label\ncat/1.png,cat\n")
    for name in ("notes", "notes2"):
        (tmp_path / name / "empty").mkdir(parents=True)
    with pytest.raises(BadRequest, match=sentence) as caught:
        named(tmp_path, *names)
    assert caught.value.hint


@pytest.mark.skipif(os.name != "posix", reason="links are made the POSIX way")
def test_a_link_to_a_named_folder_is_that_folder(tmp_path: Path) -> None:
    """Two names of one place would put each picture into two classes."""
    fill(tmp_path, "cat/1.png")
    (tmp_path / "dog").symlink_to("cat")
    with pytest.raises(BadRequest, match="lies inside"):
        named(tmp_path, "cat", "dog")


def test_a_list_and_a_benchmark(tmp_path: Path) -> None:
    """One name may be a list; the id of a benchmark needs to be told where it lies."""
    fill(tmp_path, "1.png")
    (tmp_path / "list.csv").write_text("path,label,split\n1.png,cat,test\n")
    assert seen(named(tmp_path, "list.csv"), tmp_path) == {"test": [("1.png", "cat")]}
    assert labelled(str(tmp_path / "list.csv"))[1] == "csv"
    with pytest.raises(BadRequest, match="is a benchmark"):
        find(("oxford_pets",))
