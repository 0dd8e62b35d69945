"""Labels that come with dropped pictures: class folders and lists give them, any other folder gives none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from capt_engine.data.given_labels import given
from capt_engine.resources import resource


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two class folders with a picture each."""
    for name in ("cat", "dog"):
        (tmp_path / "album" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "album" / name / "a.png")
    return tmp_path / "album"


def by_name(paths: list[str]) -> tuple[list[str], dict[str, str]]:
    """The paths, and the labels by the last two parts of the path."""
    found, labels = given(paths)
    return found, {"/".join(Path(path).parts[-2:]): label for path, label in labels.items()}


def test_class_folders_label_their_pictures(album: Path) -> None:
    """Two or more; one folder alone is a place like any other, and single pictures are not labelled by where they lie."""
    assert by_name([str(album)]) == ([str(album)], {"cat/a.png": "cat", "dog/a.png": "dog"})
    for path in (album / "cat", album / "cat" / "a.png", album / "nowhere"):
        assert given([str(path)]) == ([str(path)], {})


def test_a_list_stands_for_its_pictures(album: Path) -> None:
    """A CSV with path and label; one that is no list stays, so that somebody can say what is wrong with it."""
    (album / "list.csv").write_text("path,label\ncat/a.png,tabby\n")
    found, labels = by_name([str(album / "list.csv")])
    assert [os.path.relpath(path, album) for path in found] == [str(Path("cat", "a.png"))]
    assert labels == {"cat/a.png": "tabby"}
    for text in ("", "a,b\n1,2\n", "{", "[]"):
        (album / "notes.json").write_text(text)
        assert given([str(album / "notes.json")]) == ([str(album / "notes.json")], {})


def test_the_samples_bring_their_labels() -> None:
    """Each of the toy world's pictures says in its name what it shows."""
    _, labels = given([str(resource("samples"))])
    assert len(labels) == 12
    assert all(Path(path).stem.endswith(f"-{label}") for path, label in labels.items())
