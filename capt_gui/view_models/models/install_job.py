"""One job about installed models or prompts: importing, verifying, removing or bringing back; at most one at a time."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal

from capt_engine.records import ImportModelRequest, ImportPromptsRequest, PutBackRequest, RemoveRequest, VerifyRequest
from capt_gui.bridge import About
from capt_gui.view_models.navigation import MODELS
from capt_gui.view_models.one_job import OneJob

InstallRequest = ImportModelRequest | ImportPromptsRequest | VerifyRequest | RemoveRequest | PutBackRequest


class InstallJob(OneJob):
    """done(ModelImported, PromptsImported, Verified, Removed or PutBack), failed(Failure), cancelled().

    `changed`: whether it runs, or its text.
    """

    changed = Signal()
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def start(self, request: InstallRequest) -> None:
        """Run a request to import, verify, remove or bring back a model or prompts; do nothing while another one is under way.

        `done`, `failed` or `cancelled` follows.
        """
        if not self.is_running:
            self._run(
                request,
                About(MODELS, again=partial(self.start, request)),
                progressed=self.changed,
                finished=self.done,
                failed=self.failed,
                cancelled=self.cancelled,
                ended=self.changed,
            )
            self.changed.emit()
