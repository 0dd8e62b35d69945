"""A scan tells what is in a data set, leaves it untouched, and lets nothing that happens to a file stop it."""

from __future__ import annotations

import io
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.data.scan import scan
from capt_engine.data.sources import Found, find, load_splits
from capt_engine.errors import BadRequest, Cancelled
from capt_engine.progress import Progress
from capt_engine.records import Duplicates, ScanResult


def quiet(done: int, total: int, note: str) -> None:
    """A tick that does nothing."""


def look(data: Path | dict[str, LabelledSet], progress: Progress = quiet, **options: Any) -> ScanResult:
    """What a scan says of a folder, or of splits."""
    return scan(Found(data) if isinstance(data, dict) else find((str(data),)), progress, **options)[0]


def scene(seed: int, side: int = 48) -> Image.Image:
    """A smooth random picture, different for each seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC)


def save(path: Path, picture: Image.Image, quality: int = 75) -> Path:
    """Writes a picture, with the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=quality)
    return path


def short(groups: tuple[Duplicates, ...], root: Path) -> list[list[str]]:
    """The paths of each group, from the root."""
    return [[Path(member.path).relative_to(root).as_posix() for member in group.members] for group in groups]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes in two splits, with one of everything that a scan tells of."""
    root = tmp_path_factory.mktemp("toys")
    for number in range(6):
        save(root / f"train/red_cat/{number}.png", scene(number))
    for number in range(2):
        save(root / f"train/dog/{number}.png", scene(100 + number))
        save(root / f"test/dog/{number}.png", scene(200 + number))
    shutil.copy(root / "train/red_cat/0.png", root / "train/dog/same.png")
    shutil.copy(root / "train/red_cat/1.png", root / "train/red_cat/1 again.png")
    save(root / "test/dog/1 alike.jpg", scene(101), quality=80)
    save(root / "train/dog/tiny.png", scene(300, 31))
    (root / "train/dog/broken.jpg").write_bytes(b"\xff\xd8\xff" + b"no picture" * 9)
    (root / "test/dog/empty.png").touch()
    return root


@pytest.fixture(scope="module")
def found(toys: Path) -> ScanResult:
    """What the scan says of it."""
    return look(toys)


def test_counts(toys: Path, found: ScanResult) -> None:
    """Listed and usable pictures are counted by class and split; broken ones are listed but not usable."""
    assert (found.root, found.listed, found.usable) == (str(toys), 16, 14)
    assert found.splits == (("train", 11), ("test", 3))
    assert [(each.name, each.listed, each.usable, each.by_split) for each in found.classes] == [
        ("dog", 9, 7, (("train", 4), ("test", 3))),
        ("red_cat", 7, 7, (("train", 7), ("test", 0))),
    ]
    assert found.imbalance == 1.0


def test_unreadable_pictures_have_reasons(found: ScanResult) -> None:
    """Each picture that cannot be read is named with a sentence and a hint."""
    assert [(name, Path(each.path).name) for name, each in found.unreadable] == [
        ("dog", "broken.jpg"),
        ("dog", "empty.png"),
    ]
    assert all(each.message and each.hint for _, each in found.unreadable)


def test_tiny_pictures(found: ScanResult) -> None:
    """A picture with a side under 32 pixels is named with its size; one of 32 is not tiny."""
    assert [(Path(each.path).name, each.width, each.height) for each in found.tiny] == [("tiny.png", 31, 31)]


def test_exact_duplicates(toys: Path, found: ScanResult) -> None:
    """Copies to the byte are found within a class and across classes, and the crossing is told."""
    assert short(found.same, toys) == [
        ["train/dog/same.png", "train/red_cat/0.png"],
        ["train/red_cat/1 again.png", "train/red_cat/1.png"],
    ]
    assert [(group.across_classes, group.across_splits) for group in found.same] == [(True, False), (False, False)]


def test_near_duplicates(toys: Path, found: ScanResult) -> None:
    """A recompressed copy in the test split is found, and is told to cross the splits; exact copies are not repeated there."""
    assert short(found.alike, toys) == [["train/dog/1.png", "test/dog/1 alike.jpg"]]
    assert [(group.across_classes, group.across_splits) for group in found.alike] == [(False, True)]


def test_copies_of_a_picture_that_looks_like_another(tmp_path: Path) -> None:
    """A group of look-alikes names every copy of its members."""
    save(tmp_path / "a/1.png", scene(1))
    shutil.copy(tmp_path / "a/1.png", save(tmp_path / "b/2.png", scene(2)))
    save(tmp_path / "c/3.jpg", scene(1), quality=80)
    found = look(tmp_path)
    assert short(found.same, tmp_path) == [["a/1.png", "b/2.png"]]
    assert short(found.alike, tmp_path) == [["a/1.png", "b/2.png", "c/3.jpg"]]


def test_nothing_is_changed(tmp_path: Path) -> None:
    """Names, contents and times of the user's files are the same after a scan."""
    save(tmp_path / "a/1.png", scene(1))
    (tmp_path / "a/2.png").write_bytes(b"broken")

    def state() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.rglob("*")}

    before = state()
    look(tmp_path)
    assert state() == before


def test_imbalance_and_notes(tmp_path: Path) -> None:
    """The ratio is that of the largest class to the smallest that has any; empty and equally named classes get a sentence."""
    pictures = [str(save(tmp_path / f"{number}.png", scene(number))) for number in range(4)]
    (tmp_path / "broken.png").write_bytes(b"broken")
    items = [Item(path, 0) for path in pictures[:3]] + [Item(pictures[3], 1), Item(str(tmp_path / "broken.png"), 2)]
    data = LabelledSet("toys", ("big_cat", "dog", "owl", "Big cat"), tuple(items))
    found = look({"all": data})
    assert found.imbalance == 3.0
    assert any("owl, Big cat" in note for note in found.notes)
    assert any("share a name" in note and "big_cat, Big cat" in note for note in found.notes)
    assert any("only one class" in note for note in look({"all": LabelledSet("x", ("a",), ())}).notes)


def test_long_names(toys: Path) -> None:
    """Names are counted within their sentence, underscores as spaces, and those over the limit are named."""
    asked: list[str] = []

    def count_words(sentences: list[str]) -> tuple[int, ...]:
        asked.extend(sentences)
        return tuple(len(sentence.split()) for sentence in sentences)

    found = look(toys, count_tokens=count_words, token_limit=5)
    assert asked == ["a photo of a dog.", "a photo of a red cat."]
    assert [(each.name, each.tokens) for each in found.long_names] == [("red_cat", 6)]
    assert (found.token_limit, look(toys).token_limit) == (5, 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_progress(toys: Path, threads: int) -> None:
    """Progress grows to the number of pictures, is told on the caller's thread, and any number of threads finds the same."""
    told: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, note: str) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append((done, total, note))

    assert look(toys, progress, threads=threads) == look(toys)
    done = [each[0] for each in told]
    assert done == sorted(done)
    assert told[-1][:2] == (16, 16)
    assert {each[2] for each in told} == {"Reading pictures", "Comparing pictures"}


def test_it_can_be_stopped(tmp_path: Path) -> None:
    """Cancelling stops soon, long before every picture is read, and leaves no thread behind."""
    path = save(tmp_path / "a/1.png", scene(1))
    data = LabelledSet("toys", ("a",), (Item(str(path), 0),) * 5000)
    seen: list[int] = []

    def progress(done: int, *_: object) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        look({"all": data}, progress)
    assert seen[-1] < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("capt-scan")]


def test_files_that_vanish(toys: Path, tmp_path: Path) -> None:
    """A file that goes away after it was listed is one more unreadable picture."""
    root = tmp_path / "set"
    shutil.copytree(toys, root)
    sets = load_splits(root)
    (root / "train/dog/0.png").unlink()
    shutil.rmtree(root / "test")
    found = look(sets)
    gone = [each for _, each in found.unreadable if each.message == "There is no such file."]
    assert len(gone) == 5
    assert found.usable == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are made the POSIX way")
def test_strange_files(tmp_path: Path) -> None:
    """Pipes, folders and absurd sizes among the items are reasons, not failures."""
    os.mkfifo(tmp_path / "pipe.png")
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "PNG")
    huge = buffer.getvalue()[:16] + (60_000).to_bytes(4, "big") * 2 + buffer.getvalue()[24:]
    (tmp_path / "huge.png").write_bytes(huge)
    items = tuple(Item(str(tmp_path / name), 0) for name in ("pipe.png", "huge.png", ".", "a\0b.png"))
    found = look({"all": LabelledSet("x", ("a",), items)})
    assert (found.usable, len(found.unreadable), found.imbalance) == (0, 4, 1.0)


def test_splits_of_different_sets_are_refused(tmp_path: Path) -> None:
    """Splits must mean the same by their labels, and a path must hold a data set."""
    with pytest.raises(BadRequest, match="same classes"):
        look({"train": LabelledSet("x", ("a",), ()), "test": LabelledSet("x", ("b",), ())})
    with pytest.raises(BadRequest, match="same classes"):
        look({})
    with pytest.raises(BadRequest, match="no class folders"):
        look(tmp_path)
