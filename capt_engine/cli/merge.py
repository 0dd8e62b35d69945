"""`capt merge RUN… --out RUN`: joins the parts that --shard made."""

from __future__ import annotations

import argparse
from pathlib import Path

from capt_engine.cli.options import add_common
from capt_engine.cli.output import closing, print_json

HELP = "join the parts of an evaluation (--shard) into one run"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="the run folders of all parts")
    parser.add_argument("--out", required=True, type=Path, metavar="RUN", help="a new folder for the whole run")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Join them; raises BadRequest."""
    from capt_engine.runs.merge import merge
    from capt_engine.runs.table import summary

    result = merge(args.runs, args.out)
    if args.json:
        print_json("summary", summary(result, args.seed, str(args.out)))
    else:
        print(closing(result, str(args.out)))
    return 0
