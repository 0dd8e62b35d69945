"""A labelled data set, whichever way it is written down, and the rules for its names and texts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from capt_engine.errors import BadRequest

DEFAULT_TEMPLATE = "a photo of a {}."
WHOLE = "all"
"""The one "split" of a data set that has none."""

TEMPLATE_FILE = "template.txt"
"""Beside class folders: the sentence that their names stand in."""

SPLITS = ("train", "val", "test")
_SPLIT_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_called(name: str) -> str:
    """Return "train", "val" or "test" for a usual name of that split, as "training" or "Valid"; "" for another."""
    return _SPLIT_OF.get(name.lower(), "")


# The largest published one, of Food101, has 6 MB.
_LARGEST_LIST_BYTES = 500 * 2**20

EXPECTED = (
    "Expected: a folder with one subfolder per class, a CSV with the columns path and label, or a split_zhou_*.json."
)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture: the path of its file, the index of its class, and that of its target class where the list gives one."""

    path: str
    label: int
    target: int | None = None


@dataclass(frozen=True)
class TargetColumn:
    """The column `name` of a CSV that holds each picture's target: an index among the `classes` judged among; 0: the list's own."""

    name: str
    classes: int = 0


@dataclass(frozen=True)
class LabelledSet:
    """Pictures with labels: `items[i].label` indexes `classes`; `template` holds one {} for the class name.

    Class names are as the source spells them, underscores included. indices: for each class its index in a longer list of classes,
    where the source gives that; several classes may have one name then. notes: sentences on what was left out, and on
    how names and folders came together.
    """

    name: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    template: str = DEFAULT_TEMPLATE
    root: str = ""
    indices: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self) -> tuple[int, ...]:
        """Return the number of pictures of each class, in the order of the classes."""
        counts = [0] * len(self.classes)
        for item in self.items:
            counts[item.label] += 1
        return tuple(counts)


def is_template(text: str) -> bool:
    """Return True if a text is a template: one line with exactly one {} for the class name."""
    return text.count("{}") == 1 and "\n" not in text


def is_text(name: str) -> bool:
    """Return True if a name can be encoded as UTF-8; one from an old disk may hold bytes that are no letters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str | os.PathLike[str]) -> str:
    r"""Return a name or path in a form that can be printed in a sentence: bytes that are no letters are written as \udc…."""
    return os.fspath(name).encode("utf-8", "backslashreplace").decode()


def text_of(path: str, errors: str = "strict") -> str:
    """Read the file at `path` as UTF-8 text, with or without a byte order mark.

    errors: what to do about bytes that are not UTF-8, as in `bytes.decode`. Raises BadRequest where the file cannot be
    read, is over 500 MB, or (with "strict") is not UTF-8.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_LIST_BYTES + 1)
        if len(data) > _LARGEST_LIST_BYTES:
            raise BadRequest(f"{path} is too large to be a list of pictures.", EXPECTED)
        return data.decode("utf-8-sig", errors)
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be read ({os.strerror(error.errno or 0)}).", "Check its permissions."
        ) from error
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error


def not_utf8(path: str) -> BadRequest:
    """Make (and do not raise) the error that says that the file at `path` is not text in UTF-8."""
    return BadRequest(f"{path} is not text in UTF-8.", "Save the list again as CSV in UTF-8, or choose another file.")
