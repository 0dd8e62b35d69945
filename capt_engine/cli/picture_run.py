"""One run over pictures, from the terminal's side: rows as they come, the summary, the exit code."""

from __future__ import annotations

import argparse
import sys

from capt_engine.cli.output import closing, print_json, print_row
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.records import AnalyzeResult, Event, Result, RowsReady, RunRequest


class PictureRun:
    """Submits a request and prints what comes of it. rows: also print each picture's outcome in words."""

    def __init__(self, args: argparse.Namespace, request: RunRequest, *, rows: bool = True) -> None:
        self._args, self._request, self._rows = args, request, rows
        self._progress = ProgressLine(quiet=args.quiet)

    def run(self) -> int:
        """Follow the job to its end, and return the exit code."""
        return follow(
            self._request,
            device=self._request.options.device,
            progress=self._progress,
            news=self._on_event,
            finish=self._finish,
        )

    def _on_event(self, event: Event) -> None:
        if isinstance(event, RowsReady):
            self._progress.clear()
            for row in event.rows:
                if self._rows or self._args.json or not hasattr(row, "clean"):
                    print_row(row, as_json=self._args.json)
            sys.stdout.flush()

    def _finish(self, result: Result) -> int:
        from capt_engine.runs.table import summary

        assert isinstance(result, AnalyzeResult)
        run_dir = self._request.options.keep or None
        if self._args.json:
            print_json("summary", summary(result, self._request.options.seed, run_dir))
        else:
            print(closing(result, run_dir))
        if result.n == 0:
            print("No picture could be used. Name pictures or folders that hold some.", file=sys.stderr)
            return 3
        return 6 if self._args.strict and result.n_failed else 0
