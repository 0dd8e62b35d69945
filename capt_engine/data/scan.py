"""The scan of a labelled data set, read-only: what a user should know before tuning on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from capt_engine.data.labelled_set import is_template
from capt_engine.data.sources import Found
from capt_engine.errors import BadImage, BadRequest
from capt_engine.progress import Progress
from capt_engine.records.data import ClassCount, Duplicates, Member, ScanResult, TinyPicture
from capt_engine.records.pictures import FailedPicture, Picture, Preview

TINY_SIDE = 32
"""A picture with a side below this many pixels is counted as tiny: CLIP enlarges it at least sevenfold."""

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
    """Decode every picture of a data set once; return the findings, and an inventory (a row per picture) for a split.

    Nothing is written, and no pixels are kept. found: the splits, which must share their classes. progress: called with
    (pictures done, pictures in all, text) from the caller's thread; may raise to stop, and that exception goes through.
    template: "" for the data set's own. count_tokens: gives the number of tokens of each of some sentences; None leaves
    out the check for names over token_limit tokens. views: small pictures to send out on the way, of the first usable
    ones of each class; None for none. threads: how many decode at once. Raises BadRequest where the splits have
    different classes or the template has no single {}.
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
    listed = [Entry(item.path, item.label, split, "", 0, 0) for split, each in sets.items() for item in each.items]
    looks = _look_through(listed, first.classes, progress, views, threads)
    same, alike, complete = _grouped(looks.entries, looks.fingerprints, progress)
    clusters = _clusters(same, alike, len(listed))
    entries = tuple(one._replace(cluster=cluster) for one, cluster in zip(looks.entries, clusters, strict=True))
    classes = tuple(_class_counts(entries, first.classes, tuple(sets)))

    def duplicates(groups: Iterable[Iterable[int]]) -> tuple[Duplicates, ...]:
        members = [
            [(entries[at].path, first.classes[entries[at].label], entries[at].split) for at in one] for one in groups
        ]
        return tuple(Duplicates(tuple(Member(*each) for each in one)) for one in members)

    result = ScanResult(
        root=first.root,
        splits=tuple((split, sum(dict(each.by_split)[split] for each in classes)) for split in sets),
        classes=classes,
        listed=len(entries),
        usable=len(entries) - len(looks.failed),
        unreadable=(
            *found.skipped,
            *((first.classes[entries[at].label], looks.failed[at]) for at in sorted(looks.failed)),
        ),
        tiny=tuple(TinyPicture(one.path, one.width, one.height) for one in entries if _is_tiny(one)),
        same=duplicates(same),
        alike=duplicates(alike),
        imbalance=_imbalance(classes),
        long_names=long,
        token_limit=0 if count_tokens is None else token_limit,
        notes=(*found.notes, *_notes(first.classes, classes, complete)),
        template=template,
    )
    return result, Inventory(first.root, template, first.classes, entries, result.token_limit, long)


def _is_tiny(one: Entry) -> bool:
    return not one.problem and min(one.width, one.height) < TINY_SIDE


def _a_few_of_each_first(listed: Sequence[Entry], few: int) -> list[int]:
    """The order of reading: some pictures of every class, so that each has something to show soon, then the others."""
    met: Counter[int] = Counter()
    early: list[int] = []
    late: list[int] = []
    for at, one in enumerate(listed):
        (early if met[one.label] < few else late).append(at)
        met[one.label] += 1
    return early + late


class _Look(NamedTuple):
    sha256: str
    width: int
    height: int
    fingerprint: bytes
    preview: Preview | None


class _Looks(NamedTuple):
    """The findings about each picture: its entry, its fingerprint (n, 64), and by index why it cannot be used."""

    entries: list[Entry]
    fingerprints: NDArray[np.uint8]
    failed: dict[int, FailedPicture]


def _look(path: str, size: int) -> _Look | FailedPicture:
    """One picture; size: of its small view, 0 for none."""
    try:
        photo = read_photo(path)
        preview = None
        if size:
            small = thumbnail(photo, size)
            picture = Picture(small.shape[1], small.shape[0], small.tobytes())
            preview = Preview(path, photo.width, photo.height, picture, photo.notes)
        return _Look(photo.sha256, photo.width, photo.height, likeness.fingerprint(photo.rgb), preview)
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


def _look_through(
    listed: Sequence[Entry], classes: Sequence[str], progress: Progress, views: Views | None, threads: int
) -> _Looks:
    """A look at each picture. A few chunks are under way at any time, however many pictures there are."""
    looks = _Looks(list(listed), np.zeros((len(listed), likeness.FINGERPRINT_BYTES), np.uint8), {})
    few, size = (views.count, views.size) if views is not None else (0, 0)
    shown: Counter[int] = Counter()
    order = _a_few_of_each_first(listed, few)
    chunks = (order[at : at + _CHUNK] for at in range(0, len(order), _CHUNK))
    with ThreadPoolExecutor(max(1, threads), "capt-scan") as pool:

        def begun(chunk: list[int]) -> tuple[list[int], Future[list[_Look | FailedPicture]]]:
            # A view too many is dropped below; which ones are shown does not depend on how fast the threads are.
            wanted = [(listed[at].path, size if shown[listed[at].label] < few else 0) for at in chunk]
            return chunk, pool.submit(_look_at, wanted)

        waiting = [begun(chunk) for chunk in islice(chunks, 2 * max(1, threads))]
        done = 0
        try:
            while waiting:
                chunk, future = waiting.pop(0)
                for at, look in zip(chunk, future.result(), strict=True):
                    one = listed[at]
                    if isinstance(look, FailedPicture):
                        looks.entries[at], looks.failed[at] = one._replace(problem=look.message), look
                        continue
                    looks.entries[at] = one._replace(sha256=look.sha256, width=look.width, height=look.height)
                    looks.fingerprints[at] = np.frombuffer(look.fingerprint, np.uint8)
                    if views is not None and look.preview and shown[one.label] < few:
                        shown[one.label] += 1
                        views.emit(replace(look.preview, class_name=classes[one.label]))
                done += len(chunk)
                progress(done, len(order), "Reading pictures")
                waiting += [begun(chunk) for chunk in islice(chunks, 1)]
        finally:
            for _, future in waiting:
                future.cancel()
    return looks


def _grouped(
    entries: Sequence[Entry], fingerprints: NDArray[np.uint8], progress: Progress
) -> tuple[list[list[int]], list[list[int]], bool]:
    """Groups of indices equal to the byte, groups that look alike without being all equal, and whether every pair was looked at."""
    total = len(entries)
    leader: dict[str, int] = {}
    copies: dict[int, list[int]] = {}
    for at, one in enumerate(entries):
        if not one.problem:
            head = leader.setdefault(one.sha256, at)
            if head != at:
                copies.setdefault(head, [head]).append(at)
    # Of pictures equal to the byte only one is compared, and all are listed.
    heads = sorted(leader.values())
    groups, complete = likeness.look_alike(fingerprints[heads], lambda *_: progress(total, total, "Comparing pictures"))
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


def _class_counts(entries: Sequence[Entry], names: Sequence[str], splits: Sequence[str]) -> Iterator[ClassCount]:
    listed = Counter(one.label for one in entries)
    usable = Counter((one.label, one.split) for one in entries if not one.problem)
    like = Counter(one.label for one in entries if not one.problem and one.cluster)
    tiny = Counter(one.label for one in entries if _is_tiny(one))
    for label, name in enumerate(names):
        by_split = tuple((split, usable[label, split]) for split in splits)
        count = sum(count for _, count in by_split)
        yield ClassCount(name, listed[label], count, by_split, tiny[label], like[label])


def _imbalance(classes: Iterable[ClassCount]) -> float:
    counts = [each.usable for each in classes if each.usable]
    return max(counts) / min(counts) if counts else 1.0


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
