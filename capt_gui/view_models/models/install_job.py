"""One thing done with models or prompts on the shelf: importing, verifying, removing. At most one at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    Event,
    ImportModelRequest,
    ImportPromptsRequest,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobId,
    JobProgress,
    RemoveRequest,
    VerifyRequest,
)
from capt_gui.bridge import Bridge

ShelfRequest = ImportModelRequest | ImportPromptsRequest | VerifyRequest | RemoveRequest


class ShelfJob(QObject):
    """done(ModelImported, PromptsImported, Verified or Removed), failed(Failure), cancelled(); `changed`: whether it runs, or its words."""

    changed = Signal()
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._job: JobId | None = None
        self.words = ""
        bridge.event_arrived.connect(self.on_event)

    @property
    def is_running(self) -> bool:
        """Whether an answer is awaited."""
        return self._job is not None

    def start(self, request: ShelfRequest) -> None:
        """Ask for it, unless something is under way."""
        if self._job is None:
            self._job = self._bridge.submit(request)
            self.words = ""
            self.changed.emit()

    def cancel(self) -> None:
        """Stop at the next safe place."""
        if self._job is not None:
            self._bridge.cancel(self._job)

    def on_event(self, event: Event) -> None:
        """Take the events of the job."""
        if self._job is None or getattr(event, "job", None) != self._job:
            return
        if isinstance(event, JobProgress):
            self.words = event.note
        elif isinstance(event, JobFinished | JobFailed | JobCancelled):
            self._job, self.words = None, ""
            if isinstance(event, JobFinished):
                self.done.emit(event.result)
            elif isinstance(event, JobFailed):
                self.failed.emit(event.failure)
            else:
                self.cancelled.emit()
        self.changed.emit()
