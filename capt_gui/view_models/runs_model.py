"""The runs that are kept on disk, as the engine finds them, and in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from capt_engine.records import (
    NO_PROMPTS,
    DeleteRunsRequest,
    EmptyTrashRequest,
    Failure,
    KeptRun,
    ListRunsRequest,
    NoteRunRequest,
    Request,
    RestoreRunsRequest,
    RunNotes,
    RunsListed,
    TrashedRun,
)
from capt_gui.bridge import Bridge
from capt_gui.translate import counted, tr
from capt_gui.view_models.one_job import OneJob

_NAME_LENGTH = 48


class RunsModel(OneJob):
    """Pinned runs first, then the newest. `changed`: the list, or whether it is being looked for.

    failed(Failure): the list could not be read or changed. deleted(titles): runs went to the trash, and `undo` brings them
    back. emptied(sentence): runs left the trash for good.
    """

    changed = Signal()
    failed = Signal(object)
    deleted = Signal(list)
    emptied = Signal(str)

    def __init__(self, bridge: Bridge, folder: Path | None = None, parent: QObject | None = None) -> None:
        """folder: where runs are kept; None for the engine's own choice."""
        super().__init__(bridge, parent)
        self._folder = folder
        # pinned ones come before the others
        self.runs: tuple[KeptRun, ...] = ()
        self.newest_first: tuple[KeptRun, ...] = ()
        self.trash: tuple[TrashedRun, ...] = ()
        # nobody knows yet, before the first answer
        self.is_known = False
        # changes that were not made
        self.refused: set[Request] = set()
        # deletions and notes, the latest on top
        self.undo = QUndoStack(self)

    @property
    def n_bytes(self) -> int:
        """The bytes that the kept runs take on the disk, without the trash."""
        return sum(run.n_bytes for run in self.runs)

    @property
    def stopped(self) -> tuple[KeptRun, ...]:
        """The runs that were stopped before their end and can be gone on with, newest first."""
        return tuple(run for run in self.runs if run.request is not None)

    def run(self, folder: str) -> KeptRun | None:
        """Return the run that is kept in this folder, given by its path; None when the list does not hold it."""
        return next((run for run in self.runs if run.folder == folder), None)

    def refresh(self) -> None:
        """Ask the engine to list the kept runs again, and emit `changed`; the old list stays until the answer comes."""
        request = ListRunsRequest("" if self._folder is None else str(self._folder))
        self._run(request, finished=self.on_listed, failed=self.on_failed, ended=self.changed)
        self.changed.emit()

    def oldest_beyond(self, n_bytes: float) -> tuple[str, ...]:
        """Return the folders of the oldest runs whose deletion brings the kept runs down to `n_bytes`; pinned ones are none of them."""
        left, folders = self.n_bytes, []
        for run in reversed(self.runs):
            if left <= n_bytes:
                break
            if not run.notes.pinned and not run.is_written:
                folders.append(run.folder)
                left -= run.n_bytes
        return tuple(folders)

    def write_notes(self, folder: str, notes: RunNotes) -> None:
        """Give the run in `folder` another name, note or pin, which `undo` takes back; nothing happens where they are the same."""
        run = self.run(folder)
        if run is not None and notes != run.notes:
            self.undo.push(_NotesWritten(self, folder, run.notes, notes))

    def pin(self, folders: Sequence[str], *, pinned: bool) -> None:
        """Pin the runs in `folders` at the top if `pinned`, else unpin them; `undo` takes it back at once."""
        self.undo.beginMacro(tr("pin") if pinned else tr("unpin"))
        for run in [run for folder in folders if (run := self.run(folder))]:
            self.write_notes(run.folder, replace(run.notes, pinned=pinned))
        self.undo.endMacro()

    def delete(self, folders: Sequence[str]) -> None:
        """Move the runs in `folders` to the trash, which `undo` takes back; pinned ones and one being written stay."""
        gone = [run for folder in folders if (run := self.run(folder)) and not run.notes.pinned and not run.is_written]
        if gone:
            self.undo.push(_RunsDeleted(self, tuple(run.folder for run in gone)))
            self.deleted.emit([title(run) for run in gone])

    def put_back(self, folders: Sequence[str]) -> None:
        """Move runs back from the trash; they are given by the folders that they were in."""
        self.change(RestoreRunsRequest(tuple(folders)))

    def empty_trash(self) -> None:
        """Remove for good all runs in the trash."""
        self.undo.clear()
        self.change(EmptyTrashRequest("" if self._folder is None else str(self._folder)))

    def change(self, request: Request) -> None:
        """Hand a request that changes the kept runs to the engine; its answer becomes the present list."""
        self._bridge.run(request, finished=self.on_changed, failed=partial(self.on_refused, request))

    def on_refused(self, request: Request, failure: Failure) -> None:
        """Emit `failed` with the reason why the change that `request` asks for was not made; to undo it does nothing then."""
        self.refused.add(request)
        self.on_failed(failure)

    def on_changed(self, result: RunsListed) -> None:
        """Store the list of runs that the engine found after a change, and emit `changed`."""
        self.on_listed(result)
        self.changed.emit()

    def on_listed(self, result: RunsListed) -> None:
        """Store the kept runs that the engine found as the present list; emit `emptied` where runs left the trash for good."""
        runs = sorted(result.runs, key=lambda run: not run.notes.pinned)
        self.runs, self.newest_first = tuple(runs), result.runs
        self.trash, self.is_known = result.trash, True
        if result.emptied:
            self.emptied.emit(result.emptied)

    def on_failed(self, failure: Failure) -> None:
        """Emit `failed` with the reason why the kept runs could not be listed or changed; the list stays as it was."""
        self.is_known = True
        self.failed.emit(failure)


class _RunsDeleted(QUndoCommand):
    """Runs that went to the trash."""

    def __init__(self, model: RunsModel, folders: tuple[str, ...]) -> None:
        super().__init__(counted(len(folders), "delete 1 run", "delete {} runs"))
        self._model, self._request = model, DeleteRunsRequest(folders)

    def redo(self) -> None:
        self._model.refused.discard(self._request)
        self._model.change(self._request)

    def undo(self) -> None:
        if self._request not in self._model.refused:
            self._model.put_back(self._request.runs)


class _NotesWritten(QUndoCommand):
    """Another name, note or pin of a run."""

    def __init__(self, model: RunsModel, folder: str, before: RunNotes, after: RunNotes) -> None:
        super().__init__(tr("name and note"))
        self._model, self._folder, self._before, self._after = model, folder, before, after

    def redo(self) -> None:
        self._model.change(NoteRunRequest(self._folder, self._after))

    def undo(self) -> None:
        self._model.change(NoteRunRequest(self._folder, self._before))


def when(ended: str, now: datetime | None = None) -> str:
    """Return the end of a run as people say it: "today 14:03", "yesterday 09:12", "4 Mar, 14:03", "4 Mar 2025, 14:03".

    ended: a date and time in ISO 8601; "" gives "unfinished", another text is returned as it is. now: the present
    moment, None for the clock's.
    """
    try:
        moment = datetime.fromisoformat(ended).astimezone()
    except ValueError:
        return ended if ended else tr("unfinished")
    today = (now or datetime.now()).astimezone().date()
    clock = moment.strftime("%H:%M")
    days = (today - moment.date()).days
    if days == 0:
        return tr("today {}").format(clock)
    if days == 1:
        return tr("yesterday {}").format(clock)
    month = moment.strftime("%b" if moment.year == today.year else "%b %Y")
    return f"{moment.day} {month}, {clock}"


def title(run: KeptRun) -> str:
    """Return the name that a person gave the run; where there is none, its sets of prompts and what they were asked about."""
    if run.notes.name or not run.variants:
        return run.notes.name or run.title
    names = ", ".join(tr("plain text") if one == NO_PROMPTS else one for one in run.variants)
    return f"{names} · {run.data or counted(run.n_places, '1 file or folder', '{} files and folders')}"


def caption(run: KeptRun) -> str:
    """Return the line under a run's title: its end, or its state, the number of its pictures, and "labelled" or "unlabelled"."""
    pictures = counted(run.n, "1 picture", "{} pictures")
    state = tr("goes on") if run.is_written else when(run.ended)
    return " · ".join((state, pictures, tr("labelled") if run.labelled else tr("unlabelled")))


def matches(run: KeptRun, words: str) -> bool:
    """Return True if every word of `words` stands in the run's name, title, note, caption or folder; case does not matter."""
    written = " ".join((title(run), run.title, run.notes.note, caption(run), run.folder)).lower()
    return all(word in written for word in words.lower().split())


def file_name(runs: tuple[KeptRun, ...], suffix: str) -> str:
    """Return a file name to propose for a report on these runs: "report", subject, day of the latest run, `suffix`.

    suffix: the ending with its dot, such as ".html".
    """
    day = max((run.ended[:10] for run in runs), default="")
    subject = (runs[0].notes.name or runs[0].title) if len(runs) == 1 else tr("comparison of {} runs").format(len(runs))
    text = re.sub(r"[^\w.]+", "-", subject, flags=re.UNICODE).strip("-._").lower()
    if len(text) > _NAME_LENGTH:
        # cut between words, or in the middle of one that is too long by itself
        text = text[:_NAME_LENGTH].rpartition("-")[0] or text[:_NAME_LENGTH]
    return "-".join(part for part in ("report", text, day) if part) + suffix


def short(path: str) -> str:
    """Return the file's name, without its folder, from its path."""
    return PurePath(path).name
