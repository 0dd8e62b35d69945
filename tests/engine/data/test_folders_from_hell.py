"""Each folder from hell gets its own sentence from scan and split, and none of them stops either."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from capt_engine.data import folders, inventory
from capt_engine.data.inventory import Inventory
from capt_engine.data.scan import scan
from capt_engine.data.sources import find
from capt_engine.data.split import divide
from capt_engine.records import ScanResult, SplitRequest, SplitResult
from tests.engine.data.drawn_pictures import class_folder, scene

posix = pytest.mark.skipif(os.name != "posix", reason="such names and links are made the POSIX way")


def scanned(*data: Path) -> tuple[ScanResult, Inventory]:
    """A scan without a window, its inventory having gone through its file's bytes."""
    result, kept = scan(find([str(one) for one in data]), lambda *_: None)
    place = data[0].parent / "kept.csv"
    place.write_bytes(inventory.to_bytes(kept))
    assert inventory.read(place) == kept
    place.unlink()
    return result, kept


def split(kept: Inventory, excluded_classes: Sequence[str] = ()) -> SplitResult:
    """A split with what the wizard begins with."""
    return divide(kept, SplitRequest("", shots=2, excluded_classes=tuple(excluded_classes)))[0]


def test_one_class(tmp_path: Path) -> None:
    """A single class is scanned, said to be alone, and cannot be split."""
    class_folder(tmp_path / "set/cat", 5)
    result, kept = scanned(tmp_path / "set")
    assert "There is only one class, so every prediction is right." in result.notes
    assert split(kept).blocks[0].startswith("There is only one class; telling classes apart needs at least two.")


def test_one_picture_per_class(tmp_path: Path) -> None:
    """Nothing could be tested: the classes are named."""
    for at, name in enumerate(("cat", "dog", "owl")):
        class_folder(tmp_path / "set" / name, 1, seed=at)
    blocks = split(scanned(tmp_path / "set")[1]).blocks
    assert blocks[0].startswith("Fewer than two usable pictures: cat (1), dog (1), owl (1). One is to train on")


def test_three_hundred_classes(tmp_path: Path) -> None:
    """They are a set like any other."""
    for at in range(300):
        class_folder(tmp_path / f"set/kind {at}", 3, seed=at)
    result, kept = scanned(tmp_path / "set")
    assert (len(result.classes), result.usable) == (300, 900)
    divided = split(kept)
    assert divided.blocks == ()
    assert {(each.pool, each.test) for each in divided.classes} == {(2, 1)}


def test_a_class_of_only_broken_files(tmp_path: Path) -> None:
    """Each file has its reason, the class its sentence, and without it the others go on."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 6, seed=at)
    broken = tmp_path / "set/owl"
    broken.mkdir()
    whole = (tmp_path / "set/cat/0.png").read_bytes()
    for name, data in {"cut.png": whole[:200], "empty.jpg": b"", "text.png": b"words", "zeros.gif": bytes(99)}.items():
        (broken / name).write_bytes(data)
    result, kept = scanned(tmp_path / "set")
    assert result.notes == ("Without a single usable picture: owl.",)
    assert {Path(each.path).name: each.message for name, each in result.unreadable if name == "owl"} == {
        "cut.png": "The file ends before the picture is complete.",
        "empty.jpg": "The file is empty.",
        "text.png": "The file holds text, not a picture.",
        "zeros.gif": "The file holds nothing but zero bytes, not a picture.",
    }
    assert "Fewer than two usable pictures: owl (0)." in split(kept).blocks[0]
    assert split(kept, ["owl"]).blocks == ()


def test_the_same_picture_everywhere(tmp_path: Path) -> None:
    """One picture under many names, recompressed too, is nothing to learn from."""
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for at in range(4):
            scene(1, 64).save(tmp_path / f"set/{name}/{at}.jpg", quality=60 + 10 * at)
    result, kept = scanned(tmp_path / "set")
    assert [each.duplicates for each in result.classes] == [4, 4]
    assert result.alike[0].across_classes
    assert "All pictures are the same picture, or look alike" in split(kept).blocks[0]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("🐱", "Names without a letter say little to a model that reads words: 🐱."),
        ("0", "Names without a letter say little to a model that reads words: 0."),
        ("כלב", "CLIP learned from English captions and knows few names in other scripts: כלב."),
        ("קטן كلب", "CLIP learned from English captions and knows few names in other scripts: קטן كلب."),
        ("x" * 200, f"Names of more than 100 characters, which a model would read in part at most: {'x' * 40}…."),
        pytest.param("cat...", "lost where pictures are copied to Windows: 'cat...'.", marks=posix),
        pytest.param(" cat ", "lost where pictures are copied to Windows: ' cat '.", marks=posix),
        pytest.param("big\ncat", r"Names with line breaks or other control characters: 'big\ncat'.", marks=posix),
        pytest.param("DOG", "capital letters, which CLIP does not read", marks=posix),
    ],
)
def test_names(tmp_path: Path, name: str, sentence: str) -> None:
    """A class name that is more trouble than it looks is told of, for classes and files alike it stops nothing."""
    class_folder(tmp_path / "set/dog", 5)
    class_folder(tmp_path / "set" / name, 4, seed=1)
    shutil.copy(class_folder(tmp_path / "more", 1, seed=2) / "0.png", tmp_path / "set" / name / f"{name} too.png")
    result, kept = scanned(tmp_path / "set")
    assert [note for note in result.notes if sentence in note]
    assert (result.usable, len(result.classes)) == (10, 2)
    assert split(kept).blocks == ()


@posix
def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A folder whose name is not UTF-8 cannot be a class until it is renamed; a file with such a name is used."""
    class_folder(tmp_path / "set/cat", 4)
    class_folder(tmp_path / "set/dog", 4, seed=1)
    scene(77).save(tmp_path / "set/cat" / os.fsdecode(b"caf\xe9.png"))
    odd = os.fsdecode(b"\xe9l\xe9phant")
    class_folder(tmp_path / "set" / odd, 4, seed=2)
    result, kept = scanned(tmp_path / "set")
    assert result.usable == 13
    told = "The name holds bytes that are no letters, so that no model can read it: \\udce9l\\udce9phant."
    assert result.notes[0].startswith(told)
    assert split(kept).blocks[0].startswith(told)
    assert split(kept, [odd]).blocks == ()


@posix
@pytest.mark.parametrize("whole_class", [True, False])
def test_an_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_class: bool) -> None:
    """It is one more thing that cannot be read, with its class and its reason; what can be read is used."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 6, seed=at)
    locked = tmp_path / ("set/owl" if whole_class else "set/dog/deeper")
    class_folder(locked, 3, seed=5)
    refuse(monkeypatch, locked)
    result, kept = scanned(tmp_path / "set")
    ((name, told),) = result.unreadable
    assert (name, told.path) == ("owl" if whole_class else "dog", str(locked))
    assert told.message == f"The folder {locked} cannot be read (Permission denied)."
    assert told.hint
    assert result.usable == 12
    if whole_class:
        assert result.notes == ("Without a single usable picture: owl.",)
        assert "owl (0)" in split(kept).blocks[0]
    assert split(kept, ["owl"]).blocks == ()


def refuse(monkeypatch: pytest.MonkeyPatch, locked: Path) -> None:
    """Make one folder unreadable, for a superuser too."""
    locked.chmod(0)
    scandir = os.scandir

    def strict(path: str) -> object:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(folders.os, "scandir", strict)


@posix
def test_a_circle_of_links(tmp_path: Path) -> None:
    """Links that lead up, round, or to another class are told of and not followed; the scan ends."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 4, seed=at)
    links = {"loop": ".", "cat/up": "..", "cat/self": "self", "cat/dogs": "../dog", "dog/round.png": "round.png"}
    for link, target in links.items():
        (tmp_path / "set" / link).symlink_to(target)
    result, kept = scanned(tmp_path / "set")
    told = {
        (name, str(Path(each.path).relative_to(tmp_path / "set"))): each.message for name, each in result.unreadable
    }
    assert set(told) == {
        ("", "loop"),
        ("cat", "cat/up"),
        ("cat", "cat/self"),
        ("cat", "cat/dogs"),
        ("dog", "dog/round.png"),
    }
    assert told.pop(("dog", "dog/round.png")) == "This is a link that leads back to itself."
    assert all("it was not followed" in message for message in told.values())
    assert result.usable == 8
    assert split(kept).blocks == ()


def test_files_that_vanish_while_it_looks(tmp_path: Path) -> None:
    """A folder that is emptied half way through leaves a sentence for each picture that was gone."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 60, seed=at)
    found = find((str(tmp_path / "set"),))

    def progress(done: int, *_: object) -> None:
        if done == 16:
            shutil.rmtree(tmp_path / "set/dog")

    result, kept = scan(found, progress, threads=1)
    gone = [each for name, each in result.unreadable if each.message == "There is no such file." and name == "dog"]
    assert len(gone) == len(result.unreadable)
    assert 20 <= len(gone) <= 60
    assert result.usable == 120 - len(gone)
    assert result.classes[0].usable == 60
    divided = divide(kept, SplitRequest("", shots=2))[0]
    assert len(divided.pictures) == result.usable


def test_nothing_is_written(tmp_path: Path) -> None:
    """Scanning and splitting leave names, bytes and times of a user's folder as they were."""
    for at, name in enumerate(("cat", "dog")):
        class_folder(tmp_path / "set" / name, 4, seed=at)

    def state() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in (tmp_path / "set").rglob("*")}

    before = state()
    split(scanned(tmp_path / "set")[1])
    assert state() == before
