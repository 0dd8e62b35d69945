"""The subfolders and pictures below a folder, in natural order, read-only and never round a circle of links."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from capt_engine.data.folders import entries, files_below, is_folder, is_picture
from capt_engine.data.labelled_set import shown
from capt_engine.data.products import left_out, product
from capt_engine.errors import BadRequest


class Kind(Enum):
    """The reason why a walk goes on without something."""

    UNREADABLE = "a folder that cannot be read"
    LINK = "a link that leads round in a circle or out of its class"
    PRODUCT = "a folder that this program wrote, which holds no pictures of the user's"


class Obstacle(NamedTuple):
    """A folder or link that a walk goes on without."""

    path: str
    why: BadRequest
    kind: Kind = Kind.UNREADABLE


OnObstacle = Callable[[Obstacle], None]
"""A callback that gets what the walk goes on without."""


def no_pause() -> None:
    """Do nothing; the default for a callback that is called before each folder of a search."""


def subfolders(folder: str, on_obstacle: OnObstacle | None = None) -> tuple[str, ...]:
    """Return the names of the folders directly in `folder`, in natural order, without hidden and system ones.

    Links to folders count, unless they lead round in a circle, to `folder` or to a folder above it: these go to
    `on_obstacle`, if there is one, and so do folders that this program wrote, such as runs. Raises BadRequest where
    `folder` cannot be read.
    """
    real = os.path.realpath(folder)
    found: list[str] = []
    for entry in _entries(folder):
        if entry.is_symlink() and (_leads_nowhere(entry) or (is_folder(entry) and _leads_up(entry.path, real))):
            if on_obstacle is not None:
                on_obstacle(_circle(entry.path))
        elif is_folder(entry) and (what := product(Path(entry.path))):
            if on_obstacle is not None:
                on_obstacle(_ours(entry.path, entry.name, what))
        elif is_folder(entry):
            found.append(entry.name)
    return tuple(found)


def pictures_in(folder: str) -> tuple[str, ...]:
    """Return the paths of the pictures directly in `folder`, in natural order; raise BadRequest if that is unreadable."""
    return tuple(entry.path for entry in _entries(folder) if not is_folder(entry) and is_picture(entry))


def pictures_below(
    folder: str, top: str, on_obstacle: OnObstacle | None = None, between: Callable[[], None] = no_pause
) -> tuple[str, ...]:
    """Return the paths of all pictures at any depth of `folder`, in natural order, those of subfolders later.

    top: the folder of the whole data set. Linked folders are followed once, but not where they lead into another part
    of `top`, which belongs to other classes. on_obstacle: called with each folder that cannot be read, each link that
    is not followed and each folder that this program wrote; with None an unreadable folder raises BadRequest. between:
    called before each folder, may raise to stop.
    """
    inside, around = os.path.realpath(folder), os.path.realpath(top)

    def unreadable(path: str, error: Exception) -> None:
        why = _unreadable(path, error)
        if on_obstacle is None:
            raise why from error
        on_obstacle(Obstacle(path, why))

    def tell(path: str, what: str) -> None:
        if on_obstacle is not None:
            on_obstacle(_ours(path, os.path.relpath(path, top), what))

    def is_part(entry: os.DirEntry[str]) -> bool:
        if not entry.is_symlink() or not _is_other_part(entry.path, inside, around):
            return True
        if on_obstacle is not None:
            on_obstacle(_circle(entry.path))
        return False

    found: list[str] = []
    for entry in files_below(folder, set(), unreadable, tell, is_part, between):
        if is_picture(entry):
            found.append(entry.path)
        elif entry.is_symlink() and _leads_nowhere(entry) and on_obstacle is not None:
            on_obstacle(_circle(entry.path))
    return tuple(found)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return entries(folder)
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: str, error: Exception) -> BadRequest:
    named = isinstance(error, OSError) and error.errno
    reason = os.strerror(named) if named else "no folder can have this name"
    return BadRequest(
        f"The folder {shown(folder)} cannot be read ({reason}).",
        "Check its path and its permissions, or copy it elsewhere.",
    )


def _circle(path: str) -> Obstacle:
    why = BadRequest(
        "This link leads back to itself, to a folder above it, or to another class; it was not followed.",
        "Copy what should belong to this class into its folder.",
    )
    return Obstacle(path, why, Kind.LINK)


def _ours(path: str, name: str, what: str) -> Obstacle:
    return Obstacle(path, BadRequest(left_out(shown(name), what)), Kind.PRODUCT)


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Return whether a link leads round in a circle; one that is called like a picture is read as one, and fails with its own sentence."""
    try:
        Path(entry.path).stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _leads_up(path: str, real_folder: str) -> bool:
    return _is_within(real_folder, os.path.realpath(path))


def _is_other_part(path: str, inside: str, around: str) -> bool:
    """Return whether a link leads above the data set, or into it but out of the folder that is being walked."""
    real = os.path.realpath(path)
    return _is_within(around, real) or (_is_within(real, around) and not _is_within(real, inside))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
