"""One run over pictures, from the terminal's side: rows as they come, a run folder where one was asked for, the summary, the code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from capt_engine.cli.follow import follow
from capt_engine.cli.terminal import Progress
from capt_engine.cli.told import closing, print_json, print_row
from capt_engine.records import AnalyzeRequest, AnalyzeResult, EvaluateRequest, Event, Result, RowsReady

if TYPE_CHECKING:
    from capt_engine.reports.run_folder import RunFolder


def open_folder(path: Path, request: AnalyzeRequest | EvaluateRequest, *, resume: bool = False) -> RunFolder:
    """The folder a run is kept in: a new one, or one that an earlier run of the same request was stopped in. Raises BadRequest."""
    from capt_engine.cli.doctor import versions
    from capt_engine.reports.run_folder import RunFolder

    return RunFolder(path, request, versions(), resume=resume)


class PictureRun:
    """Submits a request and prints what comes of it. rows: also print each picture's outcome in words."""

    def __init__(
        self,
        args: argparse.Namespace,
        request: AnalyzeRequest | EvaluateRequest,
        folder: RunFolder | None,
        *,
        rows: bool = True,
    ) -> None:
        self._args, self._request, self._folder, self._rows = args, request, folder, rows
        self._progress = Progress(quiet=args.quiet)

    def run(self) -> int:
        """Follow the job to its end, and return the exit code."""
        return follow(
            self._request, device=self._args.device, progress=self._progress, news=self._on_event, finish=self._finish
        )

    def _on_event(self, event: Event) -> None:
        if isinstance(event, RowsReady):
            self._progress.clear()
            for row in event.rows:
                if self._rows or self._args.json or not hasattr(row, "clean"):
                    print_row(row, as_json=self._args.json)
            sys.stdout.flush()
            if self._folder:
                self._folder.add(event.rows)

    def _finish(self, result: Result) -> int:
        from capt_engine.reports.table import summary

        assert isinstance(result, AnalyzeResult)
        run_dir = None
        if self._folder:
            run_dir = str(self._folder.path)
            # Counted again from what is on disk, which may hold an earlier, interrupted part too.
            result = self._folder.counted(result, self._request.compare)
        told = summary(result, self._request.seed, run_dir)
        if self._folder:
            self._folder.finish(told)
        if self._args.json:
            print_json("summary", told)
        else:
            print(closing(result, run_dir))
        if result.n == 0:
            print("No picture could be used. Name pictures or folders that hold some.", file=sys.stderr)
            return 3
        return 6 if self._args.strict and result.n_failed else 0
