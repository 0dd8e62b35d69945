"""The list of runs that are kept in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.folders import data_dir
from capt_engine.records import KeptRun
from capt_engine.runs import reader
from capt_engine.runs.manifest_records import Summary
from capt_engine.runs.request_text import from_json, variant_name


def own_folder() -> Path:
    """Return the folder in the user's data folder in which runs are kept when nobody names another."""
    return data_dir() / "runs"


def kept_runs(folder: Path) -> tuple[KeptRun, ...]:
    """List the runs kept in the folders directly inside `folder`, newest first; empty where there is no such folder.

    A folder inside that holds no readable run is passed over. Raises BadRequest where `folder` itself cannot be read.
    """
    if not folder.is_dir():
        return ()
    try:
        found = [run for place in folder.iterdir() if (run := _run(place)) is not None]
    except OSError as error:
        raise BadRequest(f"{str(folder)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].folder), reverse=True))


def _run(folder: Path) -> tuple[float, KeptRun] | None:
    try:
        if not reader.is_run(folder):
            return None
        manifest, found = reader.manifest_of(folder), reader.summary_of(folder)
        summary = found or Summary()
        request = from_json(manifest)
        ended = "" if found is None else manifest.ended
        when = datetime.fromisoformat(ended or manifest.started or "1970-01-01T00:00:00+00:00").timestamp()
        title = f"{' and '.join(variant_name(one) for one in request.variants)} on {counted_paths(request.places)}"
        labelled = (manifest.label_source or summary.label_source) != "model"
        return when, KeptRun(str(folder), ended, title, summary.n, labelled)
    except (BadRequest, OSError, ValueError):
        return None


def counted_paths(paths: Sequence[str]) -> str:
    """Return a run's inputs in a few words: the last name of a single one of `paths`, else "3 files and folders"."""
    return Path(paths[0]).name if len(paths) == 1 else f"{len(paths)} files and folders"
