"""The runs that are kept on disk, as the engine finds them, and in words."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, Signal

from capt_engine.records import Failure, KeptRun, ListRunsRequest, RunsListed
from capt_gui.bridge import Bridge
from capt_gui.translate import counted, tr
from capt_gui.view_models.one_job import OneJob

_NAME_LENGTH = 48


class RunsModel(OneJob):
    """Newest first. `changed`: the list, or whether it is being looked for; `failed(Failure)`: it could not be read."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, bridge: Bridge, folder: Path | None = None, parent: QObject | None = None) -> None:
        """folder: where runs are kept; None for the engine's own choice."""
        super().__init__(bridge, parent)
        self._folder = folder
        self.runs: tuple[KeptRun, ...] = ()
        # nobody knows yet, before the first answer
        self.is_known = False

    def run(self, folder: str) -> KeptRun | None:
        """Return the run that is kept in this folder, given by its path; None when the list does not hold it."""
        return next((run for run in self.runs if run.folder == folder), None)

    def refresh(self) -> None:
        """Ask the engine to list the kept runs again, and emit `changed`; the old list stays until the answer comes."""
        request = ListRunsRequest("" if self._folder is None else str(self._folder))
        self._run(request, finished=self.on_listed, failed=self.on_failed, ended=self.changed)
        self.changed.emit()

    def on_listed(self, result: RunsListed) -> None:
        """Store the kept runs that the engine found as the present list."""
        self.runs, self.is_known = result.runs, True

    def on_failed(self, failure: Failure) -> None:
        """Emit `failed` with the reason why the kept runs could not be listed; the list stays as it was."""
        self.is_known = True
        self.failed.emit(failure)


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


def caption(run: KeptRun) -> str:
    """Return the line under a run's title: its end, the number of its pictures, and "labelled" or "unlabelled"."""
    pictures = counted(run.n, "1 picture", "{} pictures")
    return " · ".join((when(run.ended), pictures, tr("labelled") if run.labelled else tr("unlabelled")))


def file_name(runs: tuple[KeptRun, ...], suffix: str) -> str:
    """Return a file name to propose for a report on these runs: "report", subject, day of the latest run, `suffix`.

    suffix: the ending with its dot, such as ".html".
    """
    day = max((run.ended[:10] for run in runs), default="")
    subject = runs[0].title if len(runs) == 1 else f"comparison of {len(runs)} runs"
    text = re.sub(r"[^\w.]+", "-", subject, flags=re.UNICODE).strip("-._").lower()
    if len(text) > _NAME_LENGTH:
        # cut between words, or in the middle of one that is too long by itself
        text = text[:_NAME_LENGTH].rpartition("-")[0] or text[:_NAME_LENGTH]
    return "-".join(part for part in ("report", text, day) if part) + suffix


def short(path: str) -> str:
    """Return the file's name, without its folder, from its path."""
    return PurePath(path).name
