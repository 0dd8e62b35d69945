"""One report under way: written to a file, or drawn as pages for the screen or for paper."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Event,
    Failure,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    JobStarted,
    PagesReady,
    ReportRequest,
    ReportResult,
)
from capt_gui.bridge import Bridge
from capt_gui.view_models import formatting


class ReportJob(QObject):
    """At most one at a time: a new one takes the place of the one before.

    pages_arrived(PagesReady), done(ReportResult), failed(Failure); `changed`: whether it runs, or how far it is.
    """

    changed = Signal()
    pages_arrived = Signal(object)
    done = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._job: JobId | None = None
        self.request: ReportRequest | None = None
        self.is_waiting = False
        self.words = ""
        bridge.event_arrived.connect(self.on_event)

    @property
    def is_running(self) -> bool:
        """Whether there is something that `cancel` would stop."""
        return self._job is not None

    def start(self, request: ReportRequest) -> None:
        """Ask for a report; what was asked before is no longer wanted."""
        self._drop()
        self.request, self.is_waiting, self.words = request, True, ""
        self._job = self._bridge.submit(request)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; nothing more is heard of the job."""
        if self.is_running:
            self._drop()
            self.changed.emit()

    def on_event(self, event: Event) -> None:
        """Take the events of the latest job."""
        if self._job is None or getattr(event, "job", None) != self._job:
            return
        if isinstance(event, JobStarted):
            self.is_waiting = False
        elif isinstance(event, JobProgress):
            self.words = formatting.progress(event.note, event.remaining_s, 0)
        elif isinstance(event, PagesReady):
            self.pages_arrived.emit(event)
            return
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._on_end(event)
        self.changed.emit()

    def _on_end(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self._job, self.is_waiting, self.words = None, False, ""
        if isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        elif isinstance(event, JobFinished):
            if isinstance(event.result, ReportResult):
                self.done.emit(event.result)
            else:
                self.failed.emit(Failure("BadAnswer", "The engine answered something else than a report."))

    def _drop(self) -> None:
        if self._job is not None:
            self._bridge.cancel(self._job)
        self._job, self.is_waiting, self.words = None, False, ""
