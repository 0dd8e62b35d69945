"""Runs that are kept on disk: which there are, names and notes that people give them, and the trash."""

from __future__ import annotations

from capt_engine.frozen import dataclass
from capt_engine.records.requests import Request, Result
from capt_engine.records.run_requests import RunRequest


@dataclass(frozen=True)
class ListRunsRequest(Request):
    """List the runs that are kept in a folder ("" for the program's own), newest first, and what its trash holds.

    What the trash holds too long or too much of goes for good then; the answer says so.
    """

    folder: str = ""


@dataclass(frozen=True)
class RunNotes:
    """The words of a person about a kept run. name: shown in place of its title, "" for none. pinned: it stays at the top."""

    name: str = ""
    note: str = ""
    pinned: bool = False


@dataclass(frozen=True)
class NoteRunRequest(Request):
    """Write `notes` about the run in the folder `run`, in place of what was written before; RunsListed answers."""

    run: str
    notes: RunNotes


@dataclass(frozen=True)
class DeleteRunsRequest(Request):
    """Move runs, given by their folders, into the trash beside them; RunsListed answers. A run being written is refused."""

    runs: tuple[str, ...]


@dataclass(frozen=True)
class RestoreRunsRequest(Request):
    """Move runs back from the trash, given by the folders that they were in; RunsListed answers."""

    runs: tuple[str, ...]


@dataclass(frozen=True)
class EmptyTrashRequest(Request):
    """Remove for good all that is in the trash of a folder of runs ("" for the program's own); RunsListed answers."""

    folder: str = ""


@dataclass(frozen=True)
class KeptRun:
    """One run on disk: its folder, when it ended (ISO 8601 with zone, "" while it is unfinished), and one line about it.

    n: pictures that have all their rows. n_bytes: on disk. request: what was asked, of a run that was stopped and can be
    gone on with; None of any other. is_written: a run of this program is writing it now. variants: names of the sets of
    prompts, "none" for plain text. data: the name of the one folder or file that was asked about, "" for several, of
    which there are n_places.
    """

    folder: str
    ended: str
    title: str
    n: int
    labelled: bool
    notes: RunNotes = RunNotes()
    n_bytes: int = 0
    request: RunRequest | None = None
    is_written: bool = False
    variants: tuple[str, ...] = ()
    data: str = ""
    n_places: int = 0


@dataclass(frozen=True)
class TrashedRun:
    """One run in the trash: the folder that it was and becomes again, its title, when it was deleted (ISO 8601), its bytes."""

    folder: str
    title: str
    deleted: str
    n_bytes: int


@dataclass(frozen=True)
class RunsListed(Result):
    """Kept runs, newest first; the trash, the last deleted first; a sentence on what left the trash for good, "" for nothing."""

    runs: tuple[KeptRun, ...]
    trash: tuple[TrashedRun, ...] = ()
    emptied: str = ""
