"""One look through labelled pictures: the scan, the small views that it sends, and then which pictures each class has."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    JobProgress,
    PreviewsReady,
    ScanRequest,
    ScanResult,
    SplitRequest,
)
from capt_gui.bridge import Bridge, Job
from capt_gui.view_models import formatting
from capt_gui.view_models.thumbnail_loader import SIZE, ThumbnailLoader

# so many small views of each class come with the scan
STRIP = 4


class ScanJob(QObject):
    """At most one scan at a time. `running_changed`; `progress_changed(done, total, text)`; listed(SplitResult).

    done(ScanResult), failed(Failure), or neither when it was cancelled; then, once it no longer runs, `ended`.
    """

    running_changed = Signal(bool)
    progress_changed = Signal(int, int, str)
    done = Signal(object)
    failed = Signal(object)
    ended = Signal()
    listed = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._scan: Job | None = None
        self._listing: Job | None = None
        self.thumbnails = ThumbnailLoader(bridge, self)

    @property
    def is_running(self) -> bool:
        """True if a scan is under way."""
        return self._scan is not None and self._scan.is_running

    def start(self, data: tuple[str, ...], keep: str, model: str = "", template: str = "") -> None:
        """Look through these, and keep the inventory in a folder, unless a scan is under way."""
        if self.is_running:
            return
        request = ScanRequest(data, model=model, template=template, keep=keep, thumbnails=STRIP, size=SIZE)
        self._scan = self._bridge.run(request)
        self._scan.news.connect(self.on_news)
        self._scan.progressed.connect(self.on_progressed)
        self._scan.finished.connect(self.done)
        self._scan.failed.connect(self.failed)
        self._scan.ended.connect(self.on_ended)
        self.progress_changed.emit(0, 0, self.tr("Waiting for the engine…"))
        self.running_changed.emit(True)

    def list_pictures(self, found: ScanResult, *, own_parts: bool = False) -> None:
        """Ask which pictures each class has: the inventory read as a split that uses all of them."""
        if found.inventory:
            if self._listing is not None:
                self._listing.abandon()
            self._listing = self._bridge.run(
                SplitRequest(found.inventory, shots=None, val_share=0.0, test_share=0.0, own_parts=own_parts)
            )
            self._listing.finished.connect(self.listed)

    def cancel(self) -> None:
        """Stop looking; the engine says when it has."""
        if self._scan is not None:
            self._scan.cancel()

    def forget(self) -> None:
        """Other pictures are coming: nothing more is heard of what was asked, and the small views are gone."""
        was_running = self.is_running
        for job in (self._scan, self._listing):
            if job is not None:
                job.abandon()
        self.thumbnails.forget()
        if was_running:
            self.running_changed.emit(False)

    def on_news(self, event: PreviewsReady) -> None:
        """Take the small views that come with the scan."""
        self.thumbnails.put(event.previews)

    def on_progressed(self, event: JobProgress) -> None:
        """Say how far the scan is."""
        self.progress_changed.emit(event.done, event.total, formatting.job_progress(event))

    def on_ended(self) -> None:
        """The scan is over, however it ended."""
        self.running_changed.emit(False)
        self.ended.emit()
