"""`capt evaluate DATA`: predict and attack labelled pictures, and count what stays right."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import set_up
from capt_engine.cli.picture_run import run_request
from capt_engine.runs.command_line import evaluation_of
from capt_engine.runs.options_table import EVALUATE

HELP = "predict and attack labelled pictures, and count what stays right"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    set_up(parser, run, EVALUATE)


def run(args: argparse.Namespace) -> int:
    """Evaluate the data that the arguments name, and return the exit code; raises CaptError for arguments that make no sense."""
    return run_request(args, evaluation_of(vars(args)), rows=bool(args.rows))
