"""`capt protocol check-data`: which of the published data sets are on the disk as published, and what exactly is missing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.output import print_json
from capt_engine.cli.terminal import ProgressLine, put
from capt_engine.errors import BadRequest, ExitCode
from capt_engine.formatting import counted
from capt_engine.runs.option_values import listed
from capt_engine.runs.options_table import COMMON, Option

if TYPE_CHECKING:
    from capt_engine.data.benchmark_check import BenchmarkState, SplitState

# The options that mean something to check-data, beside the common ones.
_OWN = ("name", "data", "datasets", "deep")


def require_work_folder(args: argparse.Namespace) -> None:
    """Raise BadRequest where a table is asked for without --out, or with what belongs to check-data."""
    if args.deep:
        raise BadRequest("--deep belongs to check-data.", "Leave it out.")
    if args.out is None and getattr(args, "from") is None:
        raise BadRequest(
            "Nothing says where finished cells are kept.",
            "Name a work folder with --out DIR, or finished cells with --from.",
        )


def check_data(args: argparse.Namespace, options: Sequence[Option]) -> int:
    """Say of each published data set if it is complete below --data, and return the exit code: 0 where all are, else 3.

    args: the parsed arguments, of which data, datasets and deep count; any other of `options` is refused with
    BadRequest. The data sets are all fifteen where none are named. Nothing is written there, and nothing fetched.
    """
    from capt_engine.data.benchmark_check import check
    from capt_engine.data.benchmarks import BENCHMARKS

    for option in options:
        given = getattr(args, option.name, None)
        if (
            option.group != COMMON
            and option.name not in _OWN
            and given not in (None, option.kind.argparse.get("default"))
        ):
            raise BadRequest(f"{option.flag} means nothing to check-data.", "It takes --data, --datasets and --deep.")
    if args.data in (None, "demo"):
        raise BadRequest("The toy world is drawn, so nothing of it can be missing.", "Name a folder with --data ROOT.")
    root = Path(args.data)
    if not root.is_dir():
        raise BadRequest(f"There is no folder {args.data!r}.", "Name the folder that holds the data sets.")
    names = tuple(dict.fromkeys(listed(args.datasets))) if args.datasets is not None else BENCHMARKS.names()
    if not names:
        raise BadRequest("--datasets names nothing.", "Put commas between several.")
    for name in names:
        BENCHMARKS[name]  # raises before anything is looked at
    progress = ProgressLine(quiet=args.quiet)

    def show(done: int = 0, total: int = 0, note: str = "") -> None:
        progress.show(done, total, note, None)

    states = []
    for name in names:
        state = check(name, root, deep=bool(args.deep), progress=show)
        progress.clear()
        states.append(state)
        if args.json:
            print_json("dataset", asdict(state))
        else:
            put(*_lines(state))
    complete = [state.name for state in states if state.state == "complete"]
    if args.json:
        others = [state.name for state in states if state.state != "complete"]
        print_json("summary", {"data": str(root), "n": len(states), "complete": complete, "not_complete": others})
    else:
        put(f"{len(complete)} of {counted(len(states), 'data set')} complete below {root}.")
    return ExitCode.DONE if len(complete) == len(states) else ExitCode.NO_INPUT


def _lines(state: BenchmarkState) -> Iterator[str]:
    """One data set in words: a line with its counts, and beneath it what is wrong and what to fetch."""
    if state.state == "absent":
        yield f"{state.name}: absent, there is no folder {state.folder}"
    else:
        counts = [_of(state.classes, state.published_classes, "classes")] if state.classes else []
        counts += [_of(one.usable, one.published, one.split) for one in state.splits]
        yield f"{state.name}: {state.state}{''.join(f', {count}' for count in counts)}"
        for part in state.missing:
            yield f"    missing: {part.path}, {part.meaning}"
    for problem in state.problems:
        yield f"    {problem}"
    for split in state.splits:
        yield from _of_split(split)
    if state.state == "different":
        yield "    All that is listed is there, but it is not what was published: figures will not be comparable."
    for name in state.alike:
        yield f"    There is a folder {name!r}: if it is this data set, link or rename it to {Path(state.folder).name!r}."
    for sentence in state.fetch:
        yield f"    fetch: {sentence}"


def _of_split(split: SplitState) -> Iterator[str]:
    if split.class_folders:
        names = _first(split.class_folders)
        yield f"    {split.split}: {counted(len(split.class_folders), 'class folder')} not there: {names}"
    wrong = [
        f"{count:,} {what}"
        for count, what in (
            (split.absent, "not on the disk"),
            (split.empty, "empty"),
            (split.unreadable or 0, "not readable"),
        )
        if count
    ]
    if wrong:
        rest = split.listed - split.usable - len(split.first)
        more = f" and {rest:,} more" if rest else ""
        yield f"    {split.split}: {', '.join(wrong)}, of {split.listed:,} listed: {', '.join(split.first)}{more}"


def _first(names: Sequence[str]) -> str:
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest:,} more" if rest > 0 else "")


def _of(found: int, published: int, what: str) -> str:
    """A count as it is, or beside the published one where they differ."""
    return f"{what} {found:,}" if found == published else f"{what} {found:,} of {published:,}"
