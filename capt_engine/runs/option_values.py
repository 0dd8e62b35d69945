"""Values as they are typed on a command line, read and written."""

from __future__ import annotations

from pathlib import Path

from capt_engine.data import class_lists
from capt_engine.data.class_files import read_class_file, typed_names
from capt_engine.errors import BadRequest
from capt_engine.records import ParamValue


def budget(text: str, *, norm: str = "linf", name: str = "--eps") -> float:
    """Read a budget or a step size typed as `k/255` or as a number, and return it in pixel units.

    norm: with "l2" any length from 0 is allowed, else only [0, 1]. name: the option to name in a message. Raises
    BadRequest for another text or a value out of range.
    """
    number, slash, base = text.partition("/")
    hint = f"Write k/255, as in {name} 4/255, or a number from 0 to 1."
    try:
        value = float(number) / float(base) if slash else float(text)
    except (ValueError, ZeroDivisionError):
        raise BadRequest(f"{name} {text} is not a number.", hint) from None
    if not 0 <= value < float("inf"):
        raise BadRequest(f"{name} {text} is not a budget.", hint)
    if value > 1 and norm != "l2":
        raise BadRequest(
            f"{name} {text} is more than the whole range of a pixel, which is 0 to 1.", f"Did you mean {text}/255?"
        )
    return value


def class_list(text: str) -> tuple[str, ...]:
    """Read class names from `text`: "imagenet" or "everyday", names between commas, or the path of a file of names.

    The first two stand for the lists that ship. A file has one name per line, or is a map of folders to names, of which
    these are the names (`class_files`). Raises BadRequest where it cannot be read.
    """
    if text in class_lists.LISTS:
        return class_lists.names_of(text)
    return read_class_file(text).names if _is_file(text) else typed_names(" ".join(text.splitlines()))


def class_folders(text: str) -> tuple[str, ...]:
    """Return for each name of `class_list` the folder that it is for, where `text` is the path of a map; else an empty tuple."""
    return read_class_file(text).folders if text not in class_lists.LISTS and _is_file(text) else ()


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a file name, or with a zero byte: then it is a list
        return False


def listed(text: str) -> tuple[str, ...]:
    """Return the names that stand between commas in `text`, without blanks around them; empty ones are dropped."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def shard(text: str) -> tuple[int, int]:
    """Read "i/N", the i-th of N parts of the pictures, as (i, N); raises BadRequest for a `text` of another form.

    Sizes are not checked, so that "5/4" passes.
    """
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise BadRequest(f"--shard {text} is not i/N.", "For example 1/4, the first of four parts.")
    return int(part), int(parts)


def shots(text: str) -> int | None:
    """Read the number of training pictures per class from `text`; "all" gives None.

    Raises BadRequest where it is no whole number.
    """
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"--shots {text} is not a number.", "Give 1, 2, 4, 8, 16, or all.") from None


def setting(text: str) -> tuple[str, ParamValue]:
    """Read an attack setting typed as `NAME=VALUE` into (name, value); raises BadRequest for another form.

    "true", "yes", "false" and "no" become a bool, numbers and fractions such as 4/255 an int or float; any other value
    stays text.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise BadRequest(f"--set {text} is not NAME=VALUE.", "For example --set momentum=0.75.")
    if value.lower() in ("true", "yes", "false", "no"):
        return name, value.lower() in ("true", "yes")
    over, slash, under = value.partition("/")
    try:
        number = float(over) / float(under) if slash else float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        return name, value
    return name, int(number) if value.lstrip("-").isdecimal() else number
