"""One job about installed models or prompts: importing, verifying or removing; at most one at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from capt_engine.records import (
    ImportModelRequest,
    ImportPromptsRequest,
    JobProgress,
    RemoveRequest,
    VerifyRequest,
)
from capt_gui.bridge import Bridge, Job

InstallRequest = ImportModelRequest | ImportPromptsRequest | VerifyRequest | RemoveRequest


class InstallJob(QObject):
    """done(ModelImported, PromptsImported, Verified or Removed), failed(Failure), cancelled(); `changed`: whether it runs, or its words."""

    changed = Signal()
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._job: Job | None = None
        self.progress_text = ""

    @property
    def is_running(self) -> bool:
        """True if an answer is awaited."""
        return self._job is not None and self._job.is_running

    def start(self, request: InstallRequest) -> None:
        """Ask for it, unless something is under way."""
        if not self.is_running:
            self._job = self._bridge.run(request)
            self._job.progressed.connect(self.on_progressed)
            self._job.finished.connect(self.done)
            self._job.failed.connect(self.failed)
            self._job.cancelled.connect(self.cancelled)
            self._job.ended.connect(self.changed)
            self.progress_text = ""
            self.changed.emit()

    def cancel(self) -> None:
        """Stop at the next safe place."""
        if self._job is not None:
            self._job.cancel()

    def on_progressed(self, event: JobProgress) -> None:
        """Say what is being done."""
        self.progress_text = event.note
        self.changed.emit()
