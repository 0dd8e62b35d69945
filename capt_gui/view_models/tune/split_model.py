"""Step 2: which picture is used for what, drawn anew a moment after each change."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import Assigned, ClassSplit, Failure, SplitRequest, SplitResult
from capt_gui.bridge import Bridge
from capt_gui.view_models.one_job import OneJob
from capt_gui.view_models.tune.project import TuneProject
from capt_gui.view_models.tune.scan_model import ScanModel
from capt_gui.view_models.tune.state import DONE, IDLE, STOPPED

DELAY_MS = 150
SHOTS: tuple[int | None, ...] = (1, 2, 4, 8, 16, None)


class SplitModel(OneJob):
    """`changed`: the result, or that it is out of date. `written`: the split of this moment is on disk; `refused`: it is not.

    `failed(Failure)`: there is no split.
    """

    changed = Signal()
    written = Signal()
    refused = Signal()
    failed = Signal(object)

    def __init__(self, bridge: Bridge, project: TuneProject, scan: ScanModel, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self._project = project
        self._scan = scan
        self._writing = False
        # the request that the result answers, without its file
        self._answered: SplitRequest | None = None
        self._requested: SplitRequest | None = None
        self._sha256 = ""
        self.result: SplitResult | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self.refresh)
        project.changed.connect(self.on_project_changed)
        project.opened.connect(self.on_opened)
        scan.changed.connect(self.on_project_changed)

    @property
    def is_current(self) -> bool:
        """True if the split in `result` was made with the settings of this moment."""
        return self.result is not None and self._answered == self._request()

    @property
    def has_parts(self) -> bool:
        """True if the data brings a division of its own: pictures in two or more of train, validation and test."""
        found = self._scan.result
        return found is not None and sum(count > 0 for _, count in found.splits) > 1

    def problem(self) -> str:
        """Return a sentence that says why step 3 cannot follow yet; empty if it can."""
        if self._scan.result is None:
            return self._scan.problem()
        # while the next answer is a blink away the last one counts: writing asks again anyway
        if self.result is not None:
            return next(iter(self.result.blocks), "")
        # a project that was opened again has its split on disk already
        return "" if self._project.split_file.is_file() else self.tr("The pictures are being divided.")

    def totals(self) -> ClassSplit | None:
        """Return the numbers of pictures by use, over all classes together; None without a split."""
        if self.result is None:
            return None
        rows = self.result.classes
        return ClassSplit(
            "", sum(own.pool for own in rows), sum(own.train for own in rows), sum(own.val for own in rows),
            sum(own.test for own in rows), sum(own.unused for own in rows),
        )  # fmt: skip

    def pictures(self, name: str) -> tuple[Assigned, ...]:
        """Return the pictures of the class called `name`, each with its use; empty without a split."""
        return tuple(own for own in self.result.pictures if own.class_name == name) if self.result is not None else ()

    def refresh(self) -> None:
        """Ask the engine to divide the pictures by the present settings, as a preview; `changed` follows.

        Nothing is asked if the answer is known or on its way, without a scan, or while a split is being written.
        """
        self._timer.stop()
        request = self._request()
        if request is None or self._writing or request in (self._answered, self._requested):
            return
        self._submit(request)

    def write(self) -> None:
        """Write the split of this moment as a CSV into the project; `written` follows, or `refused`.

        Nothing happens without a scan, or while it is being written.
        """
        request = self._request()
        if request is not None and not self._writing:
            self._timer.stop()
            self._writing = True
            self._submit(replace(request, out=str(self._project.split_file)))
            self.changed.emit()

    def on_opened(self) -> None:
        """Drop the split of the project before, and cancel the one that is being made."""
        self._timer.stop()
        self._abandon()
        self._answered = self._requested = self.result = None
        self._writing, self._sha256 = False, ""

    def on_project_changed(self) -> None:
        """Ask for a new split a moment later if a setting or what is left out changed.

        Drop the split if there is no scan to divide.
        """
        request = self._request()
        if request is None:
            if self.result is not None:
                self.result = self._answered = None
                self.changed.emit()
        elif request not in (self._answered, self._requested):
            self._timer.start()
            self.changed.emit()

    def on_finished(self, result: SplitResult) -> None:
        """Keep the split; if it was to be written, emit `written`, or `refused` if a problem in it forbids going on.

        If it differs from the one written before, prompts tuned on that no longer count as the project's result.
        """
        was_writing, self._writing = self._writing, False
        self.result, self._answered, self._requested = result, self._requested, None
        self.changed.emit()
        if was_writing and not result.blocks:
            self._on_written(result)
        elif was_writing:
            self.refused.emit()

    def on_failed(self, failure: Failure) -> None:
        """Announce by `failed` why there is no split, and by `refused` if it was to be written."""
        self.failed.emit(failure)
        self.on_given_up()

    def on_given_up(self) -> None:
        """Note that the split failed or was cancelled, and emit `refused` if it was to be written."""
        was_writing, self._writing = self._writing, False
        self._requested = None
        self.changed.emit()
        if was_writing:
            self.refused.emit()

    def _on_written(self, result: SplitResult) -> None:
        state = self._project.state
        if self._sha256 and result.sha256 != self._sha256 and state.run in (DONE, STOPPED):
            # what was tuned on other pictures is not the result of these
            self._project.change(run=IDLE, epoch=0, epochs=0, test_run="", saved="")
        self._sha256 = result.sha256
        self.written.emit()

    def _submit(self, request: SplitRequest) -> None:
        self._requested = replace(request, out="")
        self._run(request, finished=self.on_finished, failed=self.on_failed, cancelled=self.on_given_up)

    def _request(self) -> SplitRequest | None:
        found, state = self._scan.result, self._project.state
        if found is None or not found.inventory:
            return None
        return SplitRequest(
            found.inventory, tuple(sorted(state.excluded)), tuple(sorted(state.excluded_classes)),
            state.own_parts and self.has_parts, state.shots, state.val_share, state.test_share, state.seed,
        )  # fmt: skip
