"""Options of a table as argparse takes them, and those that every verb shares."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from capt_engine.runs.options_table import COMMON, Option, common


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every verb understands."""
    add_options(parser, common())
    parser.set_defaults(device="auto", precision="fp32", seed=0)


def add_options(parser: argparse.ArgumentParser, table: Sequence[Option]) -> None:
    """Add the options of a table, and those of every verb about output; one that is not given is None: the record has the default."""
    groups: dict[str, argparse._ActionsContainer] = {"": parser}
    exclusive: dict[str, argparse._ActionsContainer] = {}
    for option in table:
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        place = groups[option.group]
        if option.exclusive and option.exclusive not in exclusive:
            exclusive[option.exclusive] = place.add_mutually_exclusive_group()
        place = exclusive.get(option.exclusive, place)
        own = {"help": option.help, "metavar": option.metavar, "choices": option.choices}
        settings = option.kind.argparse | {name: value for name, value in own.items() if value is not None}
        if option.renamed:
            add_renamed(place, option.renamed, option.flag, **settings)
        else:
            place.add_argument(option.flag, **settings)
    group = groups[COMMON]
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
