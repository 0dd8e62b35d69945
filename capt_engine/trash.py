"""The trash of a folder of runs, tuning projects, models or prompts: what was deleted lies in `.trash` there, and can be put back.

It goes for good when it has lain there for 30 days, when the trash holds more than 5 GB, or when the disk is nearly full; the
oldest goes first. Only what was moved there by this module, under names that this module gives, is ever removed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capt_engine.errors import BadRequest, CannotWrite
from capt_engine.files import move_new, refused, remove_folder
from capt_engine.formatting import counted, size

TRASH = ".trash"

_STAMP = "%Y%m%dT%H%M%S.%fZ"
_OURS = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)_(.+)", re.DOTALL)


@dataclass(frozen=True)
class TrashRules:
    """The limits beyond which the oldest runs leave the trash: days that one lies there, bytes of all, bytes to leave free on the disk."""

    days: int = 30
    n_bytes: int = 5 * 1000**3
    free_bytes: int = 2 * 1000**3


@dataclass(frozen=True)
class Discarded:
    """A run in the trash. place: where it lies now; run: the folder that it was, and becomes again; when: it was deleted."""

    place: Path
    run: Path
    when: datetime


def discard(run: Path, now: datetime | None = None) -> Path:
    """Move the run folder `run` into the trash beside it, and return its place there.

    now: the present time, None for the clock's. Raises BadRequest where there is no such folder, CannotWrite where the
    disk refuses.
    """
    if not run.is_dir() or run.is_symlink():
        raise BadRequest(f"{str(run)!r} is no folder of a run.", "Look for runs again: it may be gone already.")
    stamp = (now or datetime.now(UTC)).astimezone(UTC).strftime(_STAMP)
    place = run.parent / TRASH / f"{stamp}_{run.name}"
    with refused(place):
        place.parent.mkdir(exist_ok=True)
    move_new(run, place)
    return place


def put_back(run: Path) -> None:
    """Move the run that was the folder `run` back from the trash beside it; of several of that name, the last deleted.

    Raises BadRequest where the trash holds no such run or the name is taken again, CannotWrite where the disk refuses.
    """
    move_new(_last_named(run).place, run)


def discard_files(files: Iterable[Path], name: str, now: datetime | None = None) -> Path:
    """Move `files`, which lie in one folder, into its trash as one thing called `name`, and return its place there.

    The first of them goes last, so that it is whole as long as it is there. Raises CannotWrite where the disk refuses.
    """
    first, *others = files
    stamp = (now or datetime.now(UTC)).astimezone(UTC).strftime(_STAMP)
    place = first.parent / TRASH / f"{stamp}_{name}"
    with refused(place):
        place.mkdir(parents=True)
    for file in (*others, first):
        if file.exists():
            move_new(file, place / file.name)
    return place


def put_back_files(folder: Path, name: str) -> None:
    """Move the files that `discard_files` took as `name` back into `folder`; of several of that name, the last deleted.

    Raises BadRequest where the trash holds none of that name or a file's name is taken again, CannotWrite where the disk
    refuses.
    """
    place = _last_named(folder / name).place
    for file in sorted(place.iterdir()):
        move_new(file, folder / file.name)
    remove_folder(place)


def discarded(folder: Path) -> tuple[Discarded, ...]:
    """List the runs in the trash of `folder`, a folder of runs, the longest deleted first; empty where it cannot be read."""
    try:
        return tuple(sorted(_found(folder), key=lambda one: (one.when, one.place.name)))
    except OSError:
        return ()


def empty(folder: Path, rules: TrashRules | None = None, now: datetime | None = None, *, what: str = "run") -> str:
    """Remove for good the runs in the trash of `folder` that the rules no longer allow, the oldest first.

    rules: the limits, None for the usual ones. now: the present time, None for the clock's. what: a word for what lies
    there. Returns a sentence on what went and why, "" where nothing went. A run that cannot be removed stays.
    """
    limits, moment = rules or TrashRules(), now or datetime.now(UTC)
    left = list(discarded(folder))
    sizes = {one.place: n_bytes_of(one.place) for one in left}

    def is_old() -> bool:
        return moment - left[0].when > timedelta(days=limits.days)

    def is_large() -> bool:
        return sum(sizes[one.place] for one in left) > limits.n_bytes

    def is_full() -> bool:
        return _free(folder) < limits.free_bytes

    parts = []
    for reason, applies in (
        (f"deleted more than {limits.days} days ago", is_old),
        (f"the oldest of more than {size(limits.n_bytes)} in the trash", is_large),
        (f"the disk has less than {size(limits.free_bytes)} free", is_full),
    ):
        n, n_bytes = _remove_while(applies, left, sizes)
        if n:
            parts.append(f"{counted(n, what)} ({size(n_bytes)}): {reason}")
    return f"The trash was emptied of {'; '.join(parts)}." if parts else ""


def empty_all(folder: Path) -> None:
    """Remove for good every run in the trash of `folder`; raises CannotWrite where the disk refuses."""
    for one in discarded(folder):
        remove_folder(one.place)


def n_bytes_of(folder: Path) -> int:
    """Return the bytes of all files in `folder` and in the folders inside it; a file that is gone meanwhile counts 0."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:
                continue
    return total


def _last_named(run: Path) -> Discarded:
    found = [one for one in discarded(run.parent) if one.run.name == run.name]
    if not found:
        raise BadRequest(f"{run.name!r} is no longer in the trash.", "It was emptied meanwhile.")
    return found[-1]


def _remove_while(applies: Callable[[], bool], left: list[Discarded], sizes: dict[Path, int]) -> tuple[int, int]:
    """Remove the oldest of `left` while a rule applies; return how many went, and their bytes."""
    n = n_bytes = 0
    while left and applies():
        oldest = left.pop(0)
        try:
            remove_folder(oldest.place)
        except CannotWrite:
            continue
        n, n_bytes = n + 1, n_bytes + sizes[oldest.place]
    return n, n_bytes


def _found(folder: Path) -> Iterator[Discarded]:
    trash = folder / TRASH
    if trash.is_symlink() or not trash.is_dir():
        return
    for place in trash.iterdir():
        match = _OURS.fullmatch(place.name)
        if match is None or place.is_symlink() or not place.is_dir():
            continue
        try:
            when = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            continue
        yield Discarded(place, folder / match[2], when)


def _free(folder: Path) -> int:
    """Bytes free on the disk; where the system does not say, as many as any rule asks for."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 2**63
