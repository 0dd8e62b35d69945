"""`capt run MANIFEST.json`: repeats a run and prints every difference."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capt_engine.cli.options import add_common, add_renamed
from capt_engine.cli.output import print_json
from capt_engine.cli.run_job import follow
from capt_engine.cli.terminal import ProgressLine
from capt_engine.errors import BadRequest
from capt_engine.records import Event, Result, RunRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP = "repeat a run from its manifest and print every difference; exit code 6 where there are any"

DIFFERENT = 6
_SHOWN = 40


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(
        "manifest",
        type=Path,
        metavar="MANIFEST.json",
        help="of a run folder, or taken out of a report; rows.csv beside it is compared",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="also keep the new run in this new folder")
    parser.add_argument("--data", metavar="PATH", help="where the pictures are now (default: where they were)")
    parser.add_argument("--model", metavar="ID", help="where the model is now, if it was a folder or file")
    parser.add_argument("--prompts", metavar="FILE", help="where A's prompts are now, if they were a file")
    parser.add_argument("--compare", metavar="FILE", help="where B's prompts are now, if they were a file")
    add_renamed(
        parser,
        "--crafted-on",
        "--source-model",
        metavar="ID",
        help="where the model that attacks were computed on is now",
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Repeat it; 0 where nothing differs, 6 where something does. Raises CaptError."""
    from capt_engine.reading import read_json
    from capt_engine.runs.request_text import from_json

    place = args.manifest.absolute()
    manifest = read_json(place, dict[str, Any])
    request = _asked(args, manifest, from_json(manifest))
    with tempfile.TemporaryDirectory(prefix="capt-run-") as spare, _started_in(manifest):
        out = args.out.absolute() if args.out else Path(spare) / "run"
        code = follow(
            replace(request, options=replace(request.options, keep=str(out))),
            device=args.device,
            progress=ProgressLine(quiet=args.quiet),
            news=_nothing,
            finish=_done,
        )
        return code or _told(args, place, manifest, out)


def _asked(args: argparse.Namespace, manifest: dict[str, Any], request: RunRequest) -> RunRequest:
    """The request of the manifest, with what has moved since where it is now."""
    if manifest.get("redacted") and not args.data:
        raise BadRequest("The manifest's names were redacted.", "Say where the pictures are with --data.")
    old = request.options
    options = replace(
        old,
        resume=False,
        batch_size=0,
        with_pictures=False,
        device=old.device if args.device == "auto" else args.device,
        model=_here(args.model) if args.model else old.model,
        prompts=_here(args.prompts) if args.prompts else old.prompts,
        compare=_here(args.compare) if args.compare else old.compare,
        source_model=_here(args.source_model) if args.source_model else old.source_model,
    )
    return replace(request.repeated(_here(args.data) if args.data else ""), options=options)


def _here(path: str) -> str:
    """A path that stays right when the place changes; any other name as it is."""
    return str(Path(path).absolute()) if Path(path).exists() else path


@contextlib.contextmanager
def _started_in(manifest: dict[str, Any]) -> Iterator[None]:
    """The folder that the old run was started in, so that its relative paths mean the same, where it is still there."""
    folder = Path(str(manifest.get("started_in") or "."))
    with contextlib.chdir(folder) if folder.is_dir() else contextlib.nullcontext():
        yield


def _told(args: argparse.Namespace, place: Path, manifest: dict[str, Any], out: Path) -> int:
    from capt_engine.reading import read_json
    from capt_engine.runs.differences import differences
    from capt_engine.runs.finished_run import FinishedRun
    from capt_engine.runs.run_folder import ROWS, SUMMARY, lines

    mark = place.stem.removeprefix("manifest")
    rows, summary = (place.with_name(name.replace(".", f"{mark}.")) for name in (ROWS, SUMMARY))
    new = FinishedRun.of(out)
    found = list(
        differences(
            manifest,
            read_json(summary, dict[str, Any]) if summary.is_file() else None,
            lines(rows) if rows.is_file() else None,
            new,
        )
    )
    n_rows = sum(1 for _ in new.lines())
    if args.json:
        for one in found:
            print_json("difference", {"message": one})
        print_json("summary", {"differences": len(found), "rows": n_rows, "rows_compared": rows.is_file()})
        return DIFFERENT if found else 0
    for one in found[:_SHOWN]:
        print(one)
    if len(found) > _SHOWN:
        print(f"and {len(found) - _SHOWN} more.")
    if not rows.is_file():
        print("There is no rows.csv beside the manifest: rows were compared by their SHA-256 alone.", file=sys.stderr)
    print(f"{len(found)} differences in {n_rows} rows." if found else f"no difference in {n_rows} rows")
    return DIFFERENT if found else 0


def _done(result: Result) -> int:
    del result
    return 0


def _nothing(event: Event) -> None:
    del event
