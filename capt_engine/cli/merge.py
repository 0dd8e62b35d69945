"""`capt merge RUN… --out RUN`: joins the parts that --shard made."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import set_up
from capt_engine.cli.output import closing, print_result
from capt_engine.runs.options_table import PATH, Option

OPTIONS = (
    Option("runs", "the run folders of all parts", kind=PATH.having(nargs="+"), metavar="RUN"),
    Option("--out", "a new folder for the whole run", kind=PATH.having(required=True), metavar="RUN"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt merge` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> None:
    """Join the run folders `args.runs`, shards of one evaluation, into the new folder `args.out`; print the summary.

    Raises BadRequest where they are not the shards of one evaluation or the folder is not empty, CannotWrite where the
    disk refuses.
    """
    from capt_engine.runs.merge import merge
    from capt_engine.runs.table import summary

    result = merge(args.runs, args.out)
    print_result(args, summary(result, args.seed, str(args.out)), *closing(result, str(args.out)))
