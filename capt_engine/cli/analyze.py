"""`capt analyze PATH…`: predict, attack and compare unlabelled pictures."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import set_up
from capt_engine.cli.picture_run import run_request
from capt_engine.runs.command_line import analysis_of
from capt_engine.runs.options_table import ANALYZE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt analyze` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, ANALYZE)


def run(args: argparse.Namespace) -> int:
    """Analyze the unlabelled pictures that the parsed arguments `args` name, print the results, return the exit code.

    The code is 0, or 3 where no picture could be used, or 6 with --strict where one could not. Raises CaptError for
    arguments that make no sense, JobEnded where there is no result.
    """
    return run_request(args, analysis_of(vars(args)))
