"""Looks through a labelled data set, read-only, and tells what a user should know before tuning on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capt_engine.data import likeness
from capt_engine.data.class_names import CountTokens, listed, long_names, refusals, remarks
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.data.inventory import Entry, Inventory
from capt_engine.data.labelled_set import LabelledSet, is_template
from capt_engine.data.sources import Found
from capt_engine.errors import BadImage, BadRequest
from capt_engine.progress import Progress
from capt_engine.records.data import ClassCount, Duplicates, Member, ScanResult, TinyPicture
from capt_engine.records.pictures import FailedPicture, Picture, Preview

TINY_SIDE = 32
"""A picture with a side below this many pixels is told of: CLIP enlarges it at least sevenfold."""

OnPreview = Callable[[Preview], None]


@dataclass(frozen=True)
class Views:
    """Small views wanted on the way: so many of each class, within a square of `size` pixels; each leaves through `emit`."""

    count: int
    size: int
    emit: OnPreview


def scan(
    found: Found,
    progress: Progress,
    *,
    template: str = "",
    count_tokens: CountTokens | None = None,
    token_limit: int = 77,
    views: Views | None = None,
    threads: int = 2,
) -> tuple[ScanResult, Inventory]:
    """Decodes every picture once and says what was found; nothing is written, and no pixels are kept.

    found: the splits, which must share their classes. tick: called with (pictures done, pictures, note) as pictures are read, from the
    caller's thread; may raise to stop. template: "" is the data set's own. count_tokens: tokens of each of some sentences, as the model
    counts them; the limit is in the same tokens. views: of the first usable pictures of each class, in its order.
    Raises BadRequest where the splits or the template make no sense, and whatever tick raises.
    """
    sets = found.splits
    if not sets or len({each.classes for each in sets.values()}) != 1:
        raise BadRequest("The splits do not have the same classes.", "Scan the splits of one data set together.")
    first = next(iter(sets.values()))
    template = template.strip() or first.template
    if not is_template(template):
        raise BadRequest(
            f"The template {template!r} is not one line with one {{}} for the class name.",
            "For example: a photo of a {}.",
        )
    long = () if count_tokens is None else long_names(first.classes, template, count_tokens, token_limit)
    listing = _Listing(sets)
    looks = _Looks(len(listing))
    _look_through(listing, looks, progress, views, threads)
    same, alike, complete = _grouped(looks, progress)
    clusters = _clusters(same, alike, len(listing))
    classes = tuple(_class_counts(listing, looks, clusters))
    result = ScanResult(
        root=first.root,
        splits=tuple((split, sum(dict(each.by_split)[split] for each in classes)) for split in sets),
        classes=classes,
        listed=len(listing),
        usable=len(listing) - len(looks.failed),
        unreadable=(
            *found.skipped,
            *((first.classes[listing.labels[at]], looks.failed[at]) for at in sorted(looks.failed)),
        ),
        tiny=tuple(TinyPicture(listing.paths[at], *looks.size(at)) for at in looks.tiny()),
        same=tuple(listing.duplicates(group) for group in same),
        alike=tuple(listing.duplicates(group) for group in alike),
        imbalance=_imbalance(classes),
        long_names=long,
        token_limit=0 if count_tokens is None else token_limit,
        notes=(*found.notes, *_notes(first.classes, classes, complete)),
        template=template,
    )
    entries = tuple(_entry(at, listing, looks, clusters) for at in range(len(listing)))
    return result, Inventory(first.root, template, first.classes, entries, result.token_limit, long)


class _Listing:
    """All pictures in one row: split after split, as the data set lists them."""

    def __init__(self, sets: Mapping[str, LabelledSet]) -> None:
        self.classes = next(iter(sets.values())).classes
        self.splits = tuple(sets)
        self.paths = [item.path for each in sets.values() for item in each.items]
        self.labels = [item.label for each in sets.values() for item in each.items]
        self.split_of = [split for split, each in sets.items() for _ in each.items]

    def __len__(self) -> int:
        return len(self.paths)

    def duplicates(self, group: Iterable[int]) -> Duplicates:
        return Duplicates(
            tuple(Member(self.paths[at], self.classes[self.labels[at]], self.split_of[at]) for at in group)
        )

    def a_few_of_each_first(self, few: int) -> list[int]:
        """The order of reading: some pictures of every class, so that each has something to show soon, then the others."""
        met: Counter[int] = Counter()
        early: list[int] = []
        late: list[int] = []
        for at, label in enumerate(self.labels):
            (early if met[label] < few else late).append(at)
            met[label] += 1
        return early + late


class _Look(NamedTuple):
    sha256: bytes
    width: int
    height: int
    fingerprint: bytes
    preview: Preview | None


class _Looks:
    """The kept facts of the pictures: a hundred bytes of each, whatever its size, in memory that is taken before the first is read."""

    def __init__(self, count: int) -> None:
        self.sha256: NDArray[np.uint8] = np.zeros((count, 32), np.uint8)
        self.sides: NDArray[np.uint32] = np.zeros((count, 2), np.uint32)
        self.fingerprints: NDArray[np.uint8] = np.zeros((count, likeness.FINGERPRINT_BYTES), np.uint8)
        self.failed: dict[int, FailedPicture] = {}

    def add(self, at: int, look: _Look | FailedPicture) -> None:
        if isinstance(look, FailedPicture):
            self.failed[at] = look
            return
        self.sha256[at] = np.frombuffer(look.sha256, np.uint8)
        self.sides[at] = look.width, look.height
        self.fingerprints[at] = np.frombuffer(look.fingerprint, np.uint8)

    def size(self, at: int) -> tuple[int, int]:
        return int(self.sides[at, 0]), int(self.sides[at, 1])

    def tiny(self) -> list[int]:
        shorter = self.sides.min(axis=1, initial=2**32 - 1)
        small: list[int] = np.flatnonzero((shorter < TINY_SIDE) & (shorter > 0)).tolist()
        return small


def _look(path: str, size: int) -> _Look | FailedPicture:
    """One picture; size: of its small view, 0 for none."""
    try:
        photo = read_photo(path)
        preview = None
        if size:
            small = thumbnail(photo, size)
            picture = Picture(small.shape[1], small.shape[0], small.tobytes())
            preview = Preview(path, photo.width, photo.height, picture, photo.notes)
        prints = likeness.fingerprint(photo.rgb)
        return _Look(bytes.fromhex(photo.sha256), photo.width, photo.height, prints, preview)
    except BadImage as error:
        return FailedPicture(path, error.message, error.hint)
    except MemoryError:
        return FailedPicture(
            path, "The picture needs more memory than there is.", "Make it smaller in an image editor first."
        )


# Enough that no thread waits for the next path, few enough that stopping is prompt.
_CHUNK = 16


def _look_at(wanted: Sequence[tuple[str, int]]) -> list[_Look | FailedPicture]:
    return [_look(path, size) for path, size in wanted]


def _look_through(listing: _Listing, looks: _Looks, progress: Progress, views: Views | None, threads: int) -> None:
    """A look at each picture. A few chunks are under way at any time, however many pictures there are."""
    few, size = (views.count, views.size) if views is not None else (0, 0)
    shown: Counter[int] = Counter()
    order = listing.a_few_of_each_first(few)
    chunks = (order[at : at + _CHUNK] for at in range(0, len(order), _CHUNK))
    with ThreadPoolExecutor(max(1, threads), "capt-scan") as pool:

        def begun(chunk: list[int]) -> tuple[list[int], Future[list[_Look | FailedPicture]]]:
            # A view too many is dropped below; which ones are shown does not depend on how fast the threads are.
            wanted = [(listing.paths[at], size if shown[listing.labels[at]] < few else 0) for at in chunk]
            return chunk, pool.submit(_look_at, wanted)

        waiting = [begun(chunk) for chunk in islice(chunks, 2 * max(1, threads))]
        done = 0
        try:
            while waiting:
                chunk, future = waiting.pop(0)
                for at, look in zip(chunk, future.result(), strict=True):
                    looks.add(at, look)
                    label = listing.labels[at]
                    if views is not None and isinstance(look, _Look) and look.preview and shown[label] < few:
                        shown[label] += 1
                        views.emit(replace(look.preview, class_name=listing.classes[label]))
                done += len(chunk)
                progress(done, len(order), "Reading pictures")
                waiting += [begun(chunk) for chunk in islice(chunks, 1)]
        finally:
            for _, future in waiting:
                future.cancel()


def _grouped(looks: _Looks, progress: Progress) -> tuple[list[list[int]], list[list[int]], bool]:
    """Groups of indices equal to the byte, groups that look alike without being all equal, and whether every pair was looked at."""
    total = len(looks.sha256)
    leader: dict[bytes, int] = {}
    copies: dict[int, list[int]] = {}
    for at in range(total):
        if at not in looks.failed:
            head = leader.setdefault(looks.sha256[at].tobytes(), at)
            if head != at:
                copies.setdefault(head, [head]).append(at)
    # Of pictures equal to the byte only one is compared, and all are listed.
    heads = sorted(leader.values())
    groups, complete = likeness.look_alike(
        looks.fingerprints[heads], lambda *_: progress(total, total, "Comparing pictures")
    )
    alike = [sorted(index for one in group for index in copies.get(heads[one], [heads[one]])) for group in groups]
    return list(copies.values()), alike, complete


def _clusters(same: Iterable[list[int]], alike: Iterable[list[int]], count: int) -> list[int]:
    """A number from 1 for each picture that is like another, the same for those that belong together; 0 for the others."""
    cluster = [0] * count
    for number, group in enumerate((*alike, *same), 1):
        # Copies of a picture that looks like another are in its group already.
        if not cluster[group[0]]:
            for at in group:
                cluster[at] = number
    return cluster


def _class_counts(listing: _Listing, looks: _Looks, clusters: Sequence[int]) -> Iterator[ClassCount]:
    listed, usable = Counter(listing.labels), Counter[tuple[int, str]]()
    like, tiny = Counter[int](), Counter(listing.labels[at] for at in looks.tiny())
    for at, label in enumerate(listing.labels):
        if at not in looks.failed:
            usable[label, listing.split_of[at]] += 1
            like[label] += clusters[at] > 0
    for label, name in enumerate(listing.classes):
        by_split = tuple((split, usable[label, split]) for split in listing.splits)
        count = sum(count for _, count in by_split)
        yield ClassCount(name, listed[label], count, by_split, tiny[label], like[label])


def _imbalance(classes: Iterable[ClassCount]) -> float:
    counts = [each.usable for each in classes if each.usable]
    return max(counts) / min(counts) if counts else 1.0


def _entry(at: int, listing: _Listing, looks: _Looks, clusters: Sequence[int]) -> Entry:
    failed = looks.failed.get(at)
    return Entry(
        listing.paths[at],
        listing.labels[at],
        listing.split_of[at],
        "" if failed else looks.sha256[at].tobytes().hex(),
        *looks.size(at),
        clusters[at],
        failed.message if failed else "",
    )


def _notes(names: Sequence[str], classes: tuple[ClassCount, ...], complete: bool) -> Iterator[str]:
    empty = [each.name for each in classes if not each.usable]
    if empty:
        yield f"Without a single usable picture: {listed(empty)}."
    yield from refusals(names)
    yield from remarks(names)
    if len(names) == 1:
        yield "There is only one class, so every prediction is right."
    if not complete:
        yield "Many pictures are nearly plain; not all of them were compared with each other."
