"""What forbids a split and what a user should know before tuning is said in a sentence each, and only where it is so."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from capt_engine.data.inventory import Inventory
from capt_engine.data.split import divide
from capt_engine.data.split_checks import half_width
from capt_engine.metrics.interval import wilson
from capt_engine.records import LongName, SplitRequest
from tests.engine.data.drawn_pictures import clustered, entry, listed

LARGE = {"cat": 400, "dog": 400}


def said(inventory: Inventory, **asked: object) -> tuple[str, str]:
    """Blocks and warnings, each in one text."""
    result, table = divide(inventory, SplitRequest("", **asked))  # type: ignore[arg-type]
    assert bool(table) != bool(result.blocks)
    return "\n".join(result.blocks), "\n".join(result.warnings)


def test_nothing_to_say() -> None:
    """A large and even set of different pictures needs neither."""
    assert said(listed(LARGE)) == ("", "")


@pytest.mark.parametrize(
    ("sizes", "excluded", "sentence"),
    [
        ({"cat": 9}, (), "only one class"),
        ({"cat": 9, "dog": 9}, ("dog",), "only one class"),
        ({"cat": 9, "dog": 9}, ("dog", "cat"), "no class"),
        ({"cat": 9, "dog": 1}, (), r"Fewer than two usable pictures: dog \(1\)\. .*exclude the class"),
        ({"cat": 9, "dog": 1, "owl": 0}, (), r"dog \(1\), owl \(0\)\. .*exclude these classes"),
        ({f"class {at}": 1 for at in range(9)}, (), r"class 4 \(1\) and 4 more"),
        ({"a_b": 9, "a b": 9}, (), "same name"),
        ({"__": 9, "dog": 9}, (), "No name but spaces"),
        ({"caf\udce9": 9, "dog": 9}, (), r"no letters.*caf\\udce9"),
    ],
)
def test_blocks(sizes: dict[str, int], excluded: tuple[str, ...], sentence: str) -> None:
    """Too few classes, too few pictures in one, and names that cannot be used forbid going on."""
    blocks, _ = said(listed(sizes), excluded_classes=excluded)
    assert re.search(sentence, blocks, re.DOTALL)


def test_excluding_the_class_is_a_way_on() -> None:
    """What the block proposes helps."""
    assert said(listed({**LARGE, "owl": 1}))[0]
    assert said(listed({**LARGE, "owl": 1}), excluded_classes=("owl",)) == ("", "")


def test_the_same_picture_everywhere() -> None:
    """Where all is one cluster there is nothing to tune on; where one class is, that is a warning."""
    everywhere = clustered(listed({"cat": 4, "dog": 4}), range(8))
    assert "All pictures are the same picture" in said(everywhere)[0]
    one = clustered(listed(LARGE), range(400))
    blocks, warnings = said(one)
    assert not blocks
    assert "look alike, in: cat" in warnings
    assert "Without a test picture, so that nothing will be known about it: cat" in warnings


def test_nothing_left_for_the_test() -> None:
    """A test share of nothing, two clusters that cannot be divided, and own parts without a test forbid going on."""
    assert "larger than 0" in said(listed(LARGE), test_share=0.0)[0]
    assert "alike, or too few" in said(clustered(listed({"cat": 4, "dog": 4}), range(4), range(4, 8)))[0]
    train = [entry(f"/{at}.png", at % 2, "train") for at in range(20)]
    val = [entry(f"/v{at}.png", at % 2, "val") for at in range(20)]
    untested = Inventory("/", "a {}.", ("cat", "dog"), (*train, *val))
    blocks, _ = said(untested, own_parts=True)
    assert "left for the test" in blocks
    assert "Have the parts drawn" in blocks


def test_own_parts_with_nothing_to_learn_from() -> None:
    """A class that is only in the test part cannot be learned."""
    entries = [entry(f"/train/{at}.png", 0, "train") for at in range(9)]
    entries += [entry(f"/test/{at}.png", at % 2, "test") for at in range(20)]
    blocks, _ = said(Inventory("/", "a {}.", ("cat", "dog"), tuple(entries)), own_parts=True)
    assert "No picture is left to train on: dog" in blocks
    assert said(Inventory("/", "a {}.", ("cat", "dog"), tuple(entries)))[0] == ""


def test_imbalance() -> None:
    """Over five to one is told of, five to one is not."""
    assert "cat has 500 pictures, dog only 99: over 5 to 1" in said(listed({"cat": 500, "dog": 99}))[1]
    assert "to 1" not in said(listed({"cat": 500, "dog": 100}))[1]
    assert "favour the larger" in said(listed({"cat": 500, "dog": 99}), shots=None)[1]


def test_likeness_across_own_parts() -> None:
    """Pictures of one cluster in two of the data's own parts are told of, with the drawing as the way out; drawn, they are not."""
    entries = [entry(f"/{part}/{at}.png", at % 2, part) for part in ("train", "val", "test") for at in range(200)]
    entries[0] = entries[0]._replace(cluster=1)
    entries[400] = entries[400]._replace(cluster=1)
    inventory = Inventory("/", "a {}.", ("cat", "dog"), tuple(entries))
    warnings = said(inventory, own_parts=True)[1]
    assert "2 pictures in the data's own parts" in warnings
    assert "'/train/0.png' and '/test/0.png'" in warnings
    assert "Have the parts drawn" in warnings
    assert said(inventory) == ("", "")
    assert said(inventory, own_parts=True, excluded=("/test/0.png",)) == ("", "")


def test_one_picture_in_two_classes() -> None:
    """A cluster with two labels is told of, with its pictures and their classes."""
    warnings = said(clustered(listed(LARGE), (0, 400)))[1]
    assert "in several classes (once)" in warnings
    assert "'/pictures/cat/0.png' and '/pictures/dog/0.png' in cat, dog" in warnings
    assert said(clustered(listed(LARGE), (0, 1)))[1] == ""


def test_long_names_and_tiny_pictures() -> None:
    """Names over the limit are told with their tokens unless excluded; a side of 31 is tiny, of 32 not."""
    long = replace(listed({**LARGE, "owl": 400}), token_limit=77, long_names=(LongName("owl", 99),))
    assert "at most 77 tokens" in said(long)[1]
    assert "owl (99)" in said(long)[1]
    assert said(long, excluded_classes=("owl",)) == ("", "")
    inventory = listed(LARGE)
    for side, sentence in ((31, "1 picture is less than 32 pixels"), (32, "")):
        changed = (inventory.entries[0]._replace(width=side), *inventory.entries[1:])
        assert sentence in said(replace(inventory, entries=changed))[1]
    assert said(replace(inventory, entries=changed))[1] == ""


def test_too_few_for_the_shots() -> None:
    """Classes with fewer left than asked for are named with how many there are."""
    assert "Fewer than 16 pictures are left to train on: cat (6)" in said(listed({"cat": 10, "dog": 400}))[1]
    assert "left to train on" not in said(listed({"cat": 10, "dog": 400}), shots=4)[1]


def test_nothing_to_validate_on() -> None:
    """Without validation pictures they are drawn from the rest, and only where that is too small is it told."""
    assert "left for validation" not in said(listed(LARGE), val_share=0.0)[1]
    assert "left for validation" in said(listed({"cat": 20, "dog": 400}), val_share=0.0)[1]
    assert "left for validation" in said(listed(LARGE), val_share=0.0, shots=None)[1]


def test_how_rough_the_test_will_be() -> None:
    """The half width is Wilson's at one half, and is told where it is over ten points."""
    for n in (2, 10, 92, 1000):
        low, high = wilson(n // 2, n)
        assert half_width(n) == pytest.approx((high - low) / 2)
    assert half_width(92) > 0.1 > half_width(93)
    assert (
        "The test has 20 pictures: where half of them are right, the 95 % interval reaches 20.1 points to either side"
        in (said(listed({"cat": 33, "dog": 33}))[1])
    )


def test_exclusions_that_are_not_there() -> None:
    """A class that was excluded before it was renamed is told of, and does no harm."""
    assert "Excluded, but not there: owl" in said(listed(LARGE), excluded_classes=("owl",))[1]
