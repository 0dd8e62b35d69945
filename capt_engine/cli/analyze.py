"""`capt analyze PATH…`: predict, attack and compare unlabelled pictures."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import set_up
from capt_engine.cli.picture_run import run_request
from capt_engine.runs.command_line import analysis_of
from capt_engine.runs.options_table import ANALYZE

HELP = "predict, attack and compare unlabelled pictures"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    set_up(parser, run, ANALYZE)


def run(args: argparse.Namespace) -> int:
    """Analyze the pictures that the arguments name, and return the exit code; raises CaptError for arguments that make no sense."""
    return run_request(args, analysis_of(vars(args)))
