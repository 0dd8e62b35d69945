"""Looks through a labelled data set, read-only, and tells what a user should know before tuning on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from capt_engine.data import likeness
from capt_engine.data.images import read_photo
from capt_engine.data.labelled import LabelledSet, load_splits
from capt_engine.errors import BadImage, BadRequest

TINY_SIDE = 32
"""A picture with a side below this many pixels is told of: CLIP enlarges it at least sevenfold."""

Tick = Callable[[int, int, str], None]
CountTokens = Callable[[list[str]], tuple[int, ...]]


@dataclass(frozen=True)
class Unreadable:
    """A picture that cannot be used: the reason, and what to do about it."""

    path: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class TinyPicture:
    """A picture with a side below TINY_SIDE pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Member:
    """One picture among its duplicates: where it is, and what it is called there."""

    path: str
    class_name: str
    split: str


@dataclass(frozen=True)
class Duplicates:
    """Pictures that are the same to the byte, or look alike; at least two."""

    members: tuple[Member, ...]

    @property
    def across_classes(self) -> bool:
        """Whether the same picture has two labels: one of them is wrong, or the classes overlap."""
        return len({member.class_name for member in self.members}) > 1

    @property
    def across_splits(self) -> bool:
        """Whether the same picture is in two splits: what is trained on would be tested on."""
        return len({member.split for member in self.members}) > 1


@dataclass(frozen=True)
class ClassCount:
    """One class: `listed` pictures in all splits, of which `usable` can be read; `by_split` has (split, usable)."""

    name: str
    listed: int
    usable: int
    by_split: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class LongName:
    """A class name that needs more tokens than the model reads, so that its end would be cut off."""

    name: str
    tokens: int


@dataclass(frozen=True)
class ScanResult:
    """What a data set holds.

    splits: (name, usable pictures). same: groups equal to the byte. alike: groups that look alike without being all equal to the
    byte (`likeness`). imbalance: pictures of the largest class / of the smallest that has any, over all splits, at least 1.
    token_limit: 0 when it was not checked. notes: what else there is to say, in sentences.
    """

    root: str
    splits: tuple[tuple[str, int], ...]
    classes: tuple[ClassCount, ...]
    listed: int
    usable: int
    unreadable: tuple[Unreadable, ...]
    tiny: tuple[TinyPicture, ...]
    same: tuple[Duplicates, ...]
    alike: tuple[Duplicates, ...]
    imbalance: float
    long_names: tuple[LongName, ...] = ()
    token_limit: int = 0
    notes: tuple[str, ...] = ()


def scan(
    data: str | os.PathLike[str] | Mapping[str, LabelledSet],
    tick: Tick,
    *,
    count_tokens: CountTokens | None = None,
    token_limit: int = 77,
    threads: int = 2,
) -> ScanResult:
    """Decodes every picture once and says what was found; nothing is written, and no pixels are kept.

    data: a path that `load_splits` understands, or the splits themselves, which must share their classes.
    tick: called with (pictures done, pictures, note) as pictures are read, from the caller's thread; may raise to stop.
    count_tokens: tokens of each of some sentences, as the model counts them; the limit is in the same tokens.
    Raises BadRequest where the data set cannot be loaded, and whatever tick raises.
    """
    sets = data if isinstance(data, Mapping) else load_splits(data)
    if not sets or len({each.classes for each in sets.values()}) != 1:
        raise BadRequest("The splits do not have the same classes.", "Scan the splits of one data set together.")
    first = next(iter(sets.values()))
    members = [
        Member(item.path, each.classes[item.label], split) for split, each in sets.items() for item in each.items
    ]
    labels = [item.label for each in sets.values() for item in each.items]
    looks = _looks([member.path for member in members], tick, threads)

    readable = [(index, look) for index, look in enumerate(looks) if isinstance(look, _Look)]
    by_bytes: dict[bytes, list[int]] = {}
    for index, look in readable:
        by_bytes.setdefault(look.sha256, []).append(index)
    alike, complete = _alike(list(by_bytes.values()), looks, len(members), tick)
    usable = Counter((labels[index], members[index].split) for index, _ in readable)
    listed = Counter(labels)
    classes = tuple(_class_count(label, name, listed, usable, sets) for label, name in enumerate(first.classes))
    return ScanResult(
        root=first.root,
        splits=tuple((split, sum(usable[label, split] for label in range(len(classes)))) for split in sets),
        classes=classes,
        listed=len(members),
        usable=len(readable),
        unreadable=tuple(look for look in looks if isinstance(look, Unreadable)),
        tiny=tuple(
            TinyPicture(members[index].path, look.width, look.height)
            for index, look in readable
            if min(look.width, look.height) < TINY_SIDE
        ),
        same=tuple(_duplicates(group, members) for group in by_bytes.values() if len(group) > 1),
        alike=tuple(_duplicates(group, members) for group in alike),
        imbalance=_imbalance(classes),
        long_names=() if count_tokens is None else tuple(_long_names(first, count_tokens, token_limit)),
        token_limit=0 if count_tokens is None else token_limit,
        notes=tuple(_notes(first, classes, complete)),
    )


class _Look(NamedTuple):
    """What is kept of a picture: some hundred bytes, whatever its size."""

    sha256: bytes
    width: int
    height: int
    fingerprint: bytes


def _look(path: str) -> _Look | Unreadable:
    try:
        photo = read_photo(path)
        return _Look(bytes.fromhex(photo.sha256), photo.width, photo.height, likeness.fingerprint(photo.rgb))
    except BadImage as error:
        return Unreadable(path, error.message, error.hint)
    except MemoryError:
        return Unreadable(
            path, "The picture needs more memory than there is.", "Make it smaller in an image editor first."
        )


# Enough that no thread waits for the next path, few enough that stopping is prompt.
_CHUNK = 16


def _look_at(paths: list[str]) -> list[_Look | Unreadable]:
    return [_look(path) for path in paths]


def _looks(paths: list[str], tick: Tick, threads: int) -> list[_Look | Unreadable]:
    """A look at each path, in order. A few chunks are under way at any time, however many paths there are."""
    looks: list[_Look | Unreadable] = []
    chunks = iter([paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)])
    with ThreadPoolExecutor(max(1, threads), "capt-scan") as pool:
        waiting: list[Future[list[_Look | Unreadable]]] = [
            pool.submit(_look_at, chunk) for chunk in islice(chunks, 2 * max(1, threads))
        ]
        try:
            while waiting:
                looks += waiting.pop(0).result()
                tick(len(looks), len(paths), "Reading pictures")
                waiting += [pool.submit(_look_at, chunk) for chunk in islice(chunks, 1)]
        finally:
            for future in waiting:
                future.cancel()
    return looks


def _alike(
    copies: list[list[int]], looks: list[_Look | Unreadable], total: int, tick: Tick
) -> tuple[list[list[int]], bool]:
    """Groups of indices that look alike, in order; of pictures equal to the byte only one is compared, and all are listed."""
    fingerprints = [look.fingerprint for group in copies if isinstance(look := looks[group[0]], _Look)]
    groups, complete = likeness.look_alike(fingerprints, lambda *_: tick(total, total, "Comparing pictures"))
    return [sorted(index for at in group for index in copies[at]) for group in groups], complete


def _duplicates(group: Iterable[int], members: list[Member]) -> Duplicates:
    return Duplicates(tuple(members[index] for index in group))


def _class_count(
    label: int, name: str, listed: Counter[int], usable: Counter[tuple[int, str]], splits: Iterable[str]
) -> ClassCount:
    by_split = tuple((split, usable[label, split]) for split in splits)
    return ClassCount(name, listed[label], sum(count for _, count in by_split), by_split)


def _imbalance(classes: Iterable[ClassCount]) -> float:
    counts = [each.usable for each in classes if each.usable]
    return max(counts) / min(counts) if counts else 1.0


def _long_names(data: LabelledSet, count_tokens: CountTokens, limit: int) -> Iterator[LongName]:
    # As the classifier asks: underscores are spaces there.
    sentences = [data.template.replace("{}", name.replace("_", " ")) for name in data.classes]
    for name, tokens in zip(data.classes, count_tokens(sentences), strict=True):
        if tokens > limit:
            yield LongName(name, tokens)


def _notes(data: LabelledSet, classes: tuple[ClassCount, ...], complete: bool) -> Iterator[str]:
    empty = [each.name for each in classes if not each.usable]
    if empty:
        yield f"Without a single usable picture: {', '.join(empty)}."
    spelled = Counter(name.replace("_", " ").casefold() for name in data.classes)
    twice = sorted(name for name, count in spelled.items() if count > 1)
    if twice:
        yield f"Several classes share a name, so that no model can tell them apart: {', '.join(twice)}."
    if len(data.classes) == 1:
        yield "There is only one class, so every prediction is right."
    if not complete:
        yield "Many pictures are nearly plain; not all of them were compared with each other."
