"""Labelled pictures by what a user calls them: a folder, a list, or the id of a benchmark."""

from __future__ import annotations

import os
from pathlib import Path

from capt_engine.data import benchmarks
from capt_engine.data.labelled import WHOLE, LabelledSet, load_splits
from capt_engine.errors import BadRequest


def splits_of(data: str, data_root: str = "") -> tuple[dict[str, LabelledSet], str]:
    """Every split that can be had, and who says what the labels are: "folder", "csv", "split file" or "benchmark". Raises BadRequest.

    data_root: where the benchmarks lie, each in its published layout; needed for an id of theirs.
    """
    names = [benchmark.name for benchmark in benchmarks.BENCHMARKS]
    if data not in names or Path(data).exists():
        return load_splits(data), _kind(data)
    if not data_root:
        raise BadRequest(
            f"{data!r} is a benchmark; nothing says where the benchmarks lie.", "Name their folder with --data-root."
        )
    benchmark = benchmarks.BENCHMARKS[data]
    wanted = ("test",) if benchmark.test_only else ("train", "val", "test") if benchmark.sizes[1] else ("train", "test")
    return {split: benchmarks.load(data, data_root, split) for split in wanted}, "benchmark"


def labelled(data: str, split: str = "", data_root: str = "") -> tuple[LabelledSet, str]:
    """One split, and who says what the labels are; "" is the only one there is, else "test". Raises BadRequest."""
    splits, kind = splits_of(data, data_root)
    wanted = split or (next(iter(splits)) if len(splits) == 1 else "test")
    if wanted not in splits:
        whole = tuple(splits) == (WHOLE,)
        offered = "It is not divided into parts: leave --split out." if whole else f"It has: {', '.join(splits)}."
        raise BadRequest(f"{os.fspath(data)} has no part called {split or wanted!r}.", offered)
    return splits[wanted], kind


def _kind(data: str) -> str:
    path = Path(data)
    if path.is_dir():
        return "split file" if any(path.glob("split_zhou_*.json")) else "folder"
    return "csv" if path.suffix.lower() in (".csv", ".tsv", ".txt") else "split file"
