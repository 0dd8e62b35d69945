"""The published data sets as they lie on a disk, beside the published counts.

Nothing is written or fetched, and no picture is opened unless that is asked for.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capt_engine.data.benchmarks import (
    BENCHMARKS,
    SPLIT_FILE,
    VARIANTS,
    Benchmark,
    Missing,
    folder_of,
    load,
    missing_class_folders,
    missing_parts,
)
from capt_engine.data.images import read_photo
from capt_engine.data.labelled_set import SPLITS, shown
from capt_engine.data.picture_tree import subfolders
from capt_engine.errors import BadImage, BadRequest
from capt_engine.progress import Progress, no_progress

State = Literal["complete", "different", "incomplete", "absent"]
"""Complete: as published. Different: all that is listed is there, but not as many as published. Absent: there is no folder."""

_NAMED = 5
_EVERY = 1000
# A folder under another name counts as like the expected one from this similarity on (difflib's ratio).
_ALIKE = 0.75


@dataclass(frozen=True)
class SplitState:
    """One split on the disk. listed: pictures that its list names, or its class folders hold; published: as many as there should be.

    absent: listed, but not on the disk; empty: files of no bytes; unreadable: that cannot be decoded, None where none was
    tried. first: the first few of these. class_folders: that are not there, where a list says which there should be.
    """

    split: str
    published: int
    listed: int
    absent: int = 0
    empty: int = 0
    unreadable: int | None = None
    first: tuple[str, ...] = ()
    class_folders: tuple[str, ...] = ()

    @property
    def usable(self) -> int:
        """Return how many pictures are there and not known to be broken."""
        return self.listed - self.absent - self.empty - (self.unreadable or 0)


@dataclass(frozen=True)
class BenchmarkState:
    """One published data set on a disk. folder: where it is looked for; classes: 0 where no list could be read.

    missing: folders and lists without which it cannot be read. problems: sentences on lists that make no sense. alike:
    folders of the root that may be this one under another name. fetch: sentences on what to fetch, and from where.
    """

    name: str
    registry: str
    state: State
    folder: str
    classes: int
    published_classes: int
    splits: tuple[SplitState, ...] = ()
    missing: tuple[Missing, ...] = ()
    problems: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()


def check(
    name: str, root: str | os.PathLike[str], *, deep: bool = False, progress: Progress = no_progress
) -> BenchmarkState:
    """Compare the published data set `name` below the folder `root` with what was published.

    It looks for each listed picture and at its size; nothing is written. deep: decode every picture too, which takes
    long. progress: called as pictures are looked at, may raise to stop. Raises UnknownName for another name.
    """
    benchmark = BENCHMARKS[name]
    folder, pictures = folder_of(name, root)
    missing = missing_parts(name, root)
    splits: list[SplitState] = []
    problems: list[str] = []
    classes = 0
    if not missing:
        progress(0, 0, f"{name}: reading its lists")
        for split, published in zip(SPLITS, benchmark.sizes, strict=True):
            if not published:
                continue
            gaps: tuple[str, ...] = ()
            try:
                gaps = missing_class_folders(name, root, split)
                data = load(name, root, split)
            except BadRequest as why:
                # A folder that is not there is named already, and with all the others.
                problems += [] if gaps else [str(why)]
                splits.append(SplitState(split, published, 0, class_folders=gaps))
                continue
            classes = max(classes, len(data.classes))
            paths = [item.path for item in data.items]
            found = _looked_at(paths, pictures, f"{name}, {split}", progress, deep=deep)
            splits.append(SplitState(split, published, len(paths), *found, class_folders=gaps))
    state = _state(benchmark, classes, splits, missing, problems, is_there=Path(folder).is_dir())
    return BenchmarkState(
        name=name,
        registry=benchmark.registry,
        state=state,
        folder=folder,
        classes=classes,
        published_classes=benchmark.classes,
        splits=tuple(splits),
        missing=missing,
        problems=tuple(dict.fromkeys(problems)),
        alike=_alike(benchmark, str(root)) if state == "absent" else (),
        fetch=_fetch(benchmark, splits, missing, problems) if state in ("absent", "incomplete") else (),
    )


def _looked_at(
    paths: list[str], top: str, note: str, progress: Progress, *, deep: bool
) -> tuple[int, int, int | None, tuple[str, ...]]:
    """The numbers of absent, empty and unreadable pictures, and the first few of them, as paths below `top`."""
    wrong: dict[str, list[str]] = {"absent": [], "empty": [], "unreadable": []}
    for at, path in enumerate(paths):
        if at % (1 if deep else _EVERY) == 0:
            progress(at, len(paths), note)
        if kind := _fault(path, deep=deep):
            wrong[kind].append(shown(os.path.relpath(path, top)))
    first = [name for names in wrong.values() for name in names][:_NAMED]
    unreadable = len(wrong["unreadable"]) if deep else None
    return len(wrong["absent"]), len(wrong["empty"]), unreadable, tuple(first)


def _fault(path: str, *, deep: bool) -> str:
    try:
        # Not Path.stat: there may be a million of them.
        size = os.stat(path).st_size  # noqa: PTH116
    except (OSError, ValueError):
        return "absent"
    if not size:
        return "empty"
    if deep:
        try:
            read_photo(path)
        except BadImage:
            return "unreadable"
    return ""


def _state(
    benchmark: Benchmark,
    classes: int,
    splits: list[SplitState],
    missing: tuple[Missing, ...],
    problems: list[str],
    *,
    is_there: bool,
) -> State:
    if not is_there:
        return "absent"
    short = any(one.usable < one.listed or one.class_folders for one in splits)
    # Where folders are counted, too few pictures are missing ones; where a list is, it is another list.
    counted = benchmark.layout not in (SPLIT_FILE, VARIANTS)
    few = counted and (classes < benchmark.classes or any(one.listed < one.published for one in splits))
    if missing or problems or short or few:
        return "incomplete"
    same = classes == benchmark.classes and all(one.listed == one.published for one in splits)
    return "complete" if same else "different"


def _fetch(
    benchmark: Benchmark, splits: list[SplitState], missing: tuple[Missing, ...], problems: list[str]
) -> tuple[str, ...]:
    """The sentences on what to fetch, each once."""
    wanted = [one.fetch for one in missing]
    if problems:
        wanted.append("The list that is spoken of, again from where it came.")
    if any(one.usable < one.published or one.class_folders for one in splits) and not problems:
        wanted.append(f"{benchmark.source}.")
    return tuple(dict.fromkeys(wanted))


def _alike(benchmark: Benchmark, root: str) -> tuple[str, ...]:
    """The folders of the root whose names are like those of the data set."""
    wanted = {_plain(one) for one in (benchmark.name, benchmark.registry, *(folder for folder, _ in benchmark.places))}
    theirs = {folder for one in BENCHMARKS for folder, _ in one.places}
    return tuple(
        name
        for name in _folders(root)
        if name not in theirs
        and any(difflib.SequenceMatcher(None, _plain(name), one).ratio() >= _ALIKE for one in wanted)
    )


def _folders(root: str) -> Iterator[str]:
    try:
        yield from subfolders(root)
    except BadRequest:
        return


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
