"""Every job of this session that a user asked for: what waits, what runs, what has ended, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import (
    Failure,
    JobCancelled,
    JobContinued,
    JobEvent,
    JobFailed,
    JobFinished,
    JobPaused,
    JobProgress,
    JobStarted,
)
from capt_gui.bridge import Bridge, Job
from capt_gui.translate import counted, tr
from capt_gui.view_models import formatting, job_text
from capt_gui.view_models.model_choice import ModelChoice
from capt_gui.view_models.navigation import Navigation

WAITING, RUNNING, PAUSED, FINISHED, FAILED, CANCELLED = (
    "waiting",
    "running",
    "paused",
    "finished",
    "failed",
    "cancelled",
)
ENDED = (FINISHED, FAILED, CANCELLED)
# so many jobs that have ended stay in the list
_MOST = 200
# a job that has gone on for so long says how long it will take, or that this cannot be told
_LASTS_S = 5.0
_LOOK_EVERY_MS = 1000


@dataclass
class JobEntry:
    """One job. number: the engine's; title: what it is, in a plain sentence; share: of it that is done, None where not known.

    text: how far it is, how it ended, or why it failed. is_stopping: it was asked to stop and has not ended. is_seen: the page that
    shows its end was in front since.
    """

    job: Job
    title: str
    state: str = WAITING
    share: float | None = None
    text: str = ""
    failure: Failure | None = None
    is_stopping: bool = False
    is_seen: bool = False
    elapsed_s: float = 0.0
    # how far it is, as the engine said last
    latest: JobProgress | None = None

    @property
    def number(self) -> int:
        """Return the number that the engine gave the job."""
        return self.job.id

    @property
    def page(self) -> str:
        """Return the key of the page that the job belongs to."""
        return self.job.about.page if self.job.about is not None else ""

    @property
    def has_ended(self) -> bool:
        """Return True if the job is finished, failed or cancelled."""
        return self.state in ENDED

    @property
    def may_cancel(self) -> bool:
        """Return True if the job can still be asked to stop."""
        return not self.has_ended and not self.is_stopping

    @property
    def may_retry(self) -> bool:
        """Return True if the job came to nothing, and the same can be asked for again."""
        return self.state in (FAILED, CANCELLED) and self.job.about is not None and self.job.about.again is not None

    @property
    def may_open(self) -> bool:
        """Return True if the job has a result that its page can show."""
        return self.state == FINISHED and self.job.about is not None


class PageMark(NamedTuple):
    """The mark on a page's button. kind: "running", "paused", "failed", "finished" or "" for none; share: done, None where not known.

    text: the same in words.
    """

    kind: str = ""
    share: float | None = None
    text: str = ""


NO_MARK = PageMark()


class JobsModel(QObject):
    """The jobs of the session. `changed`: there are more or fewer, or one has another state; `progressed(number)`: one is further.

    Jobs that nobody would miss, such as the look for kept runs, are not among them: whoever asks for a job says where it belongs.
    """

    changed = Signal()
    progressed = Signal(int)

    def __init__(
        self, bridge: Bridge, navigation: Navigation, model: ModelChoice, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._navigation = navigation
        self._model = model
        self._entries: dict[int, JobEntry] = {}
        self._front = ""
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.on_second)
        bridge.submitted.connect(self.on_submitted)
        bridge.heard.connect(self.on_heard)

    @property
    def entries(self) -> tuple[JobEntry, ...]:
        """The jobs: those under way first, then those that wait in their order, then those that have ended, the last one first."""
        every = list(self._entries.values())
        under_way = [one for one in every if one.state in (RUNNING, PAUSED)]
        waiting = [one for one in every if one.state == WAITING]
        return (*under_way, *waiting, *(one for one in reversed(every) if one.has_ended))

    @property
    def n_running(self) -> int:
        """The number of jobs that wait or are under way."""
        return sum(not one.has_ended for one in self._entries.values())

    @property
    def n_failed_unseen(self) -> int:
        """The number of jobs that failed and that nobody has looked at since."""
        return sum(one.state == FAILED and not one.is_seen for one in self._entries.values())

    @property
    def has_ended(self) -> bool:
        """True if there is a job that has ended, which `clear` would take off the list."""
        return any(one.has_ended for one in self._entries.values())

    def entry(self, number: int) -> JobEntry | None:
        """Return the job with this number; None if it is not in the list."""
        return self._entries.get(number)

    def text(self) -> str:
        """Return the state of all jobs in a few words: "2 jobs", "1 failed", or "Jobs" while there is nothing to say."""
        if self.n_running:
            return counted(self.n_running, "1 job", "{} jobs")
        if self.n_failed_unseen:
            return counted(self.n_failed_unseen, "1 job failed", "{} jobs failed")
        return tr("Jobs")

    def mark(self, page: str) -> PageMark:
        """Return the mark for the button of a page, by its key: what runs there, else what has ended there unseen."""
        own = [one for one in self._entries.values() if one.page == page]
        under_way = [one for one in own if not one.has_ended]
        if under_way:
            first = next((one for one in under_way if one.state != WAITING), under_way[0])
            kind = "paused" if first.state == PAUSED else "running"
            return PageMark(kind, first.share, tr("{}: {}").format(first.title, first.text))
        unseen = [one for one in own if not one.is_seen and one.state in (FAILED, FINISHED)]
        for kind in (FAILED, FINISHED):
            if found := [one for one in unseen if one.state == kind]:
                words = tr("Failed: {}") if kind == FAILED else tr("Done: {}")
                return PageMark(kind, None, words.format(found[-1].title))
        return NO_MARK

    def set_front(self, page: str) -> None:
        """Note that the page of this key is in front, so that what has ended there is seen."""
        self._front = page
        unseen = [one for one in self._entries.values() if one.page == page and one.has_ended and not one.is_seen]
        for one in unseen:
            one.is_seen = True
        if unseen:
            self.changed.emit()

    def cancel(self, number: int) -> None:
        """Ask the job with this number to stop; nothing happens if it has ended."""
        one = self._entries.get(number)
        if one is not None and one.may_cancel:
            one.is_stopping = True
            one.text = tr("Stopping…")
            self.changed.emit()
            one.job.cancel()

    def retry(self, number: int) -> None:
        """Ask again for what a failed or cancelled job was to do, in its place; nothing happens where that cannot be."""
        one = self._entries.get(number)
        if one is not None and one.may_retry and one.job.about is not None and one.job.about.again is not None:
            before = set(self._entries)
            one.job.about.again()
            if set(self._entries) - before:
                self._entries.pop(number, None)
            self.changed.emit()

    def open(self, number: int) -> None:
        """Bring the page of the job with this number to the front, and show the result there if it has one."""
        one = self._entries.get(number)
        if one is None or one.job.about is None:
            return
        one.is_seen = True
        self._navigation.go(one.page)
        if one.may_open and one.job.about.show is not None:
            one.job.about.show()
        self.changed.emit()

    def clear(self) -> None:
        """Take the jobs that have ended off the list; what they made stays where it is."""
        self._entries = {number: one for number, one in self._entries.items() if not one.has_ended}
        self.changed.emit()

    def on_submitted(self, job: Job) -> None:
        """Put a job that says where it belongs into the list."""
        if job.about is None:
            return
        title = job.about.title or job_text.sentence(job.request, self._model.attack_label)
        self._entries[job.id] = JobEntry(job, title, text=tr("Waiting for its turn"))
        ended = [number for number, one in self._entries.items() if one.has_ended]
        for number in ended[: max(0, len(ended) - _MOST)]:
            del self._entries[number]
        self.changed.emit()

    def on_heard(self, job: Job, event: JobEvent) -> None:
        """Take what the engine tells of a job that is in the list."""
        one = self._entries.get(job.id)
        if one is None:
            return
        if isinstance(event, JobProgress):
            one.share = min(1.0, event.done / event.total) if event.total > 0 else None
            one.latest = event
            self._say(one)
            self.progressed.emit(one.number)
            return
        if isinstance(event, JobStarted):
            one.state, one.text = RUNNING, one.text if one.is_stopping else tr("Starting…")
            self._clock.start()
        elif isinstance(event, JobPaused):
            one.state, one.text = PAUSED, tr("Paused")
        elif isinstance(event, JobContinued):
            one.state, one.text = RUNNING, ""
            self._clock.start()
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._end(one, event)
        else:
            return
        self.changed.emit()

    def on_second(self) -> None:
        """Say of jobs that have gone on for some seconds that nobody can tell how long they take, where nobody can."""
        running = [one for one in self._entries.values() if one.state == RUNNING]
        if not running:
            self._clock.stop()
        for one in running:
            before = one.text
            self._say(one)
            if one.text != before:
                self.progressed.emit(one.number)

    def _say(self, one: JobEntry) -> None:
        """Say how far a job is, unless it is paused or about to end."""
        if one.latest is not None and not one.is_stopping and one.state != PAUSED:
            one.text = formatting.job_progress(one.latest, lasts=one.job.elapsed_s >= _LASTS_S)

    def _end(self, one: JobEntry, event: JobFinished | JobFailed | JobCancelled) -> None:
        about = one.job.about
        if about is not None and about.is_fleeting and not isinstance(event, JobFailed):
            del self._entries[one.number]
            return
        one.is_stopping, one.share = False, None
        one.is_seen = one.page == self._front
        if isinstance(event, JobFinished):
            one.state, one.text = FINISHED, tr("Done in {}").format(formatting.time_taken(one.job.worked_s))
        elif isinstance(event, JobFailed):
            one.state, one.failure = FAILED, event.failure
            one.text = f"{event.failure.message} {event.failure.hint}".strip()
        else:
            one.state = CANCELLED
            one.text = tr("Cancelled. {}").format(event.reason) if event.reason else tr("Cancelled")
