"""`capt merge RUN… --out RUN`: joins the parts that --shard made."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import set_up
from capt_engine.cli.output import closing, print_result
from capt_engine.runs.options_table import PATH, Option

HELP = "join the parts of an evaluation (--shard) into one run"

OPTIONS = (
    Option("runs", "the run folders of all parts", kind=PATH.having(nargs="+"), metavar="RUN"),
    Option("--out", "a new folder for the whole run", kind=PATH.having(required=True), metavar="RUN"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> None:
    """Join the runs into a new folder and print the summary of the whole; raises BadRequest."""
    from capt_engine.runs.merge import merge
    from capt_engine.runs.table import summary

    result = merge(args.runs, args.out)
    print_result(args, summary(result, args.seed, str(args.out)), closing(result, str(args.out)))
