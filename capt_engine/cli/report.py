"""`capt report RUN…`: write a report of finished runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from capt_engine.cli.options import add_common
from capt_engine.cli.output import print_json
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.records import Event, ReportRequest, ReportResult, Result

HELP = "write a report of finished runs: PDF, HTML, CSV or JSON"


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders (--out of analyze and evaluate); several are compared"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="the report; .pdf, .html, .csv or .json says the format"
    )
    parser.add_argument("--sections", default="", metavar="A,B", help="only these sections (default: all there are)")
    parser.add_argument("--redact", action="store_true", help="numbers instead of the names of files and folders")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Write it; raises CaptError."""
    sections = tuple(name for name in (part.strip() for part in args.sections.split(",")) if name)
    request = ReportRequest(tuple(args.runs), str(args.out), sections, args.redact)

    def finish(result: Result) -> int:
        assert isinstance(result, ReportResult)
        there = [one.id for one in result.sections if one.present]
        if args.json:
            print_json(
                "summary", {"out": result.out, "bytes": result.n_bytes, "pages": result.pages, "sections": there}
            )
        else:
            pages = f", {result.pages} page{'s' if result.pages != 1 else ''}" if result.pages else ""
            print(f"{result.out}: {result.n_bytes:,} bytes{pages}; sections: {', '.join(there)}.")
        return 0

    return follow(
        request,
        device=args.device,
        progress=ProgressLine(quiet=args.quiet),
        news=_nothing,
        finish=finish,
        cancelled="Cancelled. Nothing was written.",
    )


def _nothing(event: Event) -> None:
    del event
