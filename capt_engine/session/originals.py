"""The search for the pictures of a session: beside it, where they were, or somewhere near, known by their content."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from capt_engine.files import sha256, write_atomic
from capt_engine.session.content import Session, SessionPicture

# So many entries of folders are looked at; a session in the root of a disk must not mean a search of the disk.
_MOST_ENTRIES = 100_000
PASTED = "capt-explorer-"
"""The first letters of a folder for temporary files that holds pictures without a file of their own, such as pasted ones."""

_MOST_PASTED = 64 << 20
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".tiff", ".gif", ".bmp")
_FOREIGN = ("\\\\", "//")


def is_plain_file(path: str) -> bool:
    """Return True if `path` is a regular file of this machine; a name that would ask another machine is not looked at."""
    return _size_of(path) is not None


def find(
    pictures: Sequence[SessionPicture], near: Sequence[str], folder: Path, *, search_too: bool = True
) -> tuple[str, ...]:
    """Return where each picture lies now, "" for one that is not found: beside the session, where it was, or near the session.

    near: the path of each from the session's `folder`, "" where there is none. A file of another size is another picture.
    Near the session it is known by its content, or where that is not known by its name and size; search_too: look there.
    """
    found: list[str] = []
    for one, beside in zip(pictures, near, strict=True):
        places = [os.path.normpath(folder / beside)] if beside and not _is_absolute(beside) else []
        found.append(next((place for place in (*places, one.path) if _fits(place, one)), ""))
    return search(pictures, found, folder) if search_too else tuple(found)


def search(pictures: Sequence[SessionPicture], found: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return `found`, the paths of pictures, with those of missing ones ("") filled in that lie in `folder` or below it."""
    paths = list(found)
    missing: dict[int, list[int]] = {}
    for at, path in enumerate(paths):
        if not path and pictures[at].n_bytes:
            missing.setdefault(pictures[at].n_bytes, []).append(at)
    taken = set(paths)
    for path, size in _files(folder) if missing else ():
        if (wanted := missing.get(size)) is None or path in taken:
            continue
        content = _content(path) if any(pictures[at].sha256 for at in wanted) else ""
        for at in list(wanted):
            one = pictures[at]
            same = one.sha256 == content if one.sha256 else Path(one.path).name == Path(path).name
            if same and path not in taken:
                paths[at] = path
                taken.add(path)
                wanted.remove(at)
        if not wanted:
            del missing[size]
            if not missing:
                break
    return tuple(paths)


def measured(pictures: Iterable[SessionPicture], known: dict[str, tuple[int, int, str]]) -> Iterator[SessionPicture]:
    """Give each picture with size, time and SHA-256 of its file as it is now; a file that is not there leaves what was known.

    known: by path, time in ns, size and hash of files that were read before; it is added to.
    """
    for one in pictures:
        before = known.get(one.path)
        last = one if before is None else replace(one, modified_ns=before[0], n_bytes=before[1], sha256=before[2])
        try:
            status = Path(one.path).stat()
            if not stat.S_ISREG(status.st_mode):
                yield last
                continue
            stamp = status.st_mtime_ns, status.st_size
            if known.get(one.path, (0, 0, ""))[:2] != stamp:
                # The hash that came with a result is that of the bytes that were judged.
                known[one.path] = (
                    *stamp,
                    next((row.sha256 for row in one.rows if row.sha256), "") or sha256(Path(one.path)),
                )
            yield replace(one, modified_ns=stamp[0], n_bytes=stamp[1], sha256=known[one.path][2])
        except (OSError, ValueError):
            yield last


def changed(pictures: Iterable[SessionPicture]) -> tuple[str, ...]:
    """Return the paths of those pictures whose file is another one than when the session was saved, by its content.

    A file of the same size and time is taken for the same.
    """
    found = []
    for one in pictures:
        try:
            status = Path(one.path).stat()
            if not one.sha256 or not stat.S_ISREG(status.st_mode) or status.st_mtime_ns == one.modified_ns:
                continue
            if sha256(Path(one.path)) != one.sha256:
                found.append(one.path)
        except (OSError, ValueError):
            continue
    return tuple(found)


def with_original(picture: SessionPicture) -> SessionPicture:
    """Return a picture that has no lasting file with the content of its file in it; any other as it is."""
    folder = Path(picture.path).parent
    if not folder.name.startswith(PASTED) or folder.parent != Path(tempfile.gettempdir()):
        return picture
    try:
        if Path(picture.path).stat().st_size > _MOST_PASTED:
            return picture
        return replace(picture, original=Path(picture.path).read_bytes())
    except OSError:
        return picture


def put_originals(session: Session, folder: Path) -> Session:
    """Write the pictures that came in a session into `folder`, under names of ours, and return the session with their new paths."""
    pictures = []
    for at, one in enumerate(session.pictures):
        if not one.original:
            pictures.append(one)
            continue
        ending = Path(one.path).suffix.lower()
        path = folder / f"pasted-{at + 1}{ending if ending in _ENDINGS else '.png'}"
        write_atomic(path, one.original, durable=False)
        pictures.append(
            replace(one, path=str(path), original=b"", n_bytes=len(one.original), modified_ns=path.stat().st_mtime_ns)
        )
    return replace(session, pictures=tuple(pictures))


def _fits(path: str, picture: SessionPicture) -> bool:
    size = _size_of(path)
    return size is not None and picture.n_bytes in (0, size)


def _size_of(path: str) -> int | None:
    if path.startswith(_FOREIGN):
        return None
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _is_absolute(path: str) -> bool:
    return Path(path).is_absolute() or path.startswith(("/", "\\"))


def _content(path: str) -> str:
    try:
        return sha256(Path(path))
    except OSError:
        return ""


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Give path and size of each file in `folder` and below it, those nearest first; links to folders are not followed."""
    waiting, seen = [str(folder)], 0
    while waiting:
        below: list[str] = []
        for place in waiting:
            try:
                with os.scandir(place) as entries:
                    for entry in entries:
                        seen += 1
                        if seen > _MOST_ENTRIES:
                            return
                        if entry.is_dir(follow_symlinks=False):
                            below.append(entry.path)
                        elif entry.is_file():
                            yield entry.path, entry.stat().st_size
            except OSError:
                continue
        waiting = below
