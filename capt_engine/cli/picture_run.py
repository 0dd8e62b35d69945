"""One run over pictures, from the terminal's side: rows as they come, the summary, the exit code."""

from __future__ import annotations

import argparse
import sys

from capt_engine.cli.output import closing, print_result, print_row
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine, silence, tell
from capt_engine.errors import ExitCode
from capt_engine.records import AnalyzeResult, Event, RowsReady, RunRequest


def run_request(args: argparse.Namespace, request: RunRequest, *, rows: bool = True) -> int:
    """Run an analysis or evaluation, print rows and summary, and return the exit code.

    The code is 0, or 3 where no picture could be used, or 6 with --strict where one could not. args: the parsed
    arguments (json, quiet, strict, device). request: what to run. rows: print a line for each picture; with --json, and
    for pictures that could not be used, it is printed anyway. Raises JobEnded where there is no result.
    """
    from capt_engine.runs.table import summary

    progress = ProgressLine(quiet=args.quiet)

    def on_event(event: Event) -> None:
        if isinstance(event, RowsReady):
            progress.clear()
            try:
                for row in event.rows:
                    if rows or args.json or not hasattr(row, "clean"):
                        print_row(row, as_json=args.json)
                sys.stdout.flush()
            except BrokenPipeError:
                # Nobody reads any more (`| head`). What is kept in a folder goes on to its end all the same.
                if not request.options.keep:
                    raise
                silence(sys.stdout.fileno())

    result = follow(request, args, AnalyzeResult, progress=progress, on_event=on_event)
    run_dir = request.options.keep or None
    print_result(args, summary(result, request.options.seed, run_dir), *closing(result, run_dir))
    if result.n == 0:
        tell("No picture could be used. Name pictures or folders that hold some.")
        return ExitCode.NO_INPUT
    return ExitCode.DIFFERENT if args.strict and result.n_failed else ExitCode.DONE
