"""Laws of a split, for any sizes, shares, seed and groups of look-alikes that hypothesis thinks of."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import assume, given, settings

from capt_engine.data.inventory import Inventory
from capt_engine.data.split import divide
from capt_engine.records import SplitRequest
from tests.engine.data.drawn_pictures import clustered, listed

law = settings(max_examples=150)


@st.composite
def inventories(draw: Any, smallest: int = 2) -> Inventory:
    """Two to five classes of up to thirty pictures, a few groups of which look alike, within a class or across."""
    sizes = draw(st.lists(st.integers(smallest, 30), min_size=2, max_size=5))
    inventory = listed({f"class {at}": size for at, size in enumerate(sizes)})
    order = draw(st.permutations(range(sum(sizes))))
    groups, at = [], 0
    for size in draw(st.lists(st.integers(2, 9), max_size=5)):
        groups.append(order[at : at + size])
        at += size
    return clustered(inventory, *groups)


@st.composite
def requests(draw: Any) -> SplitRequest:
    """Any shares that leave something to train on, any number of shots, any seed."""
    test = draw(st.floats(0, 0.99))
    val = draw(st.floats(0, 0.99))
    assume(test + val < 1)
    shots = draw(st.one_of(st.none(), st.integers(1, 20)))
    return SplitRequest("", shots=shots, test_share=test, val_share=val, seed=draw(st.integers(0, 2**31)))


@law
@given(inventories(smallest=1), requests())
def test_every_picture_has_one_use_and_the_counts_say_so(inventory: Inventory, request_: SplitRequest) -> None:
    """Uses of a class sum up to its pictures, none of which has two; never more shots than asked; each class can be learned from."""
    result, table = divide(inventory, request_)
    assert [each.path for each in result.pictures] == [each.path for each in inventory.entries]
    sizes = Counter(entry.label for entry in inventory.entries)
    used = Counter((each.class_name, each.use) for each in result.pictures)
    for label, each in enumerate(result.classes):
        counts = {"train": each.train, "val": each.val, "test": each.test, "unused": each.unused}
        assert counts == {use: used[each.name, use] for use in counts}
        assert sum(counts.values()) == sizes[label]
        assert each.pool >= 1
        assert each.train == min(each.pool, request_.shots or each.pool)
    if not result.blocks:
        rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
        assert Counter(row["path"] for row in rows) == Counter(entry.path for entry in inventory.entries)
        part = {row["path"]: row["split"] for row in rows}
        assert all((part[each.path] == "test") == (each.use == "test") for each in result.pictures)
        assert all(part[each.path] == "train" for each in result.pictures if each.use == "train")


@law
@given(inventories(), requests())
def test_no_group_of_look_alikes_is_divided(inventory: Inventory, request_: SplitRequest) -> None:
    """Pictures that are alike are all in one part, so nothing that is tested on was learned from."""
    result, table = divide(inventory, request_)
    assume(not result.blocks)
    part = {row["path"]: row["split"] for row in csv.DictReader(io.StringIO(table.decode(), newline=""))}
    parts_of: dict[int, set[str]] = {}
    for entry in inventory.entries:
        if entry.cluster:
            parts_of.setdefault(entry.cluster, set()).add(part[entry.path])
    assert all(len(parts) == 1 for parts in parts_of.values())


@law
@given(inventories(), requests(), st.randoms(use_true_random=False))
def test_a_seed_draws_the_same_whatever_the_order(inventory: Inventory, request_: SplitRequest, chance: Any) -> None:
    """Twice the same gives the same bytes; pictures listed in another order go to the same parts, by their bytes alone."""
    first = divide(inventory, request_)
    assert divide(inventory, request_) == first
    entries = list(inventory.entries)
    chance.shuffle(entries)
    again, _ = divide(replace(inventory, entries=tuple(entries)), request_)
    assert {each.path for each in again.pictures if each.use == "test"} == {
        each.path for each in first[0].pictures if each.use == "test"
    }
