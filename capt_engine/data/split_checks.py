"""Sentences about a split: those that forbid going on, and those that a user should know before doing so."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from capt_engine.data.class_names import listed, refusals
from capt_engine.data.inventory import Entry, Inventory, Kept
from capt_engine.data.labelled_set import shown
from capt_engine.data.scan import TINY_SIDE
from capt_engine.formatting import percent_number
from capt_engine.records.data import SplitRequest

MOST_IMBALANCE = 5.0
"""A class with more than so many times the pictures of another is warned about."""
WIDE = 0.1
"""An interval that reaches further than this to either side is warned about."""

_Z95 = 1.959963984540054


def half_width(n: int) -> float:
    """Return half the width of the 95 % Wilson interval, a share in [0, 1], when half of n pictures are right.

    Source: Wilson 1927, at p = ½.
    """
    return _Z95 / (2 * math.sqrt(n + _Z95**2))


def blocks_of(kept: Kept, request: SplitRequest) -> Iterator[str]:
    """Yield a sentence for each fault that forbids tuning on a split, such as fewer than two classes or no test pictures.

    kept: the pictures that are used, and the part that each is in. request: the settings that made the split. Yields
    nothing where tuning may go on.
    """
    classes, entries = kept.classes, kept.entries
    usable = Counter(entry.label for entry in entries)
    if len(classes) < 2:
        yield (
            f"There {'is only one class' if classes else 'is no class'}; telling classes apart needs at least two. "
            "Add a folder of pictures of something else."
        )
    few = [label for label in range(len(classes)) if usable[label] < 2]
    if few:
        counts = [usable[label] for label in few]
        yield (
            f"Fewer than two usable pictures: {listed([classes[label] for label in few], counts)}. One is to train on and "
            f"one to test on: add pictures, or exclude {'the class' if len(few) == 1 else 'these classes'}."
        )
    yield from refusals(classes)
    if len(entries) > 1 and entries[0].cluster and len({entry.cluster for entry in entries}) == 1:
        yield (
            "All pictures are the same picture, or look alike: there is nothing to tell apart, and nothing left to test on. "
            "Choose folders of different pictures."
        )
        return
    own = " Have the parts drawn instead of keeping the data's own." if request.own_parts else ""
    if entries and "test" not in kept.parts:
        why = "" if request.own_parts else _why_no_test(request)
        yield f"No picture is left for the test, so nobody could tell whether tuning helped.{why}{own}"
    pool = _in_part(kept, "train")
    bare = [classes[label] for label in range(len(classes)) if usable[label] >= 2 and not pool[label]]
    if bare:
        yield f"No picture is left to train on: {listed(bare)}.{own or ' Make the shares smaller, or exclude the class.'}"


def _why_no_test(request: SplitRequest) -> str:
    if not request.test_share:
        return " Make the test share larger than 0."
    return " Within each class the pictures are alike, or too few: add different pictures."


def warnings_of(kept: Kept, request: SplitRequest, inventory: Inventory, *, is_validated: bool) -> Iterator[str]:
    """Yield a sentence for each thing to know about a split that is allowed, such as few test pictures.

    kept: the pictures that are used, and the part that each is in. request: the settings that made the split.
    inventory: all pictures of the data set. is_validated: True if there are validation pictures.
    """
    yield from _about_numbers(kept, request, is_validated)
    yield from _about_likeness(kept)
    classes, entries = set(kept.classes), kept.entries
    long = [each for each in inventory.long_names if each.name in classes]
    if long:
        named = listed([each.name for each in long], [each.tokens for each in long])
        yield (
            f"The model reads at most {inventory.token_limit} tokens of a sentence, so tuning will refuse these names: {named}. "
            "Shorten the template, rename the folder, or exclude the class."
        )
    tiny = sum(min(entry.width, entry.height) < TINY_SIDE for entry in entries)
    if tiny:
        yield (
            f"{_pictures(tiny)} {'is' if tiny == 1 else 'are'} less than {TINY_SIDE} pixels wide or high: "
            "the model sees little in them."
        )
    gone = [name for name in request.excluded_classes if name not in inventory.classes]
    if gone:
        yield f"Excluded, but not there: {listed(gone)}."


def _about_numbers(kept: Kept, request: SplitRequest, is_validated: bool) -> Iterator[str]:
    classes = kept.classes
    usable = Counter(entry.label for entry in kept.entries)
    if len(usable) > 1:
        (most, high), *_, (least, low) = usable.most_common()
        if high > MOST_IMBALANCE * low:
            yield (
                f"{listed([classes[most]])} has {high} pictures, {listed([classes[least]])} only {low}: over {MOST_IMBALANCE:.0f} to 1. "
                + (
                    "With all training pictures, tuning will favour the larger classes; with a fixed number of each it will not."
                    if request.shots is None
                    else "Each class is trained on equally, but the test counts the larger classes more."
                )
            )
    pool = _in_part(kept, "train")
    if request.shots is not None:
        short = [label for label in range(len(classes)) if 0 < pool[label] < request.shots]
        if short:
            named = listed([classes[label] for label in short], [pool[label] for label in short])
            counts = {pool[label] for label in range(len(classes))}
            yield (
                f"Fewer than {request.shots} pictures are left to train on: {counts.pop()} of each class. All of them will be taken."
                if len(counts) == 1
                else f"Fewer than {request.shots} pictures are left to train on: {named}. "
                "All of them will be taken, and other classes may have more."
            )
    if not is_validated:
        yield f"No picture is left for validation, so that tuning cannot stop early or keep its best. {_how_to_validate(request)}"
    test = kept.parts.count("test")
    if test and half_width(test) > WIDE:
        yield (
            f"The test has {_pictures(test)}: where half of them are right, the 95 % interval reaches "
            f"{percent_number(half_width(test))} points to either side. Results will be rough; a larger test share makes them finer."
        )
    tested = _in_part(kept, "test")
    untested = [classes[label] for label in range(len(classes)) if usable[label] and not tested[label]]
    if test and untested:
        yield f"Without a test picture, so that nothing will be known about it: {listed(untested)}."


def _how_to_validate(request: SplitRequest) -> str:
    if not request.own_parts:
        return "Give the validation a share."
    fewer = (
        "Train on a few pictures of each class instead of all" if request.shots is None else "Train on fewer pictures"
    )
    return f"{fewer}, so that some are left for validation, or have the parts drawn."


def _about_likeness(kept: Kept) -> Iterator[str]:
    classes, entries, parts = kept.classes, kept.entries, kept.parts
    clusters: dict[int, list[int]] = {}
    for at, entry in enumerate(entries):
        if entry.cluster:
            clusters.setdefault(entry.cluster, []).append(at)
    groups = [group for group in clusters.values() if len(group) > 1]
    mixed = [group for group in groups if len({parts[at] for at in group}) > 1]
    if mixed:
        pictures = sum(len(group) for group in mixed)
        yield (
            f"{_pictures(pictures)} in the data's own parts {'is' if pictures == 1 else 'are'} the same as, or like, one of another "
            f"part, {_example(entries, mixed[0])}: training pictures would be tested on. "
            "Have the parts drawn, which keeps such pictures together, or exclude them."
        )
    crossing = [group for group in groups if len({entries[at].label for at in group}) > 1]
    if crossing:
        first = crossing[0]
        names = list(dict.fromkeys(classes[entries[at].label] for at in first))
        times = "once" if len(crossing) == 1 else f"{len(crossing)} times"
        yield (
            f"The same picture, or one that looks alike, is in several classes ({times}), {_example(entries, first)} in "
            f"{listed(names)}: one of the labels is wrong, or the classes overlap. Exclude the wrong ones."
        )
    size = Counter(entry.label for entry in entries)
    inside = (Counter(entries[at].label for at in group) for group in groups)
    whole = [classes[label] for each in inside for label, count in each.items() if 1 < count == size[label]]
    if whole:
        yield f"All pictures are the same, or look alike, in: {listed(whole)}. They count as little more than one picture."


def _in_part(kept: Kept, part: str) -> Counter[int]:
    return Counter(entry.label for entry, where in zip(kept.entries, kept.parts, strict=True) if where == part)


def _example(entries: Sequence[Entry], group: Sequence[int]) -> str:
    one, other = entries[group[0]], entries[group[1]]
    return f"for example {shown(one.path)!r} and {shown(other.path)!r}"


def _pictures(n: int) -> str:
    return f"{n} picture{'' if n == 1 else 's'}"
