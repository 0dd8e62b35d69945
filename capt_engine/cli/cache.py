"""`capt cache`: the results that are stored so that no question is computed twice; how much room they take, and making room."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from capt_engine.cli.options import add_verb, set_up
from capt_engine.cli.output import print_result
from capt_engine.cli.run_job import follow
from capt_engine.errors import BadRequest
from capt_engine.formatting import counted, size
from capt_engine.records import StoredGroup, StoreFacts, StoreRequest
from capt_engine.results.limits import OFF, read_size
from capt_engine.runs.options_table import TEXT, Option


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `capt cache` (show, which is done without one too, trim and clear) to `parser`."""
    set_up(parser, _show)
    verbs = parser.add_subparsers(metavar="VERB")
    add_verb(verbs, "show", _show, "what is stored, by model and attack, and how often it was used")
    add_verb(
        verbs,
        "trim",
        _trim,
        "remove what was not used for longest",
        Option("--to", "until no more than this is taken, as in 2GB", metavar="SIZE"),
        Option(
            "--older-than",
            "what was not used for so many days, and pictures that nobody has asked for",
            kind=TEXT.having(type=float),
            metavar="DAYS",
        ),
    )
    add_verb(verbs, "clear", _clear, "remove everything that is stored; runs that were kept stay as they are")


def _show(args: argparse.Namespace) -> None:
    _print(args, StoreRequest())


def _trim(args: argparse.Namespace) -> None:
    if args.to is None and args.older_than is None:
        raise BadRequest("Nothing says how much is to go.", "Give --to SIZE, as in --to 2GB, or --older-than DAYS.")
    if args.older_than is not None and not 0 <= args.older_than < float("inf"):
        raise BadRequest(f"--older-than {args.older_than:g} is no number of days.", "Give a number from 0.")
    _print(args, StoreRequest(None if args.to is None else read_size(args.to), args.older_than))


def _clear(args: argparse.Namespace) -> None:
    _print(args, StoreRequest(trim_to=0))


def _print(args: argparse.Namespace, request: StoreRequest) -> None:
    found = follow(request, args, StoreFacts)
    lines = []
    if request != StoreRequest():
        lines.append(f"{counted(found.removed, 'result')} removed ({size(found.removed_bytes)}).")
    lines.append(
        f"{counted(found.entries, 'result')}, used again {counted(found.hits, 'time')}, in {found.folder}: "
        f"{size(found.n_bytes)} of at most {size(found.budget)}."
    )
    lines += [_line(one) for one in found.groups]
    lines += [] if found.is_on else [f"The store is off: the variable {OFF} is set."]
    lines += [found.note] if found.note else []
    print_result(args, asdict(found), *lines)


def _line(one: StoredGroup) -> str:
    what = f"{one.model}, {one.attack or 'clean'}" if one.model else "pictures as models see them"
    return f"    {what}: {counted(one.entries, 'result')}, {size(one.n_bytes)}, used again {counted(one.hits, 'time')}"
