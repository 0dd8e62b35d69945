"""Jobs on the runs that are kept on disk: listing, notes, the trash. Each answers with the list as it is then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_type_hints

from capt_engine import records, trash
from capt_engine.jobs.context import JobContext
from capt_engine.runs import kept_runs


def handle_list_runs(job: JobContext, request: records.ListRunsRequest) -> records.RunsListed:
    """Return the runs kept in the folder of `request`, or in the program's own where it names none, newest first.

    job: the context, whose progress is reported. Raises BadRequest where the folder cannot be read.
    """
    job.progress(0, 0, "looking for runs")
    return kept_runs.listed(_folder(request.folder))


def handle_note_run(job: JobContext, request: records.NoteRunRequest) -> records.RunsListed:
    """Write the name, note and pin of `request` into its run folder, and return the list of the runs beside it.

    job: the context, whose progress is reported. Raises CaptError where the run is gone or the disk refuses.
    """
    job.progress(0, 0, "writing the notes")
    kept_runs.write_notes(Path(request.run), request.notes)
    return kept_runs.listed(Path(request.run).parent)


def handle_delete_runs(job: JobContext, request: records.DeleteRunsRequest) -> records.RunsListed:
    """Move the runs of `request` into the trash, and return the list of what is left beside them.

    job: the context, whose progress is reported. Raises CaptError where a run cannot be deleted.
    """
    job.progress(0, 0, "moving runs to the trash")
    kept_runs.delete([Path(run) for run in request.runs])
    return kept_runs.listed(_parent(request.runs))


def handle_restore_runs(job: JobContext, request: records.RestoreRunsRequest) -> records.RunsListed:
    """Move the runs of `request` back from the trash, and return the list of the runs beside them.

    job: the context, whose progress is reported. Raises CaptError where a run is no longer in the trash.
    """
    job.progress(0, 0, "putting runs back")
    for run in request.runs:
        trash.put_back(Path(run))
    return kept_runs.listed(_parent(request.runs))


def handle_empty_trash(job: JobContext, request: records.EmptyTrashRequest) -> records.RunsListed:
    """Remove for good what is in the trash of the folder of `request`, and return the list of the kept runs.

    job: the context, whose progress is reported. Raises CannotWrite where the disk refuses.
    """
    job.progress(0, 0, "emptying the trash")
    folder = _folder(request.folder)
    trash.empty_all(folder)
    return kept_runs.listed(folder)


def _folder(named: str) -> Path:
    return Path(named) if named else kept_runs.own_folder()


def _parent(runs: Iterable[str]) -> Path:
    """The folder of the first run; the program's own where none is named."""
    first = next(iter(runs), "")
    return Path(first).parent if first else kept_runs.own_folder()


HANDLERS: dict[type, Callable[[JobContext, Any], records.Result]] = {
    get_type_hints(handler)["request"]: handler
    for handler in (
        handle_list_runs,
        handle_note_run,
        handle_delete_runs,
        handle_restore_runs,
        handle_empty_trash,
    )
}
