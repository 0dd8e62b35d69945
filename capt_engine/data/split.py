"""Training, validation and test pictures: drawn class by class from an inventory, what is alike kept together."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from capt_engine.data.few_shot import few_shot, validation_of
from capt_engine.data.folders import natural_key
from capt_engine.data.inventory import Entry, Inventory, Kept, table_bytes
from capt_engine.data.labelled_set import DEFAULT_TEMPLATE, SPLITS, WHOLE, Item, LabelledSet
from capt_engine.data.split_checks import blocks_of, warnings_of
from capt_engine.errors import BadRequest
from capt_engine.records.data import USES, Assigned, ClassSplit, SplitRequest, SplitResult


def divide(inventory: Inventory, request: SplitRequest) -> tuple[SplitResult, bytes]:
    """Divide the pictures of an inventory into train, validation and test; return the result, and the list as a CSV.

    The CSV is b"" where the result holds a sentence that forbids tuning on it. Of each class, `test_share` goes to the
    test and `val_share` to the validation, as near as possible while pictures that are alike stay together, across
    classes too; a class of three or more should have a test picture, and every class keeps one to train on. Pictures
    are drawn in an order that depends on the seed and on their bytes, not on their names or on what else is excluded.
    With `own_parts` nothing is drawn, and the data set's own splits stay. Raises BadRequest for shares that leave
    nothing to train on, or own parts that are not there.
    """
    _require_sense(inventory, request)
    kept = _kept(inventory, request)
    train, val = _part(kept, "train"), _part(kept, "val")
    drawn, _ = few_shot(train, None, request.shots, request.seed)
    validated = validation_of(train, val if val.items else None, request.shots, request.seed)
    uses = _uses(kept, drawn, validated, "val" if val.items else "train")
    blocks = tuple(blocks_of(kept, request))
    result = SplitResult(
        classes=tuple(_class_splits(kept, uses)),
        pictures=tuple(
            Assigned(entry.path, kept.classes[entry.label], use) for entry, use in zip(kept.entries, uses, strict=True)
        ),
        blocks=blocks,
        warnings=tuple(warnings_of(kept, request, inventory, is_validated=validated is not None)),
    )
    return result, b"" if blocks else _table(inventory.template, kept)


def _require_sense(inventory: Inventory, request: SplitRequest) -> None:
    shares = (request.val_share, request.test_share)
    if not all(0 <= share < 1 for share in shares) or sum(shares) >= 1:
        raise BadRequest(
            f"{request.val_share:g} of the pictures for validation and {request.test_share:g} for the test leave none to train on.",
            "Both shares are from 0 to below 1, and together below 1.",
        )
    if request.own_parts and all(entry.split == WHOLE for entry in inventory.entries):
        raise BadRequest("These pictures come without parts of their own.", "Have the parts drawn.")


def _kept(inventory: Inventory, request: SplitRequest) -> Kept:
    without, excluded = frozenset(request.excluded_classes), frozenset(request.excluded)
    labels = [label for label, name in enumerate(inventory.classes) if name not in without]
    new = {label: at for at, label in enumerate(labels)}
    entries = tuple(
        entry._replace(label=new[entry.label])
        for entry in inventory.entries
        if entry.label in new and not entry.problem and entry.path not in excluded
    )
    parts = [entry.split for entry in entries] if request.own_parts else _drawn_parts(entries, request)
    return Kept(tuple(inventory.classes[label] for label in labels), entries, tuple(parts))


def _drawn_parts(entries: Sequence[Entry], request: SplitRequest) -> list[str]:
    units = _units(entries, request.seed)
    sizes = Counter(entry.label for entry in entries)
    part_of = ["train"] * len(entries)
    pool = Counter(sizes)
    wanted = {part: {label: _wanted(part, n, request) for label, n in sizes.items()} for part in ("test", "val")}
    for unit in units:
        here = Counter(entries[at].label for at in unit)
        if any(pool[label] <= n for label, n in here.items()):
            continue  # it would leave a class nothing to train on
        for part in ("test", "val"):
            need = wanted[part]
            if sum(abs(need[label] - n) - abs(need[label]) for label, n in here.items()) < 0:
                _move(unit, here, part, part_of, pool, need)
                break
    _repair(units, entries, part_of, pool, sizes, request)
    return part_of


def _move(
    unit: Sequence[int], here: Counter[int], part: str, part_of: list[str], pool: Counter[int], need: dict[int, int]
) -> None:
    for at in unit:
        part_of[at] = part
    for label, n in here.items():
        pool[label] -= n
        need[label] -= n


def _repair(
    units: Sequence[Sequence[int]],
    entries: Sequence[Entry],
    part_of: list[str],
    pool: Counter[int],
    sizes: Counter[int],
    request: SplitRequest,
) -> None:
    """A test picture for each class that could have one and got none, as its pictures are alike in large groups."""
    tested = Counter(entry.label for entry, part in zip(entries, part_of, strict=True) if part == "test")
    small_first = sorted(units, key=len)
    for label, n in sizes.items():
        if tested[label] or not _wanted("test", n, request):
            continue
        for unit in small_first:
            here = Counter(entries[at].label for at in unit)
            if here[label] and part_of[unit[0]] == "train" and all(pool[each] > m for each, m in here.items()):
                _move(unit, here, "test", part_of, pool, dict.fromkeys(here, 0))
                tested.update(here)
                break


def _wanted(part: str, n: int, request: SplitRequest) -> int:
    """Return the number of pictures that a split gets of a class of n; halves are rounded up."""
    test = min(max(math.floor(n * request.test_share + 0.5), int(n >= 3 and request.test_share > 0)), n - 1)
    if part == "test":
        return test
    return min(max(math.floor(n * request.val_share + 0.5), int(n >= 4 and request.val_share > 0)), n - 1 - test)


def _units(entries: Sequence[Entry], seed: int) -> list[tuple[int, ...]]:
    """Return the indices that must stay together, in random order: single pictures, and those of one cluster."""
    together: dict[int, list[int]] = {}
    for at, entry in enumerate(entries):
        together.setdefault(entry.cluster or -1 - at, []).append(at)

    def chance(unit: Sequence[int]) -> bytes:
        first = min(entries[at].sha256 for at in unit)
        return hashlib.sha256(f"{seed} {first}".encode()).digest()

    return sorted((tuple(unit) for unit in together.values()), key=lambda unit: (chance(unit), unit))


def _part(kept: Kept, part: str) -> LabelledSet:
    items = [
        Item(entry.path, entry.label) for entry, where in zip(kept.entries, kept.parts, strict=True) if where == part
    ]
    return LabelledSet("", kept.classes, tuple(items))


def _uses(kept: Kept, drawn: LabelledSet, val: LabelledSet | None, val_in: str) -> list[str]:
    # Counted, as a list may name a picture twice.
    left = {"train": Counter(drawn.items), "val": Counter(val.items if val else ())}
    drawn_from = {"train": "train", "val": val_in}

    def use_of(item: Item, part: str) -> str:
        for use, counted in left.items():
            if part == drawn_from[use] and counted[item]:
                counted[item] -= 1
                return use
        return "test" if part == "test" else "unused"

    return [use_of(Item(entry.path, entry.label), part) for entry, part in zip(kept.entries, kept.parts, strict=True)]


def _class_splits(kept: Kept, uses: Sequence[str]) -> Iterator[ClassSplit]:
    pool = Counter(entry.label for entry, part in zip(kept.entries, kept.parts, strict=True) if part == "train")
    used = Counter((entry.label, use) for entry, use in zip(kept.entries, uses, strict=True))
    for label, name in enumerate(kept.classes):
        yield ClassSplit(name, pool[label], *(used[label, use] for use in USES))


def _table(template: str, kept: Kept) -> bytes:
    """The list, as `labelled` reads it back with the same classes in the same order and the same template.

    `path,label,split` where that says it all. Names that would be sorted otherwise, or begin or end with a space, become numbers with a
    column class_name; a template that is not the usual one stands in a column of its own.
    """
    plain = all(name.strip() == name for name in kept.classes) and list(kept.classes) == sorted(
        set(kept.classes), key=natural_key
    )
    own_template = template != DEFAULT_TEMPLATE
    columns = ["path", "label", *([] if plain else ["class_name"]), "split", *(["template"] if own_template else [])]
    rows = sorted(zip(kept.entries, kept.parts, strict=True), key=lambda row: SPLITS.index(row[1]))
    return table_bytes(columns, _rows(rows, kept.classes, plain, [template] if own_template else []))


def _rows(
    rows: Iterable[tuple[Entry, str]], classes: Sequence[str], plain: bool, template: Sequence[str]
) -> Iterator[list[object]]:
    for entry, part in rows:
        name = classes[entry.label]
        label: list[object] = [name] if plain else [entry.label, name]
        yield [entry.path, *label, part, *template]
