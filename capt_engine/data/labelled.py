"""Pictures with labels, from class folders, from a CSV with `path,label`, or from a split file as CoOp publishes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from capt_engine.data.class_folders import OnObstacle, from_class_folders
from capt_engine.data.labelled_set import (
    DEFAULT_TEMPLATE,
    EXPECTED,
    SPLITS,
    TEMPLATE_FILE,
    WHOLE,
    Item,
    LabelledSet,
    is_text,
    not_utf8,
    split_called,
    text_of,
)
from capt_engine.data.picture_lists import from_csv, from_split_file, read_split_file
from capt_engine.data.picture_tree import no_pause
from capt_engine.errors import BadRequest

__all__ = [
    "DEFAULT_TEMPLATE",
    "SPLITS",
    "TEMPLATE_FILE",
    "WHOLE",
    "Item",
    "LabelledSet",
    "load_labelled",
    "load_splits",
    "read_split_file",
    "text_of",
]


def load_labelled(
    path: str | os.PathLike[str], split: str | None = None, *, image_root: str | None = None
) -> LabelledSet:
    """One split of the data set at `path`, whichever of the three kinds it is; labels mean the same in each split.

    split: "train", "val" or "test" ("valid" and "validation" mean val). None: the data set's only split; where there are
    several, that is an error, as training and test pictures must not be mixed by accident.
    image_root: for a split file, the folder its paths start from, where it is not beside the file.
    Raises BadRequest.
    """
    sets = load_splits(path, image_root=image_root)
    offered = ", ".join(sets)
    if split is None:
        if len(sets) > 1:
            raise BadRequest(f"{os.fspath(path)} has several parts: {offered}.", "Say which of them to use.")
        return next(iter(sets.values()))
    wanted = split_called(split) or split
    if wanted not in sets:
        if tuple(sets) == (WHOLE,):
            raise BadRequest(
                f"{os.fspath(path)} is not divided into parts, so it has no part called {split!r}.",
                "Use all of it, or make folders called train, val and test with the classes in them.",
            )
        raise BadRequest(f"{os.fspath(path)} has no part called {split!r}.", f"It has: {offered}.")
    return sets[wanted]


def load_splits(
    path: str | os.PathLike[str],
    *,
    image_root: str | None = None,
    on_obstacle: OnObstacle | None = None,
    between: Callable[[], None] = no_pause,
) -> dict[str, LabelledSet]:
    """Every split of the data set at `path` ("train", "val", "test", as far as there are any), or {"all": …} of an undivided one.

    on_obstacle: gets what the search goes on without; None makes a folder that cannot be read an error, as leaving it out would change
    the task in silence. between: called before each folder, may raise to stop. Raises BadRequest.
    """
    # Made absolute, so that the items stay valid wherever they are used from.
    where = os.path.normpath(Path(path).absolute()) if "\0" not in os.fspath(path) else ""
    # Not Path.exists, which raises where a name is too long.
    if not where or not os.path.exists(where):  # noqa: PTH110
        raise BadRequest(f"There is no such file or folder: {os.fspath(path)!r}.", "Check the path.")
    if Path(where).is_dir():
        lists = [file for file in _names(where) if file.startswith("split_zhou_") and file.endswith(".json")]
        if len(lists) > 1:
            raise BadRequest(f"{where} holds several split files: {', '.join(lists)}.", "Choose one of them.")
        return (
            from_split_file(str(Path(where, lists[0])), image_root)
            if lists
            else from_class_folders(where, on_obstacle, between)
        )
    if not Path(where).is_file():
        raise BadRequest(f"{where} is neither a file nor a folder.", EXPECTED)
    text = text_of(where, "surrogateescape")
    if text.lstrip()[:1] not in ("{", "["):
        return from_csv(where, text)
    if not is_text(text):
        raise not_utf8(where)
    return from_split_file(where, image_root, text)


def _names(folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in Path(folder).iterdir())
    except OSError as error:
        raise BadRequest(
            f"The folder {folder} cannot be read ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error
