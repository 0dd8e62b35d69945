"""One run over pictures, from the terminal's side: rows as they come, the summary, the exit code."""

from __future__ import annotations

import argparse
import sys

from capt_engine.cli.output import closing, print_result, print_row
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.records import AnalyzeResult, Event, RowsReady, RunRequest


def run_request(args: argparse.Namespace, request: RunRequest, *, rows: bool = True) -> int:
    """Run a request, print rows and summary, and return the exit code. rows: without --json, also print each picture's outcome."""
    from capt_engine.runs.table import summary

    progress = ProgressLine(quiet=args.quiet)

    def on_event(event: Event) -> None:
        if isinstance(event, RowsReady):
            progress.clear()
            for row in event.rows:
                if rows or args.json or not hasattr(row, "clean"):
                    print_row(row, as_json=args.json)
            sys.stdout.flush()

    result = follow(request, args, AnalyzeResult, progress=progress, on_event=on_event)
    run_dir = request.options.keep or None
    print_result(args, summary(result, request.options.seed, run_dir), closing(result, run_dir))
    if result.n == 0:
        print("No picture could be used. Name pictures or folders that hold some.", file=sys.stderr)
        return 3
    return 6 if args.strict and result.n_failed else 0
