"""A split keeps what is alike together and each class's share, and shows exactly the pictures that tuning will take."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capt_engine.data.inventory import Inventory
from capt_engine.data.sources import labelled, load_splits
from capt_engine.data.split import divide
from capt_engine.errors import BadRequest
from capt_engine.records import SplitRequest, SplitResult, TuneRequest
from capt_engine.tuning.pictures import draw
from tests.engine.data.drawn_pictures import clustered, entry, listed


def parts_of(table: bytes) -> dict[str, str]:
    """(path, part) as a written list says."""
    lines = table.decode().split("\r\n")
    columns = lines[0].split(",")
    at = columns.index("split")
    return {line.split(",")[0]: line.split(",")[at] for line in lines[1:] if line}


def used(result: SplitResult, use: str) -> list[str]:
    """The pictures of one use."""
    return [each.path for each in result.pictures if each.use == use]


@pytest.mark.parametrize(
    ("count", "test", "val"), [(2, 1, 0), (3, 1, 0), (4, 1, 1), (5, 2, 1), (10, 3, 1), (16, 5, 2), (100, 30, 10)]
)
def test_each_class_has_its_share(count: int, test: int, val: int) -> None:
    """Thirty of a hundred are tested on and ten watched; small classes still have a test picture and one to learn from."""
    result, table = divide(listed({"cat": count, "dog": 40}), SplitRequest("", shots=None))
    counted = Counter((path.split("/")[2], part) for path, part in parts_of(table).items())
    assert (counted["cat", "test"], counted["cat", "val"], counted["cat", "train"]) == (test, val, count - test - val)
    assert (counted["dog", "test"], counted["dog", "val"]) == (12, 4)
    cat = result.classes[0]
    assert (cat.pool, cat.train, cat.test) == (count - test - val, count - test - val, test)
    assert cat.train + cat.val + cat.test + cat.unused == count


@pytest.mark.parametrize(("test_share", "val_share"), list(itertools.product((0.01, 0.3, 0.5, 0.97), (0.0, 0.02))))
def test_no_class_is_starved(test_share: float, val_share: float) -> None:
    """Whatever the shares, each class keeps a picture to learn from and, from three on, has one to test on."""
    sizes = {f"class{n}": n for n in range(2, 30)}
    request = SplitRequest("", shots=1, test_share=test_share, val_share=val_share)
    result, _ = divide(listed(sizes), request)
    assert not result.blocks
    assert all(each.pool >= 1 for each in result.classes)
    assert all(each.test >= 1 for each in result.classes if sizes[each.name] >= 3)


def test_what_is_alike_goes_together() -> None:
    """Over many seeds and random clusters, across classes too, no cluster is ever divided, and shares stay near what was asked."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        inventory = listed({"a": 40, "b": 30, "c": 20})
        order = rng.permutation(90).tolist()
        groups = [order[0:2], order[2:5], order[5:12], order[12:14], order[14:18]]
        inventory = clustered(inventory, *groups)
        result, table = divide(inventory, SplitRequest("", seed=seed))
        assert not result.blocks
        part = parts_of(table)
        for group in groups:
            assert len({part[inventory.entries[at].path] for at in group}) == 1
        for each, size in zip(result.classes, (40, 30, 20), strict=True):
            assert abs(each.test - 0.3 * size) <= 4


def test_large_clusters_leave_a_test_picture() -> None:
    """A class whose pictures are alike in threes still has test pictures, and its smallest cluster pays for it."""
    inventory = clustered(listed({"a": 8, "b": 20}), (0, 1, 2), (3, 4, 5), (6, 7))
    for seed in range(20):
        result, table = divide(inventory, SplitRequest("", seed=seed, test_share=0.1))
        part = parts_of(table)
        assert {part[inventory.entries[at].path] for at in (6, 7)} == {"test"}
        assert result.classes[0].test == 2


def test_a_cluster_goes_where_it_brings_the_share_nearer() -> None:
    """A pair is not put where one is wanted, though it would be as near; and no cluster takes the last picture to learn from."""
    inventory = clustered(listed({"a": 10, "b": 10}), (0, 1), (2, 3), (4, 5), (6, 7))
    for seed in range(20):
        result, _ = divide(inventory, SplitRequest("", seed=seed, test_share=0.1, val_share=0.0))
        assert [each.test for each in result.classes] == [1, 1]
    inventory = clustered(listed({"a": 4, "b": 9}), range(4))
    result, _ = divide(inventory, SplitRequest("", test_share=0.9, val_share=0.0))
    assert not result.blocks
    assert result.classes[0].pool == 4


def test_one_cluster_gives_two_classes_their_test() -> None:
    """Where a cluster of two classes is the smallest of both, the second class takes no other one besides."""
    inventory = clustered(
        listed({"a": 12, "b": 12}), (0, 1, 12, 13), range(2, 7), range(7, 12), range(14, 19), range(19, 24)
    )
    result, _ = divide(inventory, SplitRequest("", test_share=0.05, val_share=0.0))
    assert [each.test for each in result.classes] == [2, 2]


def test_a_seed_draws_the_same_again_and_another_seed_another() -> None:
    """The same request gives the same bytes; another seed moves pictures."""
    inventory = listed({"cat": 30, "dog": 30})
    assert divide(inventory, SplitRequest("", seed=5)) == divide(inventory, SplitRequest("", seed=5))
    assert divide(inventory, SplitRequest("", seed=5))[1] != divide(inventory, SplitRequest("", seed=6))[1]


def test_excluding_one_leaves_the_others_where_they_are() -> None:
    """The draw goes by the pictures' bytes: without one picture, or in another folder, nearly all stay in their part."""
    inventory = listed({"cat": 100, "dog": 100})
    before = parts_of(divide(inventory, SplitRequest(""))[1])
    gone = inventory.entries[7].path
    after = parts_of(divide(inventory, SplitRequest("", excluded=(gone,)))[1])
    assert gone not in after
    assert sum(before[path] != part for path, part in after.items()) <= 2
    moved = replace(
        inventory, entries=tuple(each._replace(path=f"/elsewhere{each.path}") for each in inventory.entries)
    )
    assert parts_of(divide(moved, SplitRequest(""))[1]) == {f"/elsewhere{path}": part for path, part in before.items()}


def test_classes_can_be_excluded() -> None:
    """An excluded class is nowhere, and what cannot be read is not used."""
    inventory = listed({"cat": 10, "dog": 10, "owl": 10})
    broken = inventory.entries[25]._replace(problem="It is broken.", sha256="", width=0, height=0)
    inventory = replace(inventory, entries=(*inventory.entries[:25], broken, *inventory.entries[26:]))
    result, table = divide(inventory, SplitRequest("", excluded_classes=("cat",)))
    assert [each.name for each in result.classes] == ["dog", "owl"]
    assert len(result.pictures) == 19
    assert b"cat" not in table
    assert broken.path not in {each.path for each in result.pictures}


def own(sizes: dict[str, dict[str, int]]) -> Inventory:
    """An inventory of a data set with parts: sizes[part][class]."""
    classes = tuple(dict.fromkeys(name for part in sizes.values() for name in part))
    entries = [
        entry(f"/{part}/{name}/{at}.png", classes.index(name), part)
        for part, by_class in sizes.items()
        for name, count in by_class.items()
        for at in range(count)
    ]
    return Inventory("/", "a photo of a {}.", classes, tuple(entries))


def test_own_parts_are_kept() -> None:
    """Where the data set has parts and they are wanted, every picture stays in its own."""
    inventory = own({"train": {"a": 8, "b": 9}, "val": {"a": 2, "b": 3}, "test": {"a": 5, "b": 6}})
    result, table = divide(inventory, SplitRequest("", own_parts=True, shots=4))
    assert all(path.startswith(f"/{part}/") for path, part in parts_of(table).items())
    assert [(each.pool, each.train, each.val, each.test, each.unused) for each in result.classes] == [
        (8, 4, 2, 5, 4),
        (9, 4, 3, 6, 5),
    ]


CASES = [
    (shots, val_share, seed)
    for shots, val_share, seed in itertools.product((1, 4, 16, None), (0.0, 0.1, 0.25), (0, 1, 3))
]


@pytest.mark.parametrize(("shots", "val_share", "seed"), CASES)
def test_it_shows_what_tuning_takes(tmp_path: Path, shots: int | None, val_share: float, seed: int) -> None:
    """The pictures shown as learned from and watched are those that `capt tune` draws from the written list, to the last one."""
    # The reader of the list looks whether its first pictures are there.
    inventory = listed({"zebra 10": 24, "zebra 2": 7, "ant": 30})
    entries = tuple(each._replace(path=f"{tmp_path}{each.path}") for each in inventory.entries)
    inventory = clustered(replace(inventory, entries=entries), (0, 1, 40), (3, 25), (50, 51, 52))
    for each in inventory.entries:
        Path(each.path).parent.mkdir(parents=True, exist_ok=True)
        Path(each.path).touch()
    request = SplitRequest("", shots=shots, val_share=val_share, seed=seed)
    result, table = divide(inventory, request)
    out = tmp_path / "split.csv"
    out.write_bytes(table)
    drawn = draw(TuneRequest(str(out), "x.safetensors", shots=shots, seed=seed))
    assert drawn.train.classes == ("zebra 10", "zebra 2", "ant")
    assert sorted(item.path for item in drawn.train.items) == sorted(used(result, "train"))
    watched = drawn.val.items if drawn.val else ()
    assert sorted(item.path for item in watched) == sorted(used(result, "val"))
    assert sorted(item.path for item in labelled(str(out), "test")[0].items) == sorted(used(result, "test"))


@pytest.mark.parametrize("shots", [2, None])
@pytest.mark.parametrize("parts", [("train", "test"), ("train", "val", "test")])
def test_own_parts_show_what_tuning_takes(tmp_path: Path, shots: int | None, parts: tuple[str, ...]) -> None:
    """So are those of a data set that keeps its own parts, though the pictures of one class are listed in two of them."""
    inventory = own({part: {"a": 7, "b": 5} for part in parts})
    entries = [each._replace(path=f"{tmp_path}{each.path}") for each in inventory.entries]
    for at in range(7, 12):
        entries[at + 12] = entries[at]._replace(split=parts[1])
    inventory = replace(inventory, entries=tuple(entries))
    for each in entries:
        Path(each.path).parent.mkdir(parents=True, exist_ok=True)
        Path(each.path).touch()
    result, table = divide(inventory, SplitRequest("", own_parts=True, shots=shots, seed=2))
    (tmp_path / "split.csv").write_bytes(table)
    drawn = draw(TuneRequest(str(tmp_path / "split.csv"), "x.safetensors", shots=shots, seed=2))
    watched_in = parts[-2]
    uses = {(each.split, shown.use) for each, shown in zip(entries, result.pictures, strict=True)}
    assert {part for part, use in uses if use == "train"} == {"train"}
    assert {part for part, use in uses if use == "val"} <= {watched_in}
    assert {use for part, use in uses if part == "test"} == {"test"}
    assert sorted(item.path for item in drawn.train.items) == sorted(used(result, "train"))
    assert sorted(item.path for item in (drawn.val.items if drawn.val else ())) == sorted(used(result, "val"))
    # and what is said beforehand is what tuning will do; without parts that are drawn, another share is no way out
    told = [words for words in result.warnings if "left for validation" in words]
    assert bool(told) == (drawn.val is None)
    assert not any("Give the validation a share" in words for words in told)


@pytest.mark.parametrize(
    ("classes", "template", "columns"),
    [
        (("cat", "dog"), "a photo of a {}.", "path,label,split"),
        (("dog", "cat"), "a photo of a {}.", "path,label,class_name,split"),
        (("cat2", "cat10"), "a photo of a {}.", "path,label,split"),
        (("cat", "dog "), "a photo of a {}.", "path,label,class_name,split"),
        (("cat", "dog"), 'a {}, "cut" out.', "path,label,split,template"),
        (("z,y", "b\nb", "🐱", "כלב", "dots..."), "{}", "path,label,class_name,split,template"),
    ],
)
def test_the_list_is_read_back_exactly(tmp_path: Path, classes: tuple[str, ...], template: str, columns: str) -> None:
    """Classes in their order, the template and every picture come back; only what needs them brings more columns."""
    inventory = listed(dict.fromkeys(classes, 6), template=template)
    names = [" edge ", os.fsdecode(b"caf\xe9"), "line\nbreak", 'quo"te', "semi;colon", "כלב🐱"]
    places = [str(tmp_path / str(each.label) / f"{names[at % 6]}") for at, each in enumerate(inventory.entries)]
    entries = tuple(each._replace(path=place) for each, place in zip(inventory.entries, places, strict=True))
    for place in places:
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).touch()
    result, table = divide(replace(inventory, entries=entries), SplitRequest("", shots=2))
    assert table.partition(b"\r\n")[0] == columns.encode()
    assert table.find(b",train") < table.rfind(b",train") < table.find(b",val") < table.find(b",test")
    (tmp_path / "split.csv").write_bytes(table)
    sets = load_splits(tmp_path / "split.csv")
    assert {each.template for each in sets.values()} == {template}
    assert {each.classes for each in sets.values()} == {tuple(name.strip() for name in classes)}
    read = sorted((item.path, item.label) for each in sets.values() for item in each.items)
    assert read == sorted((each.path, each.label) for each in entries)
    assert len(result.pictures) == len(entries)


@pytest.mark.parametrize(
    "request_",
    [
        SplitRequest("", test_share=1.0),
        SplitRequest("", test_share=-0.1),
        SplitRequest("", test_share=0.6, val_share=0.4),
        SplitRequest("", val_share=float("nan")),
        SplitRequest("", own_parts=True),
        SplitRequest("", shots=0),
    ],
)
def test_what_makes_no_sense_is_refused(request_: SplitRequest) -> None:
    """Shares out of range, no shots, and own parts where there are none, each with what to do."""
    with pytest.raises(BadRequest) as caught:
        divide(listed({"cat": 5, "dog": 5}), request_)
    assert caught.value.hint


def test_many_pictures_take_no_time_by_the_square() -> None:
    """A thousand classes of fifty are divided in seconds."""
    inventory = listed({f"class {at}": 50 for at in range(1000)})
    result, _ = divide(inventory, SplitRequest(""))
    assert len(result.pictures) == 50_000
    assert not result.blocks
