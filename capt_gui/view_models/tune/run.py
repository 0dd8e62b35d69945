"""Step 4 of the wizard: the run itself, whichever page is in front."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.reading import json_if_sound
from capt_engine.records import (
    Failure,
    JobContinued,
    JobEvent,
    JobPaused,
    TuneEpoch,
    TuneForecast,
    TuneNewsReady,
    TuneRequest,
    TuneResult,
    TuneStep,
    TuneStrip,
)
from capt_gui.bridge import About, Bridge
from capt_gui.view_models.navigation import TUNE as TUNE_PAGE
from capt_gui.view_models.one_job import JobState, OneJob
from capt_gui.view_models.tune.project import KEEP, RESUME, START_OVER, TuneProject
from capt_gui.view_models.tune.state import DONE, IDLE, PAUSED, RUNNING, STOPPED

# charts are drawn at most so often, however quickly steps arrive
_REDRAW_MS = 200
# the engine keeps the state of a stopped run beside the prompts that it will write
_STATE_SUFFIX = ".state"
_MADE_BY = "made-by.json"
_STEPS_KEPT = 2000


@dataclass(frozen=True)
class _MadeBy:
    """The origin of the prompts of a project: the request, its command, and the curves of the charts."""

    request: TuneRequest | None = None
    command: str = ""
    epochs: tuple[TuneEpoch, ...] = ()
    steps: tuple[TuneStep, ...] = ()


class TuneRun(OneJob):
    """The tuning run of a project; there is at most one.

    Signals: `changed`: what can be done now, or what was noticed; `progressed`: the bar; `drawn`: steps or epochs arrived;
    `strip_changed`: new pictures; `finished(TuneResult)`.
    """

    changed = Signal()
    progressed = Signal()
    drawn = Signal()
    strip_changed = Signal()
    finished = Signal(object)

    def __init__(
        self,
        bridge: Bridge,
        project: TuneProject,
        make_request: Callable[[bool], TuneRequest],
        parent: QObject | None = None,
    ) -> None:
        """make_request: the run that the project describes; True to go on with one that was stopped."""
        super().__init__(bridge, parent)
        self._project = project
        self._make_request = make_request
        self._forget()
        self._redraw = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._redraw.timeout.connect(self.drawn)
        project.answered.connect(self.on_answered)
        project.opened.connect(self.on_opened)

    def _forget(self) -> None:
        self.steps: list[TuneStep] = []
        self._epochs: dict[int, TuneEpoch] = {}
        self.strip: TuneStrip | None = None
        self.forecast: TuneForecast | None = None
        self.notices: list[str] = []
        self.failure: Failure | None = None
        # why a stop found nothing to keep
        self.reason = ""
        self.result: TuneResult | None = None
        self._requested: TuneRequest | None = None
        self._made_by: _MadeBy | None = None
        self._is_ending = False

    # how it stands

    @property
    def is_paused(self) -> bool:
        """True if the tuning job is under way and waits because the user paused it."""
        return self.is_running and self._project.state.run == PAUSED

    @property
    def is_ending(self) -> bool:
        """True if the tuning job was asked to stop and is still under way."""
        return self.is_running and self._is_ending

    @property
    def can_resume(self) -> bool:
        """True if no job is under way and a stopped run of this project left a file from which it can go on."""
        return not self.is_running and self._state_file.exists()

    @property
    def is_done(self) -> bool:
        """True if this project has finished tuned prompts on disk and no job is under way."""
        return not self.is_running and self._project.state.run == DONE and self._out.exists()

    @property
    def epochs(self) -> tuple[TuneEpoch, ...]:
        """The results of the epochs so far, in order; without epoch 0, the template alone before any tuning."""
        return tuple(self._epochs[number] for number in sorted(self._epochs) if number > 0)

    @property
    def plain(self) -> TuneEpoch | None:
        """The result of the template alone, before tuning, on the validation pictures; None while it is not known."""
        return self._epochs.get(0)

    # what the user may want

    def start(self) -> None:
        """Begin tuning, or go on with a run that was stopped; do nothing while a job is under way.

        A new run deletes the prompts that an earlier one left in the project; installed ones stay.
        """
        if self.is_running:
            return
        resume = self._state_file.exists()
        if not resume:
            self._clear_outcome()
        self._submit(self._make_request(resume))

    def keep_what_there_is(self) -> None:
        """Finish a stopped run with the best of its whole epochs, without another; do nothing if there is none."""
        if self.can_resume:
            request = self._make_request(True)
            self._submit(replace(request, stop_after=max(self._project.state.epoch, 1)))

    def clear(self) -> None:
        """Delete the prompts and the stopped state that an earlier run left in the project, and forget its curves.

        No run is begun; nothing happens while a job is under way.
        """
        if not self.is_running:
            self._state_file.unlink(missing_ok=True)
            self._clear_outcome()
            self._project.change(run=IDLE, epoch=0, epochs=0)
            self._forget()
            self._tell_all()

    def pause(self) -> None:
        """Ask the tuning job to wait at its next step, so that other jobs can run meanwhile."""
        if self._job is not None and not self.is_ending:
            self._job.pause()

    def resume(self) -> None:
        """Let a paused tuning job go on where it waits."""
        if self._job is not None:
            self._job.resume()

    def stop_and_keep(self) -> None:
        """Ask the tuning job to end now and to write the prompts of its best epoch so far.

        Before the first epoch has ended, it is cancelled without prompts.
        """
        if self._job is not None:
            self._end(self._job.stop)

    def cancel(self) -> None:
        """Ask the tuning job to end now without prompts; `start` can go on from its last whole epoch, kept on disk."""
        if self._job is not None:
            self._end(self._job.cancel)

    def _end(self, ask: Callable[[], None]) -> None:
        if self.is_running:
            self._is_ending = True
            ask()
            self.changed.emit()

    # what is heard

    def on_opened(self) -> None:
        """Forget the run of the project before, and load the curves of the one that was opened, if it is tuned.

        Nothing happens while a job is under way.
        """
        if not self.is_running:
            self._forget()
            if self.is_done:
                self.steps = list(self._kept().steps)
                self._epochs = {one.epoch: one for one in self._kept().epochs}
            self._tell_all()

    def on_answered(self, answer: str) -> None:
        """Do what the user decided about the interrupted run.

        answer: RESUME goes on, KEEP finishes with the best epoch so far, START_OVER deletes what the run left.
        """
        if answer == RESUME:
            self.start()
        elif answer == KEEP:
            self.keep_what_there_is()
        elif answer == START_OVER:
            self.clear()

    def on_started(self) -> None:
        """Show as progress that the pictures are being read, because the job has left the queue."""
        self.progress = JobState(text=self.tr("Reading the pictures"))
        self._tell()

    def on_news(self, event: JobEvent) -> None:
        """Keep the steps, epochs, sample pictures, forecast and notices that the tuning job sends; the charts follow.

        JobPaused and JobContinued mark the project as paused or running.
        """
        if isinstance(event, TuneNewsReady):
            self._on_tuned(event)
        elif isinstance(event, JobPaused | JobContinued):
            self._project.change(run=PAUSED if isinstance(event, JobPaused) else RUNNING)
            self._tell()

    def _on_tuned(self, event: TuneNewsReady) -> None:
        for news in event.news:
            if isinstance(news, TuneStep):
                self.steps.append(news)
            elif isinstance(news, TuneEpoch):
                self._epochs[news.epoch] = news
                self._project.change(epoch=max(self._epochs), epochs=news.epochs)
            elif isinstance(news, TuneStrip):
                self.strip = news
                self.strip_changed.emit()
            elif isinstance(news, TuneForecast):
                self.forecast = news
            elif news not in self.notices:
                self.notices.append(news)
                self.changed.emit()
        if not self._redraw.isActive():
            self._redraw.start()

    def on_finished(self, result: TuneResult) -> None:
        """Keep the result and what made it beside the prompts, mark the project as done, and emit `finished`."""
        self.result = result
        self._remember(result)
        self._project.change(run=DONE, test_run="", saved="")
        self.finished.emit(result)
        self._save()

    def on_failed(self, failure: Failure) -> None:
        """Keep in `failure` why the run failed.

        The project is marked as stopped if the last whole epoch is on disk, else as not begun.
        """
        self.failure = failure
        self._stopped()

    def on_cancelled(self, reason: str) -> None:
        """Mark the project as stopped if the last whole epoch of the cancelled run is on disk, else as not begun.

        reason: a sentence if the run was to keep its best epoch and had none, else empty; it is kept in `reason`.
        """
        self.reason = reason
        self._stopped()

    def _stopped(self) -> None:
        self._project.change(run=STOPPED if self._state_file.exists() else IDLE)
        self._save()

    def _save(self) -> None:
        self._project.save_now()
        self._redraw.stop()
        self.drawn.emit()
        self._tell()

    def _remember(self, result: TuneResult) -> None:
        """Keep beside the prompts what made them, for the days after."""
        if self._requested is None:
            return
        self._made_by = _MadeBy(
            replace(self._requested, resume=False, stop_after=result.stopped_after),
            result.command,
            # what the charts show, for whoever comes back; of very many steps some are enough
            tuple(self._epochs.values()),
            tuple(self.steps[:: len(self.steps) // _STEPS_KEPT + 1]),
        )
        with contextlib.suppress(CaptError):
            write_atomic(self._project.folder / _MADE_BY, json.dumps(asdict(self._made_by), ensure_ascii=False))

    def _submit(self, request: TuneRequest) -> None:
        kept = dict(self._epochs) if request.resume else {}
        self._forget()
        self._requested = request
        self._epochs = kept
        with contextlib.suppress(OSError):  # the engine says that it is not there
            self._project.folder.mkdir(parents=True, exist_ok=True)
        self._run(
            request,
            About(TUNE_PAGE, again=self.start),
            started=self.on_started,
            progressed=self.progressed,
            news=self.on_news,
            finished=self.on_finished,
            failed=self.on_failed,
            cancelled=self.on_cancelled,
        )
        self.progress = JobState(text=self.tr("Waiting for its turn"))
        self._project.change(run=RUNNING, epoch=self._project.state.epoch if request.resume else 0)
        # a crash from here on must find that it ran
        self._project.save_now()
        self._tell_all()

    @property
    def made_by(self) -> TuneRequest | None:
        """The request of the run that made this project's prompts; None while there are none, or where it is not known.

        The choices of step 3 may have been changed since.
        """
        return self._kept().request

    @property
    def command(self) -> str:
        """The command line that makes the same prompts again; empty where it is not known."""
        return self._kept().command

    def _kept(self) -> _MadeBy:
        if self._made_by is None and self.is_done:
            self._made_by = json_if_sound(self._project.folder / _MADE_BY, _MadeBy) or _MadeBy()
        return self._made_by or _MadeBy()

    def _clear_outcome(self) -> None:
        """The engine never writes over prompts; those of an earlier run lie in our own folder, or are installed already."""
        self._out.unlink(missing_ok=True)
        self._project.change(test_run="", saved="")

    def _tell(self) -> None:
        self.changed.emit()
        self.progressed.emit()

    def _tell_all(self) -> None:
        self._tell()
        self.drawn.emit()
        self.strip_changed.emit()

    @property
    def _out(self) -> Path:
        return self._project.folder / "prompts.safetensors"

    @property
    def _state_file(self) -> Path:
        return self._out.with_name(self._out.name + _STATE_SUFFIX)
