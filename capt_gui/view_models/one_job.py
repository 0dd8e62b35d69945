"""A view model that has at most one job under way."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QObject

from capt_engine.records import JobProgress, Request
from capt_gui.bridge import About, Bridge, Job, Slot
from capt_gui.view_models import formatting


class JobState(NamedTuple):
    """The progress of a job: so many of so many steps are done, and the line of text that says so."""

    done: int = 0
    total: int = 0
    text: str = ""


class OneJob(QObject):
    """Runs one request at a time; a new one takes the place of the one before, of which nothing more is heard."""

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._job: Job | None = None
        self._rest()

    @property
    def is_running(self) -> bool:
        """True if the job waits in the engine's queue or is being worked on."""
        return self._job is not None and self._job.is_running

    @property
    def is_waiting(self) -> bool:
        """True if the job still waits in the engine's queue."""
        return self._job is not None and self._job.is_running and self._job.is_waiting

    @property
    def elapsed_s(self) -> float:
        """The seconds since the engine began to work on the job; 0 while it waits and without one."""
        return 0.0 if self._job is None else self._job.elapsed_s

    def cancel(self) -> None:
        """Ask the job to stop; nothing happens when there is none."""
        if self._job is not None:
            self._job.cancel()

    def _run(self, request: Request, about: About | None = None, **slots: Slot) -> None:
        """Run a request; each slot is connected to the job's signal of that name, and hears of it once the progress is up to date.

        about: the job's place in the window, None for one that nobody would miss.
        """
        self._abandon()
        self._job = self._bridge.run(
            request, about, progressed=self._take_progress, finished=self._rest, failed=self._rest, cancelled=self._rest
        )
        self._job.connect_slots(**slots)

    def _abandon(self) -> None:
        """Cancel the job, and hear nothing more of it."""
        if self._job is not None:
            self._job.abandon()
        self._rest()

    def _take_progress(self, event: JobProgress) -> None:
        """Remember how far the job is, in numbers and as one line."""
        self.progress = JobState(event.done, event.total, formatting.job_progress(event))

    def _rest(self) -> None:
        """Forget the progress of the job before."""
        self.progress = JobState()
