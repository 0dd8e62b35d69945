"""Options that several verbs share, and the values they are written in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from capt_engine.errors import BadRequest


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every verb understands."""
    group = parser.add_argument_group("common options")
    group.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where to compute (default: auto)"
    )
    group.add_argument(
        "--precision", default="fp32", choices=("fp32", "bf16"), help="of the image tower (default: fp32)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of every random draw (default: 0)")
    group.add_argument("--offline", action="store_true", help="never touch the network")
    group.add_argument("--no-plugins", action="store_true", help="leave out what other packages add")
    group.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    group.add_argument("--quiet", action="store_true", help="no progress, no remarks")
    group.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")


def add_renamed(parser: argparse._ActionsContainer, old: str, new: str, **settings: Any) -> None:
    """Add the option `new`, and its spelling of before as a hidden alias; `settings` are those of `add_argument`."""
    parser.add_argument(new, **settings)
    parser.add_argument(
        old, dest=new[2:].replace("-", "_"), **{**settings, "help": argparse.SUPPRESS, "default": argparse.SUPPRESS}
    )


def budget(text: str, *, norm: str = "linf", name: str = "--eps") -> float:
    """A budget or step: `k/255`, or a float in [0, 1] (for L2, whose lengths pass 1, any length). Raises BadRequest."""
    number, slash, base = text.partition("/")
    try:
        value = float(number) / float(base) if slash else float(text)
    except (ValueError, ZeroDivisionError):
        raise BadRequest(
            f"{name} {text} is not a number.", f"Write k/255, as in {name} 4/255, or a number from 0 to 1."
        ) from None
    if not 0 <= value < float("inf"):
        raise BadRequest(
            f"{name} {text} is not a budget.", f"Write k/255, as in {name} 4/255, or a number from 0 to 1."
        )
    if value > 1 and norm != "l2":
        raise BadRequest(
            f"{name} {text} is more than the whole range of a pixel, which is 0 to 1.", f"Did you mean {text}/255?"
        )
    return value


def class_list(text: str) -> tuple[str, ...]:
    """Class names from `a,b,c` or from a file with one name (or one comma-separated line) per line."""
    try:
        is_file = Path(text).is_file()
    except OSError:  # too long for a file name: then it is a list
        is_file = False
    if is_file:
        try:
            text = Path(text).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BadRequest(
                f"The class list {text!r} cannot be read: {error}.", "It must be a UTF-8 text file."
            ) from error
    return tuple(name for line in text.splitlines() for name in (part.strip() for part in line.split(",")) if name)
