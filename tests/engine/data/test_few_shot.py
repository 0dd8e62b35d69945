"""Few-shot sampling draws the very pictures that CoOp's published rule draws, and cuts classes as CoOp cuts them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from capt_engine.data.few_shot import few_shot, half_of_classes
from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.errors import BadRequest, UnknownName

ORDER = (2, 0, 1)
"""First appearance of the labels in the training list: neither sorted nor the order of the class names."""


def listed(part: str, sizes: dict[int, int]) -> LabelledSet:
    """A set in which class c has sizes[c] pictures, interleaved, the labels first appearing in the order of `sizes`."""
    items = [Item(f"{part}/{c}-{i}", c) for i in range(max(sizes.values())) for c in sizes if i < sizes[c]]
    return LabelledSet("toys", ("cat", "dog", "owl"), tuple(items))


TRAIN = listed("train", {2: 12, 0: 9, 1: 3})
VAL = listed("val", {2: 6, 0: 2, 1: 7})


def names(data: LabelledSet | None) -> list[str]:
    """The items without their part."""
    return [] if data is None else [Path(item.path).name for item in data.items]


STORED = {
    (1, 0): ("2-6 0-6 1-0", "2-2 0-1 1-3"),
    (1, 1): ("2-2 0-1 1-1", "2-0 0-1 1-6"),
    (1, 2): ("2-0 0-1 1-0", "2-2 0-0 1-5"),
    (1, 3): ("2-3 0-8 1-0", "2-2 0-1 1-5"),
    (4, 1): ("2-2 2-9 2-1 2-4 0-1 0-7 0-6 0-3 1-0 1-1 1-2", "2-3 2-5 2-1 2-0 0-0 0-1 1-3 1-0 1-6 1-4"),
    (4, 2): ("2-0 2-1 2-10 2-5 0-2 0-4 0-8 0-7 1-0 1-1 1-2", "2-1 2-4 2-0 2-2 0-0 0-1 1-5 1-1 1-3 1-4"),
    (4, 3): ("2-3 2-9 2-8 2-2 0-5 0-7 0-8 0-4 1-0 1-1 1-2", "2-0 2-4 2-5 2-1 0-0 0-1 1-2 1-4 1-1 1-5"),
}
"""(shots, seed): training and validation pictures, written down from `by_the_book` on CPython 3.11."""


def by_the_book(shots: int, seed: int) -> tuple[list[str], list[str]]:
    """The rule in the plainest words, with the global `random` as CoOp uses it."""
    state = random.getstate()
    try:
        random.seed(seed)
        drawn = []
        for data, wanted in ((TRAIN, shots), (VAL, min(shots, 4))):
            part: list[str] = []
            for label in ORDER:
                items = [Path(item.path).name for item in data.items if item.label == label]
                part += items if len(items) < wanted else random.sample(items, wanted)
            drawn.append(part)
        return drawn[0], drawn[1]
    finally:
        random.setstate(state)


@pytest.mark.parametrize(("shots", "seed"), STORED)
def test_stored_lists(shots: int, seed: int) -> None:
    """Seeds 0 to 3 give the pictures that were written down once and for all."""
    train, val = few_shot(TRAIN, VAL, shots, seed)
    assert (" ".join(names(train)), " ".join(names(val))) == STORED[shots, seed]


@pytest.mark.parametrize("shots", [1, 2, 3, 4, 8, 9, 16])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 12345])
def test_the_rule(shots: int, seed: int) -> None:
    """Any shots and seed agree with the rule spelled out on Python's own generator, seed 0 like any other."""
    train, val = few_shot(TRAIN, VAL, shots, seed)
    assert (names(train), names(val)) == by_the_book(shots, seed)


def test_a_class_with_too_few_uses_no_random_number() -> None:
    """What follows a small class is drawn as if the class were not there, while a class of just enough is shuffled."""
    small = listed("train", {0: 2, 1: 9})
    alone = listed("train", {1: 9})
    assert names(few_shot(small, None, 3, 1)[0]) == ["0-0", "0-1", *names(few_shot(alone, None, 3, 1)[0])]
    exact = listed("train", {0: 3, 1: 9})
    assert names(few_shot(exact, None, 3, 1)[0])[3:] != names(few_shot(alone, None, 3, 1)[0])


def test_labels_and_paths_stay_together() -> None:
    """Every drawn item is one of the set, none twice, and the class list is untouched."""
    train, val = few_shot(TRAIN, VAL, 4, 2)
    assert val is not None
    for drawn, data in ((train, TRAIN), (val, VAL)):
        assert len(set(drawn.items)) == len(drawn.items)
        assert set(drawn.items) <= set(data.items)
        assert drawn.classes == data.classes
    assert train.counts() == (4, 3, 4)
    assert val.counts() == (2, 4, 4)


def test_val_is_never_drawn_for_imagenet() -> None:
    """Without a validation list there is no second draw, and the training draw is the same."""
    train, val = few_shot(TRAIN, None, 4, 3)
    assert val is None
    assert train == few_shot(TRAIN, VAL, 4, 3)[0]


def test_all_shots_change_nothing() -> None:
    """None takes every picture in its order; fewer than one makes no sense."""
    assert few_shot(TRAIN, VAL, None, 1) == (TRAIN, VAL)
    for shots in (0, -1):
        with pytest.raises(BadRequest, match="too few"):
            few_shot(TRAIN, VAL, shots, 1)


def test_nobody_elses_numbers_are_touched() -> None:
    """Sampling leaves Python's global generator where it was."""
    before = random.getstate()
    few_shot(TRAIN, VAL, 4, 1)
    assert random.getstate() == before


def test_base_and_new() -> None:
    """Of three classes two are base and one is new, each counted from 0, whatever order the list has."""
    (base, base_val), (new, new_val) = half_of_classes("base", TRAIN, VAL), half_of_classes("new", TRAIN, VAL)
    assert (base.classes, new.classes) == (("cat", "dog"), ("owl",))
    assert (base.counts(), new.counts()) == ((9, 3), (12,))
    assert (base_val.counts(), new_val.counts()) == ((2, 7), (6,))
    assert [item.path for item in base.items] == [item.path for item in TRAIN.items if item.label != 2]
    assert half_of_classes("all", TRAIN, VAL) == (TRAIN, VAL)


def test_the_cut_comes_after_sampling() -> None:
    """Base and new together are the sample of all classes, which a sample of the base classes alone would not give."""
    train, _ = few_shot(TRAIN, VAL, 2, 1)
    (base,), (new,) = half_of_classes("base", train), half_of_classes("new", train)
    assert sorted(item.path for item in (*base.items, *new.items)) == sorted(item.path for item in train.items)
    assert {item.path for item in few_shot(half_of_classes("base", TRAIN)[0], None, 2, 1)[0].items} != {
        item.path for item in base.items
    }


def test_labels_of_the_first_set_decide() -> None:
    """A class without a picture in the first set belongs to neither half, as in CoOp."""
    gap = listed("train", {0: 2, 2: 2})
    assert [half_of_classes(half, gap, VAL)[1].classes for half in ("base", "new")] == [("cat",), ("owl",)]


def test_senseless_cuts() -> None:
    """An unknown half, one class, or sets of different classes are refused with a sentence."""
    with pytest.raises(UnknownName, match="half"):
        half_of_classes("old", TRAIN)
    with pytest.raises(BadRequest, match="too few classes"):
        half_of_classes("new", listed("train", {1: 3}))
    with pytest.raises(BadRequest, match="different classes"):
        half_of_classes("base", TRAIN, LabelledSet("x", ("a",), ()))
