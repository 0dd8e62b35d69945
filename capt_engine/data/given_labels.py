"""Labels that come with dropped pictures: from class folders, and from lists of pictures with labels."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from capt_engine.data.folders import RealPaths
from capt_engine.data.sources import load_splits
from capt_engine.errors import CaptError

LISTS = (".csv", ".tsv", ".json")
"""Endings of files that may list pictures with their labels."""


@dataclass(frozen=True)
class Dropped:
    """One path that was dropped. files: the pictures of a list, or the path itself. labels: those of a list, by path; else None."""

    path: str
    files: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] | None = None


def read_list(path: str) -> Dropped:
    """Read the list of pictures and labels at `path`, a CSV with path and label or a split file; what is none stays as it is.

    No folder is looked through, and nothing is raised.
    """
    if not path.lower().endswith(LISTS) or not Path(path).is_file():
        return Dropped(path, (path,))
    items = _labelled(path)
    return Dropped(path, (path,)) if items is None else Dropped(path, tuple(file for file, _ in items), tuple(items))


def labels_of(dropped: Iterable[Dropped], real_paths: RealPaths) -> dict[str, str]:
    """Return the labels that come with what was dropped, by real path.

    A folder gives labels where its pictures lie in two class folders or more, or in a list beside them. What was named
    later counts. real_paths: those that are known already.
    """
    labels: dict[str, str] = {}
    for one in dropped:
        items = one.labels
        if items is None and Path(one.path).is_dir():
            found = _labelled(one.path) or []
            items = tuple(found) if len({name for _, name in found}) > 1 else None
        labels |= {real_paths.of(file): name for file, name in items or ()}
    return labels


def given(paths: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the `paths` with the pictures of each list in its place, and the labels that are given, by real path.

    What is neither list nor folder stays as it is, without labels; nothing is raised.
    """
    dropped = [read_list(path) for path in map(os.fspath, paths)]
    return [file for one in dropped for file in one.files], labels_of(dropped, RealPaths())


def _labelled(path: str) -> list[tuple[str, str]] | None:
    """The pictures of a data set and their labels; None where there is none at `path`."""
    try:
        splits = load_splits(path).values()
    except (CaptError, OSError, ValueError):
        return None
    return [(os.fspath(one.path), data.classes[one.label]) for data in splits for one in data.items]
