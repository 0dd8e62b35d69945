"""Labelled pictures by what a user calls them: a folder, a list, the id of a benchmark, or several folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from capt_engine.data.benchmarks import BENCHMARKS, load
from capt_engine.data.class_folders import OnObstacle, classes_below, from_class_folders
from capt_engine.data.folders import natural_key
from capt_engine.data.labelled_set import (
    EXPECTED,
    SPLITS,
    WHOLE,
    Item,
    LabelledSet,
    TargetColumn,
    is_text,
    not_utf8,
    split_called,
    text_of,
)
from capt_engine.data.picture_lists import from_csv, from_split_file
from capt_engine.data.picture_tree import Kind, Obstacle, no_pause, pictures_below, pictures_in, subfolders
from capt_engine.data.products import product, product_file
from capt_engine.errors import BadRequest
from capt_engine.records.pictures import FailedPicture

_METADATA = "metadata.csv"


@dataclass(frozen=True)
class Found:
    """The data that some names led to: the splits, what was skipped on the way, as (class or "", …), and sentences."""

    splits: dict[str, LabelledSet]
    skipped: tuple[tuple[str, FailedPicture], ...] = ()
    notes: tuple[str, ...] = ()


def load_splits(
    path: str | os.PathLike[str],
    on_obstacle: OnObstacle | None = None,
    between: Callable[[], None] = no_pause,
    targets: TargetColumn | None = None,
) -> dict[str, LabelledSet]:
    """Read every split of a folder of class folders, a CSV or a CoOp split file at `path`, each as a labelled set.

    The keys are "train", "val" and "test", as far as they are there, or "all" if undivided. on_obstacle: called with
    (class name, obstacle) for each folder that cannot be read and each link that is not followed; with None an
    unreadable folder is an error, as leaving it out would change the task in silence. between: called before each
    folder, may raise to stop. targets: the column of a CSV that holds the pictures' targets. Raises BadRequest where
    there is no such file or folder, or its contents are no data set.
    """
    # Made absolute, so that the items stay valid wherever they are used from.
    where = os.path.normpath(Path(path).absolute()) if "\0" not in os.fspath(path) else ""
    # Not Path.exists, which raises where a name is too long.
    if not where or not os.path.exists(where):  # noqa: PTH110
        raise BadRequest(f"There is no such file or folder: {os.fspath(path)!r}.", "Check the path.")
    if targets is not None and not Path(where).is_file():
        raise _no_column(targets, "a folder")
    if Path(where).is_dir():
        lists = [file for file in _names(where) if file.startswith("split_zhou_") and file.endswith(".json")]
        if len(lists) > 1:
            raise BadRequest(f"{where} holds several split files: {', '.join(lists)}.", "Choose one of them.")
        if not lists and (table := _metadata(where)):
            return from_csv(table, text_of(table, "surrogateescape"))
        return from_split_file(str(Path(where, lists[0]))) if lists else from_class_folders(where, on_obstacle, between)
    if not Path(where).is_file():
        raise BadRequest(f"{where} is neither a file nor a folder.", EXPECTED)
    text = text_of(where, "surrogateescape")
    if what := product_file(Path(where), text):
        raise BadRequest(f"{where} is {what}, not a data set.", "Name the folder of the pictures instead.")
    if text.lstrip()[:1] not in ("{", "["):
        return from_csv(where, text, targets)
    if not is_text(text):
        raise not_utf8(where)
    if targets is not None:
        raise _no_column(targets, "a split file")
    return from_split_file(where, text)


def _metadata(folder: str) -> str:
    """Return the path of the list of pictures that Hugging Face keeps beside them, "" where there is none or they are in folders."""
    table = Path(folder, _METADATA)
    return str(table) if table.is_file() and pictures_in(folder) else ""


def _no_column(targets: TargetColumn, what: str) -> BadRequest:
    return BadRequest(
        f"The targets are to come from a column {targets.name!r}, and {what} has no columns.",
        "Name a CSV with the columns path, label and that one.",
    )


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in Path(folder).iterdir())
    except OSError as error:
        raise BadRequest(
            f"The folder {folder} cannot be read ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error


def splits_of(
    data: str,
    data_root: str = "",
    on_obstacle: OnObstacle | None = None,
    between: Callable[[], None] = no_pause,
    targets: TargetColumn | None = None,
) -> tuple[dict[str, LabelledSet], str]:
    """Load every split of a data set; return them by name, and the source of the labels.

    The source is "folder", "csv", "split file" or "benchmark". data: the path of a folder or list, or the name of a
    published data set such as "oxford_pets"; an existing path comes first. data_root: the folder that holds the
    published data sets, needed for their names only. on_obstacle, between, targets: as in `load_splits`. Raises BadRequest where
    the data cannot be read or `data_root` is missing.
    """
    if data not in BENCHMARKS.names() or Path(data).exists():
        return load_splits(data, on_obstacle, between, targets), _kind(data)
    if not data_root:
        raise BadRequest(
            f"{data!r} is a benchmark; nothing says where the benchmarks lie.", "Name their folder with --data-root."
        )
    if targets is not None:
        raise _no_column(targets, "a benchmark")
    sizes = zip(SPLITS, BENCHMARKS[data].sizes, strict=True)
    return {split: load(data, data_root, split) for split, size in sizes if size}, "benchmark"


def labelled(
    data: str, split: str = "", data_root: str = "", targets: TargetColumn | None = None
) -> tuple[LabelledSet, str]:
    """Load one split of a data set; return it and the source of its labels: "folder", "csv", "split file" or "benchmark".

    data: the path of a folder or list, or the name of a published data set. split: "train", "val", "test" or "all"; ""
    takes the only split there is, else "test". data_root: the folder that holds the published data sets, needed for
    their names only. targets: the column of a CSV that holds the pictures' targets. Raises BadRequest where the data
    cannot be read or has no such split.
    """
    splits, kind = splits_of(data, data_root, targets=targets)
    wanted = split or (next(iter(splits)) if len(splits) == 1 else "test")
    if wanted not in splits:
        whole = tuple(splits) == (WHOLE,)
        offered = "It is not divided into parts: leave --split out." if whole else f"It has: {', '.join(splits)}."
        raise BadRequest(f"{os.fspath(data)} has no part called {split or wanted!r}.", offered)
    return splits[wanted], kind


def find(data: Sequence[str], data_root: str = "", between: Callable[[], None] = no_pause) -> Found:
    """Find the labelled pictures of one data set, given as one folder, list or published name, or as several folders.

    Several folders are read in one of three ways. All called train, val or test, each once: the parts of one data set.
    All with pictures directly in them, or with none at all: each is a class of that name. All with subfolders only: the
    subfolders are the classes. Folders of the same class name make one class. data_root: the folder that holds the
    published data sets. between: called before each folder, may raise to stop. Subfolders that cannot be read are
    returned as skipped. Raises BadRequest where nothing usable is named or the folders are mixed.
    """
    skipped: list[tuple[str, FailedPicture]] = []
    left: dict[str, None] = {}

    def tell(name: str, obstacle: Obstacle) -> None:
        if obstacle.kind is Kind.PRODUCT:
            left[obstacle.why.message] = None
        else:
            skipped.append((name, FailedPicture(obstacle.path, obstacle.why.message, obstacle.why.hint)))

    if not data:
        raise BadRequest("Nothing was named to look through.", "Name folders of pictures, or a list of them.")
    if len(data) > 1:
        _require_folders(data)
    places = list(dict.fromkeys(os.path.normpath(Path(one).absolute()) for one in data))
    if len(places) == 1:
        splits, _ = splits_of(data[0], data_root, tell, between)
        return Found(
            splits, tuple(skipped), tuple(dict.fromkeys(note for one in splits.values() for note in one.notes))
        )
    _require_apart(places)
    named = {split_called(Path(place).name): place for place in places}
    if "" not in named and len(named) == len(places):
        parts = {split: classes_below(named[split], named[split], tell, between) for split in SPLITS if split in named}
        return Found(_joined(parts, places), tuple(skipped), tuple(left))
    classes, notes = _classes_of(places, tell, between)
    return Found(_joined({WHOLE: classes}, places), tuple(skipped), (*left, *notes))


def _require_folders(data: Sequence[str]) -> None:
    for one in data:
        if "\0" in one or not os.path.exists(one):  # noqa: PTH110 - Path.exists raises where a name is too long
            raise BadRequest(f"There is no such file or folder: {one!r}.", "Check the path.")
        if not Path(one).is_dir():
            raise BadRequest(
                f"{one!r} is a file; where several things are named, each must be a folder of one class.",
                "Put loose pictures into a folder called as their class; name a list (CSV, JSON) by itself.",
            )
        if what := product(Path(one)):
            raise BadRequest(f"{one!r} is {what}, not a folder of pictures.", "Leave it out.")


def _require_apart(places: Sequence[str]) -> None:
    # Sorted so, what lies inside a folder stands right behind it.
    real = sorted((os.path.realpath(place).rstrip(os.sep) + os.sep, place) for place in places)
    for (around, one), (inside, other) in pairwise(real):
        if inside.startswith(around):
            raise BadRequest(
                f"{other!r} lies inside {one!r}, so its pictures would be in two classes.", "Name only one of the two."
            )


def _classes_of(
    places: Sequence[str], on_obstacle: OnObstacle, between: Callable[[], None]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The pictures of each class, of several folders that are classes, or that hold the classes."""
    shown: dict[bool, str] = {}
    for place in places:
        try:
            flat = bool(pictures_in(place))
            if flat or subfolders(place):
                shown.setdefault(flat, place)
        except BadRequest:
            continue  # reported when it is walked
    if len(shown) == 2:
        raise BadRequest(
            f"{shown[True]!r} has pictures directly in it, so it looks like a class; {shown[False]!r} has only folders in it, "
            "so it looks like a folder of classes.",
            "Name either folders that are classes, or folders that hold them, not both at once.",
        )
    found: dict[str, tuple[str, ...]] = {}
    came: dict[str, int] = {}
    for place in places:
        inner = (
            classes_below(place, place, on_obstacle, between)
            if False in shown
            else _class_of(place, on_obstacle, between)
        )
        for name, files in inner.items():
            found[name] = (*found.get(name, ()), *files)
            came[name] = came.get(name, 0) + 1
    twice = [name for name, times in came.items() if times > 1]
    notes = (f"Folders of the same name were taken together as one class: {', '.join(twice)}.",) if twice else ()
    return found, notes


def _class_of(place: str, on_obstacle: OnObstacle, between: Callable[[], None]) -> dict[str, tuple[str, ...]]:
    name = Path(place).name
    return {name: pictures_below(place, place, partial(on_obstacle, name), between)}


def _joined(parts: dict[str, dict[str, tuple[str, ...]]], places: Sequence[str]) -> dict[str, LabelledSet]:
    classes = tuple(sorted({name for part in parts.values() for name in part}, key=natural_key))
    if not classes:
        raise BadRequest("The folders hold no pictures.", "Name folders that are called as their classes.")
    root = _shared(places)
    return {
        split: LabelledSet(
            Path(root).name,
            classes,
            tuple(Item(file, label) for label, name in enumerate(classes) for file in part.get(name, ())),
            root=root,
        )
        for split, part in parts.items()
    }


def _shared(places: Sequence[str]) -> str:
    try:
        return os.path.commonpath(places)
    except ValueError:  # on two drives
        return ""


def _kind(data: str) -> str:
    path = Path(data)
    if path.is_dir():
        return "split file" if any(path.glob("split_zhou_*.json")) else "csv" if _metadata(data) else "folder"
    return "csv" if path.suffix.lower() in (".csv", ".tsv", ".txt") else "split file"
