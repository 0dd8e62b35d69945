"""One report under way: written to a file, or drawn as pages for the screen or for paper."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from capt_engine.records import ReportRequest
from capt_gui.bridge import About, Bridge
from capt_gui.view_models.navigation import REPORT
from capt_gui.view_models.one_job import OneJob


class ReportJob(OneJob):
    """At most one at a time: a new one takes the place of the one before.

    pages_arrived(PagesReady), done(ReportResult), failed(Failure); `changed`: whether it runs, or how far it is.
    """

    changed = Signal()
    pages_arrived = Signal(object)
    done = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self.request: ReportRequest | None = None

    def start(self, request: ReportRequest) -> None:
        """Ask the engine to write or draw the report that `request` describes; one still under way is cancelled.

        `done` or `failed` follows; pages that are drawn come before by `pages_arrived`.
        """
        self.request = request
        self._run(
            request,
            About(REPORT, again=partial(self.start, request), is_fleeting=request.preview),
            started=self.changed,
            progressed=self.changed,
            news=self.pages_arrived,
            finished=self.done,
            failed=self.failed,
            ended=self.changed,
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Cancel the report under way, if there is one; no further signal about it but `changed` comes."""
        if self.is_running:
            self._abandon()
            self.changed.emit()
