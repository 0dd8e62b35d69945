"""`capt analyze PATH…`: predict, attack and compare unlabelled pictures."""

from __future__ import annotations

import argparse

from capt_engine.cli.options import add_options
from capt_engine.cli.picture_run import PictureRun
from capt_engine.records import AnalyzeRequest
from capt_engine.runs.command_line import analysis_of
from capt_engine.runs.options_table import ANALYZE

HELP = "predict, attack and compare unlabelled pictures"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_options(parser, ANALYZE)


def run(args: argparse.Namespace) -> int:
    """Do the analysis; raises CaptError for arguments that make no sense."""
    return PictureRun(args, request_from(args)).run()


def request_from(args: argparse.Namespace) -> AnalyzeRequest:
    """The same request that the window would build; raises BadRequest."""
    return analysis_of(vars(args))
