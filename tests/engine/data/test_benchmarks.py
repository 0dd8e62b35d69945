"""Each of the fifteen published layouts is read as CoOp reads it, and the folders and lists that are missing from it are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capt_engine.data.benchmarks import BENCHMARKS, NUMBERED, SPLIT_FILE, SUBSET, VARIANTS, load
from capt_engine.data.sources import splits_of
from capt_engine.errors import BadRequest, UnknownName
from tests.engine.data.tiny_benchmarks import NAMES, WNIDS, build, put, remove, write_names


@pytest.fixture(params=BENCHMARKS.names())
def name(request: pytest.FixtureRequest) -> str:
    """Each of the fifteen."""
    return str(request.param)


def test_the_table() -> None:
    """There are eleven sets with pictures to train on and four for testing only, by the published names and sizes."""
    assert len(BENCHMARKS) == 15
    assert [entry.name for entry in BENCHMARKS if entry.test_only] == [
        "imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r",
    ]  # fmt: skip
    assert all(entry.template.count("{}") == 1 for entry in BENCHMARKS)
    assert len({entry.registry for entry in BENCHMARKS}) == 15
    # What the data sets themselves say they hold in total.
    totals = {"food101": 101_000, "fgvc_aircraft": 10_000, "dtd": 5640, "eurosat": 27_000, "oxford_pets": 7349}
    totals |= {"oxford_flowers": 8189, "stanford_cars": 16_185, "sun397": 39_700, "ucf101": 13_320}
    assert {name: sum(BENCHMARKS[name].sizes) for name in totals} == totals


def test_labels_and_class_names(name: str, tmp_path: Path) -> None:
    """Every split has the classes of the source in the order of their labels, and each picture the right one."""
    build(name, tmp_path)
    benchmark = BENCHMARKS[name]
    for split in ("test",) if benchmark.test_only else ("train", "val", "test"):
        data = load(name, tmp_path, split)
        assert (data.name, data.template) == (name, benchmark.template)
        pairs = [(Path(item.path), data.classes[item.label]) for item in data.items]
        assert pairs
        assert all(path.is_file() for path, _ in pairs)
        if benchmark.layout == SPLIT_FILE:
            assert data.classes == ("class_0", "class_1", "class_2")
            assert all(path.stem == class_name[-1] for path, class_name in pairs)
        elif benchmark.layout == VARIANTS:
            assert data.classes == ("707-320", "A300B4", "DC-3 Mk II")
            assert [class_name for _, class_name in pairs] == ["DC-3 Mk II", "707-320"]
        else:
            assert data.classes == (("tench", "flamingo") if benchmark.layout == SUBSET else NAMES)
            keys = tuple("012") if benchmark.layout == NUMBERED else WNIDS
            assert all(NAMES[keys.index(path.parent.name)] == class_name for path, class_name in pairs)


def test_order_within_a_split_is_the_lists_own(tmp_path: Path) -> None:
    """Few-shot sampling depends on the order of the list, so it is kept."""
    build("dtd", tmp_path)
    assert [item.label for item in load("dtd", tmp_path, "train").items] == [1, 0, 2]


def test_what_is_missing_is_named(name: str, tmp_path: Path) -> None:
    """Taking away any one list or top folder makes loading name that one; a picture that is gone is a fault of that picture alone."""
    benchmark = BENCHMARKS[name]
    for number in range(len(build(name, tmp_path / "whole"))):
        root = tmp_path / str(number)
        gone = build(name, root)[number]
        remove(gone)
        if gone.suffix in (".json", ".txt"):
            with pytest.raises(BadRequest, match="is not complete") as caught:
                splits_of(name, str(root))
            assert str(gone) in caught.value.message
        elif gone.suffix:
            assert any(item.path == str(gone) for data in splits_of(name, str(root))[0].values() for item in data.items)
    assert list(splits_of(name, str(tmp_path / "whole"))[0]) == (
        ["test"] if benchmark.test_only else ["train", "val", "test"] if name != "imagenet" else ["train", "test"]
    )


def test_nothing_there(name: str, tmp_path: Path) -> None:
    """Without the data set's folder, loading names that folder and nothing in it."""
    folder = tmp_path / BENCHMARKS[name].places[0][0]
    with pytest.raises(BadRequest, match="is not complete") as caught:
        load(name, tmp_path)
    assert f"Missing: {folder}: the folder of" in caught.value.message
    assert ";" not in caught.value.message


@pytest.mark.parametrize("name", [entry.name for entry in BENCHMARKS if len(entry.places) > 1])
@pytest.mark.parametrize("names_at", ["", "imagenet", "."])
def test_other_folder_names(name: str, names_at: str, tmp_path: Path) -> None:
    """APT's names for the shifts are known too, and the list of class names may be ImageNet's or the data root's."""
    build(name, tmp_path, place=1)
    if names_at:
        (tmp_path / BENCHMARKS[name].places[1][0] / "classnames.txt").unlink()
        with pytest.raises(BadRequest, match=r"classnames\.txt"):
            load(name, tmp_path)
        write_names(tmp_path / names_at)
    assert load(name, tmp_path).classes[0] == "tench"


def test_imagenet_validates_on_its_test_set(tmp_path: Path) -> None:
    """The splits "val" and "test" are the same pictures, and a class that one split lacks shifts no label."""
    build("imagenet", tmp_path)
    remove(tmp_path / "imagenet" / "images" / "train" / WNIDS[0])
    assert load("imagenet", tmp_path, "val") == load("imagenet", tmp_path, "test")
    train = load("imagenet", tmp_path, "train")
    assert [train.classes[item.label] for item in train.items] == ["goldfish", "flamingo"]


def _classnames_without_a_name(root: Path) -> str:
    put(root / "imagenet-adversarial" / "classnames.txt", "n01440764\n")
    return "imagenet_a"


def _stranger(root: Path) -> str:
    put(root / "imagenet-adversarial" / "imagenet-a" / "n99999999" / "1.JPEG")
    return "imagenet_a"


def _broken_json(root: Path) -> str:
    put(root / "dtd" / "split_zhou_DescribableTextures.json", "{")
    return "dtd"


def _unknown_variant(root: Path) -> str:
    put(root / "fgvc_aircraft" / "images_variant_test.txt", "0021 Zeppelin\n")
    return "fgvc_aircraft"


@pytest.mark.parametrize("spoil", [_classnames_without_a_name, _stranger, _broken_json, _unknown_variant])
def test_broken_lists(spoil: Callable[[Path], str], tmp_path: Path) -> None:
    """A list that makes no sense stops loading with a sentence."""
    for name in ("imagenet_a", "dtd", "fgvc_aircraft"):
        build(name, tmp_path)
    name = spoil(tmp_path)
    with pytest.raises(BadRequest):
        load(name, tmp_path)


def test_senseless_requests(tmp_path: Path) -> None:
    """An unknown benchmark is answered with the nearest, an unknown split and training on a shift with a sentence."""
    with pytest.raises(UnknownName, match="imagenet_a"):
        load("imagenet-a", tmp_path)
    with pytest.raises(BadRequest, match="for testing only"):
        load("imagenet_r", tmp_path, "train")
    with pytest.raises(BadRequest, match="no split called 'all'"):
        load("dtd", tmp_path, "all")
