"""Options of a table as argparse takes them, and verbs that are made of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from capt_engine.runs.options_table import COMMON, Option, common

# Does what the arguments ask; the exit code, None for 0.
Run = Callable[[argparse.Namespace], int | None]


def set_up(parser: argparse.ArgumentParser, run: Run, table: Sequence[Option] = ()) -> None:
    """Give `parser` the options of `table` and the common ones, and store `run` in its defaults, for `main` to call.

    run: the function that does the command, given the parsed arguments; it returns the exit code, or None for 0. table:
    the command's own options; where it has common ones already (--device, --seed, …), none are added.
    """
    parser.set_defaults(run=run)
    if any(option.group == COMMON for option in table):
        add_options(parser, table)
    else:
        add_options(parser, (*table, *common()))
        parser.set_defaults(device="auto", precision="fp32", seed=0)


def add_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Run,
    help: str,
    *table: Option,
    more: str = "",
) -> None:
    """Add the subcommand `name` to `verbs`, with the function that does it, its help and its options.

    run: given the parsed arguments; returns the exit code, or None for 0. help: one line for the list of subcommands.
    table: the options. more: a longer description for the subcommand's own --help; "" shows none.
    """
    set_up(verbs.add_parser(name, help=help, description=more or None), run, table)


def add_options(parser: argparse.ArgumentParser, table: Sequence[Option]) -> None:
    """Add the options of `table` to `parser`, and --offline, --no-plugins, --json, --quiet and --verbose.

    An option with a value that is not given is None afterwards: the request has the default. The table must hold a
    common option, beside which the others stand in the help.
    """
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
        given = {name: value for name, value in own.items() if value is not None}
        settings: dict[str, Any] = option.kind.argparse | given
        place.add_argument(option.flag, **settings)
        if option.renamed:
            hidden = settings | {"dest": option.name, "help": argparse.SUPPRESS, "default": argparse.SUPPRESS}
            place.add_argument(option.renamed, **hidden)
    group = groups[COMMON]
    group.add_argument("--offline", action="store_true", help="never touch the network")
    group.add_argument("--no-plugins", action="store_true", help="leave out what other packages add")
    group.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    group.add_argument("--quiet", action="store_true", help="no progress, no remarks")
    group.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
