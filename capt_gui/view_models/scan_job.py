"""One look through labelled pictures: the scan, the small views that it sends, and then which pictures each class has."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    PreviewsReady,
    ScanRequest,
    ScanResult,
    SplitRequest,
    SplitResult,
)
from capt_gui.bridge import Bridge
from capt_gui.view_models import formatting
from capt_gui.view_models.thumbnail_loader import SIZE, ThumbnailLoader

# so many small views of each class come with the scan
STRIP = 4


class ScanJob(QObject):
    """At most one scan at a time. `running_changed`; `progress_changed(done, total, words)`; listed(SplitResult).

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
        self._scan: JobId | None = None
        self._listing: JobId | None = None
        self.thumbnails = ThumbnailLoader(bridge, self)
        bridge.event_arrived.connect(self.on_event)

    @property
    def is_running(self) -> bool:
        """Whether a scan is under way."""
        return self._scan is not None

    def start(self, data: tuple[str, ...], keep: str, model: str = "", template: str = "") -> None:
        """Look through these, and keep the inventory in a folder, unless a scan is under way."""
        if self._scan is not None:
            return
        request = ScanRequest(data, model=model, template=template, keep=keep, thumbnails=STRIP, size=SIZE)
        self._scan = self._bridge.submit(request)
        self.progress_changed.emit(0, 0, self.tr("Waiting for the engine…"))
        self.running_changed.emit(True)

    def list_pictures(self, found: ScanResult, *, own_parts: bool = False) -> None:
        """Ask which pictures each class has: the inventory read as a split that uses all of them."""
        if found.inventory:
            self._listing = self._bridge.submit(
                SplitRequest(found.inventory, shots=None, val_share=0.0, test_share=0.0, own_parts=own_parts)
            )

    def cancel(self) -> None:
        """Stop looking; the engine says when it has."""
        if self._scan is not None:
            self._bridge.cancel(self._scan)

    def forget(self) -> None:
        """Other pictures are coming: nothing more is heard of what was asked, and the small views are gone."""
        self.cancel()
        if self._listing is not None:
            self._bridge.cancel(self._listing)
        was_running = self.is_running
        self._scan = self._listing = None
        self.thumbnails.forget()
        if was_running:
            self.running_changed.emit(False)

    def on_event(self, event: Event) -> None:
        """Take the events of the scan and of the listing."""
        job = getattr(event, "job", None)
        if job is None or job not in (self._scan, self._listing):
            return
        if isinstance(event, PreviewsReady):
            self.thumbnails.put(event.previews)
        elif isinstance(event, JobProgress) and job == self._scan:
            note = event.note[:1].upper() + event.note[1:]
            self.progress_changed.emit(event.done, event.total, formatting.progress(note, event.remaining_s, 0))
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            if job == self._scan:
                self._on_scanned(event)
            else:
                self._on_listed(event)

    def _on_scanned(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self._scan = None
        if isinstance(event, JobFinished) and isinstance(event.result, ScanResult):
            self.done.emit(event.result)
        elif isinstance(event, JobFailed):
            self.failed.emit(event.failure)
        self.running_changed.emit(False)
        self.ended.emit()

    def _on_listed(self, event: JobFinished | JobFailed | JobCancelled) -> None:
        self._listing = None
        if isinstance(event, JobFinished) and isinstance(event.result, SplitResult):
            self.listed.emit(event.result)
