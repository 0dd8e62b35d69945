"""The list of runs that are kept in a folder, and what people write about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from capt_engine import trash
from capt_engine.errors import BadRequest, CaptError
from capt_engine.files import write_atomic
from capt_engine.folders import runs_dir, window_setting
from capt_engine.reading import json_if_sound
from capt_engine.records import KeptRun, RunNotes, RunRequest, RunsListed, TrashedRun
from capt_engine.runs import reader
from capt_engine.runs.manifest import as_json
from capt_engine.runs.manifest_records import Summary
from capt_engine.runs.reader import MANIFEST, manifest_of
from capt_engine.runs.request_text import from_json, variant_name, without_folders
from capt_engine.runs.run_folder import is_being_written, whole_pictures

NOTES = "notes.json"
"""The file in a run folder that holds its name, note and pin."""

_LONGEST_NAME, _LONGEST_NOTE = 200, 10_000


def own_folder() -> Path:
    """Return the folder in which runs are kept when nobody names another."""
    return runs_dir()


def trash_rules() -> trash.TrashRules:
    """Return the rules of the trash, with the days and the size that were chosen in the window."""
    usual = trash.TrashRules()
    days = window_setting("trash_days", usual.days)
    gigabytes = window_setting("trash_budget_gb", usual.n_bytes / 1000**3)
    return trash.TrashRules(max(days, 1), max(round(gigabytes * 1000**3), 0))


def listed(folder: Path) -> RunsListed:
    """List the runs kept in `folder` and in its trash, after what the trash holds too long or too much of went for good.

    Raises BadRequest where `folder` cannot be read.
    """
    emptied = trash.empty(folder, trash_rules())
    gone = tuple(
        TrashedRun(str(one.run), _title_in_trash(one.place), one.when.isoformat(), trash.n_bytes_of(one.place))
        for one in reversed(trash.discarded(folder))
    )
    return RunsListed(kept_runs(folder), gone, emptied)


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


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Write `notes`, the name, note and pin that a person gave, into the run folder `folder`, over those of before.

    Raises BadRequest where the folder holds no run or a text is too long, CannotWrite where the disk refuses.
    """
    if not (folder / MANIFEST).is_file():
        raise BadRequest(f"{str(folder)!r} holds no run.", "Look for runs again: it may be gone already.")
    for text, longest, what in ((notes.name, _LONGEST_NAME, "name"), (notes.note, _LONGEST_NOTE, "note")):
        if len(text) > longest:
            raise BadRequest(f"The {what} has {len(text):,} characters; {longest:,} are kept.", "Make it shorter.")
    write_atomic(folder / NOTES, as_json(asdict(notes)))


def delete(folders: Sequence[Path]) -> None:
    """Move the runs in `folders` into the trash beside them: all, or none where one of them cannot be deleted now.

    Raises BadRequest where a folder holds no run or is being written, CannotWrite where the disk refuses.
    """
    for folder in folders:
        if not (folder / MANIFEST).is_file():
            raise BadRequest(f"{str(folder)!r} holds no run.", "Look for runs again: it may be gone already.")
        if is_being_written(folder):
            raise BadRequest(f"The run in {str(folder)!r} is going on.", "Cancel it first, or wait for its end.")
    moved = []
    try:
        for folder in folders:
            trash.discard(folder)
            moved.append(folder)
    except CaptError:
        for folder in moved:
            trash.put_back(folder)
        raise


def _run(folder: Path) -> tuple[float, KeptRun] | None:
    try:
        if not reader.is_run(folder):
            return None
        manifest, found = manifest_of(folder), reader.summary_of(folder)
        is_over = found is not None
        is_written = not is_over and is_being_written(folder)
        summary = found or Summary()
        request = from_json(manifest)
        ended = manifest.ended if is_over else ""
        when = datetime.fromisoformat(ended or manifest.started or "1970-01-01T00:00:00+00:00").timestamp()
        one = KeptRun(
            folder=str(folder),
            ended=ended,
            title=_title(request),
            n=summary.n if is_over else len(whole_pictures(folder, request)),
            labelled=(manifest.label_source or summary.label_source) != "model",
            notes=notes_of(folder),
            n_bytes=_n_bytes(folder, (folder / MANIFEST).stat().st_mtime_ns, ended),
            request=None if is_over or is_written else request,
            is_written=is_written,
            variants=tuple(map(without_folders, request.variants)),
            data=Path(request.places[0]).name if len(request.places) == 1 else "",
            n_places=len(request.places),
        )
        return when, one
    except (BadRequest, OSError, ValueError, OverflowError):
        return None


def notes_of(folder: Path) -> RunNotes:
    """Return what a person wrote about the run in `folder`; empty notes where there are none that can be read."""
    path = reader.file_of(folder, NOTES)
    return (json_if_sound(path, RunNotes) if path is not None else None) or RunNotes()


def _title(request: RunRequest) -> str:
    return f"{' and '.join(variant_name(one) for one in request.variants)} on {counted_paths(request.places)}"


def _title_in_trash(folder: Path) -> str:
    try:
        return notes_of(folder).name or _title(from_json(manifest_of(folder)))
    except (BadRequest, OSError, ValueError):
        return folder.name


def _n_bytes(folder: Path, changed_ns: int, ended: str) -> int:
    """Bytes of the run; those of a finished one, which may hold thousands of files, are counted once."""
    return _n_bytes_finished(folder, changed_ns) if ended else trash.n_bytes_of(folder)


@lru_cache(maxsize=4096)
def _n_bytes_finished(folder: Path, changed_ns: int) -> int:
    del changed_ns
    return trash.n_bytes_of(folder)


def counted_paths(paths: Sequence[str]) -> str:
    """Return a run's inputs in a few words: the last name of a single one of `paths`, else "3 files and folders"."""
    return Path(paths[0]).name if len(paths) == 1 else f"{len(paths)} files and folders"
