"""The pictures of a data set that an evaluation measures: an even share of each class, and one part of several."""

from __future__ import annotations

import random

from capt_engine.data.labelled_set import Item, LabelledSet
from capt_engine.errors import BadRequest


def chosen(data: LabelledSet, limit: int, shard: tuple[int, int], seed: int) -> tuple[Item, ...]:
    """Choose the pictures of `data` that one shard (part) of an evaluation measures, in the order of the data set.

    limit: the number of pictures of all shards together, of every class an even share, drawn by `seed`; 0 takes all.
    shard: (part, parts), counted from 1; parts share no picture. Raises BadRequest for a shard or a limit that cannot
    be.
    """
    part, parts = shard
    if not 1 <= part <= parts:
        raise BadRequest(f"There is no part {part} of {parts}.", "Parts are counted from 1: --shard 1/4 … 4/4.")
    if limit < 0:
        raise BadRequest(f"A limit of {limit} pictures cannot be.", "Leave it out to take all.")
    items = list(enumerate(data.items))
    if limit and limit < len(items):
        items = sorted(_even(items, limit, random.Random(seed)))
    return tuple(item for number, (_, item) in enumerate(items) if number % parts == part - 1)


def _even(items: list[tuple[int, Item]], limit: int, rng: random.Random) -> list[tuple[int, Item]]:
    """Round after round one picture of every class, until there are `limit`; the last round's classes are drawn too."""
    by_label: dict[int, list[tuple[int, Item]]] = {}
    for entry in items:
        by_label.setdefault(entry[1].label, []).append(entry)
    for group in by_label.values():
        rng.shuffle(group)
    taken: list[tuple[int, Item]] = []
    while len(taken) < limit:
        some = [group.pop() for group in by_label.values() if group]
        if len(taken) + len(some) > limit:
            some = rng.sample(some, limit - len(taken))
        taken += some
    return taken
