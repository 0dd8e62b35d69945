"""The attack on the chosen picture, run again and looked at step by step."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.records import Failure, PictureSet, ReplayRequest, ReplayResult, ReplayStep, ReplayStepsReady
from capt_gui.bridge import About, Bridge
from capt_gui.view_models.navigation import EXPLORE
from capt_gui.view_models.one_job import OneJob

_STEP_MS = 350


class ReplayModel(OneJob):
    """The steps of one replay, and the one that is looked at.

    changed: steps came, or the work ended. moved: another step is looked at. While it plays, one step follows the other.
    """

    changed = Signal()
    moved = Signal()

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(bridge, parent)
        self.steps: list[ReplayStep] = []
        self.position = 0
        self.failure: Failure | None = None
        self.kept = -1
        self._request: ReplayRequest | None = None
        self._clock = QTimer(self, interval=_STEP_MS)
        self._clock.timeout.connect(self.on_tick)

    @property
    def is_playing(self) -> bool:
        """True while one step follows the other."""
        return self._clock.isActive()

    @property
    def step(self) -> ReplayStep | None:
        """The step that is looked at; None while there is none."""
        return self.steps[self.position] if self.position < len(self.steps) else None

    @property
    def pictures(self) -> PictureSet | None:
        """The pictures of the step that is looked at, or of the last one before it of which they are kept."""
        there = (one.pictures for one in reversed(self.steps[: self.position + 1]))
        return next((one for one in there if one is not None), None)

    def is_of(self, request: ReplayRequest | None) -> bool:
        """Return True if the steps are those of `request`."""
        return request is not None and request == self._request

    def begin(self, request: ReplayRequest) -> None:
        """Run the attack of `request` again, and play it while its steps come; the replay before is forgotten."""
        self.forget()
        self._request = request
        self._run(
            request,
            About(EXPLORE, is_fleeting=True),
            progressed=self.changed,
            news=self.on_steps,
            finished=self.on_finished,
            failed=self.on_failed,
            cancelled=self.changed,
        )
        self._clock.start()
        self.changed.emit()

    def forget(self) -> None:
        """End the work under way, and forget all steps."""
        self._abandon()
        self._clock.stop()
        self.steps, self.position, self.failure, self.kept, self._request = [], 0, None, -1, None
        self.changed.emit()

    def play(self) -> None:
        """Let one step follow the other, from the beginning where the last one is looked at."""
        if self.position >= len(self.steps) - 1 and not self.is_running:
            self.go_to(0)
        self._clock.start()
        self.changed.emit()

    def pause(self) -> None:
        """Stay at the step that is looked at."""
        self._clock.stop()
        self.changed.emit()

    def go_to(self, position: int) -> None:
        """Look at the step with this index, within those that there are."""
        position = min(max(position, 0), max(len(self.steps) - 1, 0))
        if position != self.position:
            self.position = position
            self.moved.emit()

    def on_tick(self) -> None:
        """Go one step on, or stop at the end."""
        if self.position < len(self.steps) - 1:
            self.go_to(self.position + 1)
        elif not self.is_running:
            self.pause()

    def on_steps(self, event: ReplayStepsReady) -> None:
        """Take steps that were made."""
        is_first = not self.steps
        self.steps += event.steps
        if is_first:
            self.moved.emit()
        self.changed.emit()

    def on_finished(self, result: ReplayResult) -> None:
        """Note which step the attack kept."""
        self.kept = result.kept
        self.changed.emit()

    def on_failed(self, failure: Failure) -> None:
        """Note why the attack could not be shown again."""
        self.failure = failure
        self._clock.stop()
        self.changed.emit()
