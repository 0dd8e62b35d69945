"""`capt run MANIFEST.json`: repeats a run and prints every difference."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from capt_engine.cli.options import set_up
from capt_engine.cli.output import print_json, print_result
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import tell
from capt_engine.errors import BadRequest, ExitCode
from capt_engine.formatting import counted
from capt_engine.records import AnalyzeResult, RunRequest
from capt_engine.runs.manifest_records import Manifest, Summary
from capt_engine.runs.options_table import PATH, Option

_SHOWN = 40

OPTIONS = (
    Option(
        "manifest",
        "of a run folder, or taken out of a report; rows.csv beside it is compared",
        kind=PATH,
        metavar="MANIFEST.json",
    ),
    Option("--out", "also keep the new run in this new folder", kind=PATH, metavar="DIR"),
    Option("--data", "where the pictures are now (default: where they were)", metavar="PATH"),
    Option("--model", "where the model is now, if it was a folder or file", metavar="ID"),
    Option("--prompts", "where A's prompts are now, if they were a file", metavar="FILE"),
    Option("--compare", "where B's prompts are now, if they were a file", metavar="FILE"),
    Option(
        "--source-model",
        "where the model that attacks were computed on is now",
        metavar="ID",
        renamed="--crafted-on",
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `capt run` to `parser`, and name `run` as the function that does the command."""
    set_up(parser, run, OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Repeat the run whose manifest is the file `args.manifest`, and print each difference between the two results.

    The new run goes to the folder `args.out`, or to a temporary one. Returns the exit code: 0 where nothing differs, 6
    where something does. Raises CaptError for a manifest that cannot be used, JobEnded where there is no result.
    """
    from capt_engine.runs.request_text import from_json

    place = args.manifest.absolute()
    manifest = Manifest.read(place)
    request = _moved(args, manifest, from_json(manifest))
    with tempfile.TemporaryDirectory(prefix="capt-run-") as spare, _started_in(manifest.started_in):
        out = args.out.absolute() if args.out else Path(spare) / "run"
        follow(replace(request, options=replace(request.options, keep=str(out))), args, AnalyzeResult)
        return _compared(args, place, manifest, out)


def _moved(args: argparse.Namespace, manifest: Manifest, request: RunRequest) -> RunRequest:
    """The request of the manifest, with what has moved since where it is now."""
    if manifest.redacted_classes:
        raise BadRequest(
            "The manifest's class names were redacted, so the run cannot be repeated from it.",
            "Use the manifest.json of the run folder itself.",
        )
    if manifest.redacted and not args.data:
        raise BadRequest("The manifest's names were redacted.", "Say where the pictures are with --data.")
    given = vars(args)
    moved: dict[str, Any] = {
        name: _here(given[name]) for name in ("model", "prompts", "compare", "source_model") if given[name]
    }
    if args.device != "auto":
        moved["device"] = args.device
    # A run that is looked up in the store would be its own witness.
    options = replace(request.options, resume=False, batch_size=0, with_pictures=False, cache=False, **moved)
    return replace(request.repeated(_here(args.data) if args.data else ""), options=options)


def _here(path: str) -> str:
    """A path that stays right when the place changes; any other name as it is."""
    return str(Path(path).absolute()) if Path(path).exists() else path


@contextlib.contextmanager
def _started_in(place: str) -> Iterator[None]:
    """The folder that the old run was started in, so that its relative paths mean the same, where it is still there."""
    folder = Path(place or ".")
    with contextlib.chdir(folder) if folder.is_dir() else contextlib.nullcontext():
        yield


def _compared(args: argparse.Namespace, place: Path, manifest: Manifest, out: Path) -> int:
    from capt_engine.runs.differences import differences
    from capt_engine.runs.finished_run import FinishedRun
    from capt_engine.runs.reader import ROWS, SUMMARY, lines

    mark = place.stem.removeprefix("manifest")
    rows, summary = (place.with_name(name.replace(".", f"{mark}.")) for name in (ROWS, SUMMARY))
    new = FinishedRun.of(out)
    found = list(
        differences(
            manifest,
            Summary.read(summary) if summary.is_file() else None,
            lines(rows) if rows.is_file() else None,
            new,
        )
    )
    n_rows = sum(1 for _ in new.lines())
    shown = [*found[:_SHOWN], *([f"and {len(found) - _SHOWN} more."] if len(found) > _SHOWN else [])]
    for one in found if args.json else ():
        print_json("difference", {"message": one})
    if not (rows.is_file() or args.json):
        tell("There is no rows.csv beside the manifest: rows were compared by their SHA-256 alone.")
    facts = {"differences": len(found), "rows": n_rows, "rows_compared": rows.is_file()}
    rows_shown = counted(n_rows, "row")
    verdict = f"{counted(len(found), 'difference')} in {rows_shown}." if found else f"no difference in {rows_shown}"
    print_result(args, facts, *shown, verdict)
    return ExitCode.DIFFERENT if found else ExitCode.DONE
