"""One report under way: written to a file, or drawn as pages for the screen or for paper."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import Failure, JobProgress, ReportRequest, ReportResult
from capt_gui.bridge import Bridge, Job
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
        self._job: Job | None = None
        self.request: ReportRequest | None = None
        self.is_waiting = False
        self.progress_text = ""

    @property
    def is_running(self) -> bool:
        """True if there is something that `cancel` would stop."""
        return self._job is not None and self._job.is_running

    def start(self, request: ReportRequest) -> None:
        """Ask for a report; what was asked before is no longer wanted."""
        self._drop()
        self.request, self.is_waiting, self.progress_text = request, True, ""
        self._job = self._bridge.run(request)
        self._job.started.connect(self.on_started)
        self._job.progressed.connect(self.on_progressed)
        self._job.news.connect(self.pages_arrived)
        self._job.finished.connect(self.on_finished)
        self._job.failed.connect(self.on_failed)
        self._job.cancelled.connect(self.on_cancelled)
        self._job.ended.connect(self.changed)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; nothing more is heard of the job."""
        if self.is_running:
            self._drop()
            self.changed.emit()

    def on_started(self) -> None:
        """The report no longer waits for other work."""
        self.is_waiting = False
        self.changed.emit()

    def on_progressed(self, event: JobProgress) -> None:
        """Say how far it is."""
        self.progress_text = formatting.job_progress(event)
        self.changed.emit()

    def on_finished(self, result: ReportResult) -> None:
        """The report is written, or its last page is drawn."""
        self._rest()
        self.done.emit(result)

    def on_failed(self, failure: Failure) -> None:
        """End the job and emit `failed`: no report was made."""
        self._rest()
        self.failed.emit(failure)

    def on_cancelled(self) -> None:
        """Somebody else stopped it, such as the engine when it closes."""
        self._rest()

    def _drop(self) -> None:
        if self._job is not None:
            self._job.abandon()
        self._rest()

    def _rest(self) -> None:
        self.is_waiting, self.progress_text = False, ""
