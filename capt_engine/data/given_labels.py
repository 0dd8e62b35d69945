"""Labels that come with dropped pictures: from class folders, and from lists of pictures with labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from capt_engine.data.sources import load_splits
from capt_engine.errors import CaptError

LISTS = (".csv", ".tsv", ".json")
"""Endings of files that may list pictures with their labels."""


def given(paths: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the `paths` with the pictures of each list in its place, and the labels that are given, by real path.

    A list is a CSV with path and label or a split file. A folder gives labels where its pictures lie in two class
    folders or more, or in a list beside them. What is neither stays as it is, without labels; nothing is raised.
    """
    found: list[str] = []
    labels: dict[str, str] = {}
    for path in map(os.fspath, paths):
        is_list = path.lower().endswith(LISTS) and Path(path).is_file()
        if not is_list and not Path(path).is_dir():
            found.append(path)
            continue
        try:
            splits = load_splits(path).values()
        except (CaptError, OSError, ValueError):
            found.append(path)
            continue
        items = [(os.fspath(one.path), data.classes[one.label]) for data in splits for one in data.items]
        if is_list or len({name for _, name in items}) > 1:
            labels |= {os.path.realpath(file): name for file, name in items}
        found += [file for file, _ in items] if is_list else [path]
    return found, labels
