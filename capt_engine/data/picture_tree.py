"""What lies below a folder: its subfolders and its pictures, in natural order, read-only and never round a circle."""

from __future__ import annotations

import os
from collections.abc import Callable

from capt_engine.data.folders import entries, is_folder, is_picture
from capt_engine.errors import BadRequest


def subfolders(folder: str) -> tuple[str, ...]:
    """Names of the folders directly in `folder`, in natural order, without hidden ones and what systems leave behind.

    Links to folders count, unless they lead back to `folder` or to a folder above it. Raises BadRequest.
    """
    real = os.path.realpath(folder)
    return tuple(
        entry.name
        for entry in _entries(folder)
        if is_folder(entry) and not (entry.is_symlink() and _leads_up(entry.path, real))
    )


def pictures_in(folder: str) -> tuple[str, ...]:
    """Paths of the pictures directly in `folder`, in natural order. Raises BadRequest."""
    return tuple(entry.path for entry in _entries(folder) if not is_folder(entry) and is_picture(entry))


OnLocked = Callable[[str, BadRequest], None]
"""Told of a folder that cannot be read, and why; the walk then goes on without it."""


def pictures_below(folder: str, top: str, on_locked: OnLocked | None = None) -> tuple[str, ...]:
    """Paths of all pictures at any depth of `folder`, in natural order, a folder's own files before its subfolders.

    Linked folders are followed once, but not where they lead into `top` again: the rest of a data set is not part of one of its
    classes. Raises BadRequest where a folder cannot be read and nobody is to be told.
    """
    inside, around = os.path.realpath(folder), os.path.realpath(top)
    found: list[str] = []
    seen: set[str] = set()
    # A list rather than recursion: a folder may be nested deeper than Python's stack.
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        deeper = []
        try:
            met = _entries(path)
        except BadRequest as error:
            if on_locked is None:
                raise
            on_locked(path, error)
            continue
        for entry in met:
            if not is_folder(entry):
                if is_picture(entry):
                    found.append(entry.path)
            elif not entry.is_symlink() or not _is_other_part(entry.path, inside, around):
                deeper.append(entry.path)
        waiting.extend(reversed(deeper))
    return tuple(found)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return entries(folder)
    except (OSError, ValueError) as error:
        reason = (
            os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "no folder can have this name"
        )
        raise BadRequest(
            f"The folder {folder} cannot be read ({reason}).",
            "Check its path and its permissions, or copy it elsewhere.",
        ) from error


def _leads_up(path: str, real_folder: str) -> bool:
    return _is_within(real_folder, os.path.realpath(path))


def _is_other_part(path: str, inside: str, around: str) -> bool:
    """Whether a link leads above the data set, or into it but out of the folder that is being walked."""
    real = os.path.realpath(path)
    return _is_within(around, real) or (_is_within(real, around) and not _is_within(real, inside))


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
