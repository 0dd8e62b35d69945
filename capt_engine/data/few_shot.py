"""The few pictures per class that prompts are tuned on, drawn by CoOp's published rule, and its cut into base and new classes.

Source: Dassl's `generate_fewshot_dataset` and CoOp's datasets/oxford_pets.py. Reproduces the draws of their seeds 1, 2 and 3.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.errors import BadRequest, UnknownName

VAL_SHOTS = 4
"""At most so many validation pictures per class are drawn, however many shots there are."""

HALVES = ("all", "base", "new")


def few_shot(
    train: LabelledSet, val: LabelledSet | None, shots: int | None, seed: int
) -> tuple[LabelledSet, LabelledSet | None]:
    """Draw `shots` training pictures of each class, then min(shots, 4) validation pictures of each; return both sets.

    train, val: the sets to draw from; val is None for ImageNet, whose validation pictures are the test set, and then
    None comes back. shots: None takes every picture; a class with fewer gives all. seed: any whole number; one stream
    of numbers serves both draws, so that a published draw is reproduced where the lists keep their published order.
    Raises BadRequest for fewer than one shot.
    """
    if shots is None:
        return train, val
    if shots < 1:
        raise BadRequest(
            f"{shots} pictures per class are too few to tune on.", "Choose 1 or more shots, or all of them."
        )
    # The same numbers as from `random.seed(seed)`, without disturbing those of anybody else.
    rng = random.Random(seed)
    drawn = replace(train, items=_draw(train.items, shots, rng))
    return drawn, None if val is None else replace(val, items=_draw(val.items, min(shots, VAL_SHOTS), rng))


def validation_of(train: LabelledSet, val: LabelledSet | None, shots: int | None, seed: int) -> LabelledSet | None:
    """Return the validation pictures that `capt tune` uses, at most VAL_SHOTS (4) of each class, or None if there are none.

    train, val, shots, seed: as in `few_shot`. Without a validation set (val None) they are drawn from the training
    pictures that the few-shot draw leaves over: None comes back where a class has too few left, or where `shots` is
    None and all are trained on. Raises BadRequest for fewer than one shot.
    """
    drawn, watched = few_shot(train, val, shots, seed)
    if val is not None:
        return watched if shots is not None else few_shot(val, None, VAL_SHOTS, seed)[0]
    if shots is None:
        return None
    taken, wanted = set(drawn.items), min(shots, VAL_SHOTS)
    rest = replace(train, items=tuple(item for item in train.items if item not in taken))
    if any(rest.counts()[label] < wanted for label in {item.label for item in train.items}):
        return None
    return few_shot(rest, None, wanted, seed)[0]


def _draw(items: Sequence[Item], shots: int, rng: random.Random) -> tuple[Item, ...]:
    by_label: dict[int, list[Item]] = {}
    for item in items:
        by_label.setdefault(item.label, []).append(item)
    drawn: list[Item] = []
    for group in by_label.values():
        # A class with too few pictures gives all of them and uses up no random number, but one with just enough does.
        drawn += rng.sample(group, shots) if len(group) >= shots else group
    return tuple(drawn)


def half_of_classes(half: str, *sets: LabelledSet) -> tuple[LabelledSet, ...]:
    """Cut the sets to the "base" or "new" half of their classes, labels counted from 0 again; "all" changes nothing.

    The labels met in the first set decide, as in CoOp: sorted, the first ceil(n / 2) are base and the others new; a
    class without a picture in the first set belongs to neither. Draw few-shot pictures before the cut. Raises
    UnknownName for another half, and BadRequest where the sets have different classes or no class is left.
    """
    if half not in HALVES:
        raise UnknownName("half of the classes", half, HALVES)
    if half == "all" or not sets:
        return sets
    if any(other.classes != sets[0].classes for other in sets):
        raise BadRequest(
            "Sets with different classes cannot be cut into base and new together.", "Choose splits of one data set."
        )
    labels = sorted({item.label for item in sets[0].items})
    middle = math.ceil(len(labels) / 2)
    chosen = labels[:middle] if half == "base" else labels[middle:]
    if not chosen:
        raise BadRequest(
            f"{sets[0].name} has too few classes with pictures for a {half} half.", "At least two are needed."
        )
    new_label = {label: index for index, label in enumerate(chosen)}
    return tuple(
        replace(
            each,
            classes=tuple(each.classes[label] for label in chosen),
            indices=tuple(each.indices[label] for label in chosen) if each.indices else (),
            items=tuple(replace(item, label=new_label[item.label]) for item in each.items if item.label in new_label),
        )
        for each in sets
    )
