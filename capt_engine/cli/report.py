"""`capt report RUN…`: write a report of runs, finished or stopped."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from capt_engine.cli.options import set_up
from capt_engine.cli.output import print_result
from capt_engine.cli.run_job import follow
from capt_engine.files import refuse_foreign_file
from capt_engine.records import ReportRequest, ReportResult
from capt_engine.reports import format_of
from capt_engine.runs.command_line import filled
from capt_engine.runs.options_table import LIST, PLACES, SWITCH, TEXT, Option

OPTIONS = (
    Option(
        "runs",
        "run folders (--out of analyze, evaluate and compare); several are compared",
        "runs",
        PLACES,
        metavar="RUN",
    ),
    Option(
        "--out",
        "the report; .pdf, .html, .csv or .json says the format",
        "out",
        metavar="FILE",
        kind=TEXT.having(required=True),
    ),
    Option("--short", "two pages: the verdict, and what stands behind it", "short", SWITCH),
    Option("--sections", "only these sections (default: all there are)", "sections", LIST, metavar="A,B"),
    Option(
        "--redact",
        "numbers instead of the names of files and folders; class names and picture hashes stay",
        "redact",
        SWITCH,
    ),
    Option("--redact-classes", "numbers instead of class names and picture hashes too", "redact_classes", SWITCH),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt report` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> None:
    """Write a report of the run folders `args.runs` into the file `args.out`; print its size, pages and sections.

    Raises CaptError for arguments that make no sense, JobEnded where no report could be written.
    """
    request = filled(ReportRequest((), ""), OPTIONS, vars(args))
    out = Path(request.out)
    refuse_foreign_file(out, re.compile(format_of(out).mark))
    result = follow(request, args, ReportResult, cancelled="Cancelled. Nothing was written.")
    there = [one.id for one in result.sections if one.present]
    pages = f", {result.pages} page{'s' if result.pages != 1 else ''}" if result.pages else ""
    print_result(
        args,
        {"out": result.out, "bytes": result.n_bytes, "pages": result.pages, "sections": there},
        f"{result.out}: {result.n_bytes:,} bytes{pages}; sections: {', '.join(there)}.",
    )
