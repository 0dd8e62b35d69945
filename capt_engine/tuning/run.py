"""From a request to a checkpoint: read, forecast, tune, validate, save; and resume where an earlier run was stopped."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest, Stopped
from capt_engine.files import require_file_or_nothing
from capt_engine.model.clip import Backbone
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.model.memory import start_counting, with_smaller_batches
from capt_engine.model.prompts import Prompts
from capt_engine.model.store.prompt_store import described
from capt_engine.progress import Progress, WorkClock
from capt_engine.records import TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneStep, TuneStrip
from capt_engine.tuning import outcome, tower_run
from capt_engine.tuning import state as states
from capt_engine.tuning.callbacks import OnNews
from capt_engine.tuning.defaults import chosen
from capt_engine.tuning.forecast import DRY_STEPS, Trial, count_parameters, foreseen, of_prompts
from capt_engine.tuning.loop import State, TuningFailed, has_collapsed
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.pictures import draw
from capt_engine.tuning.run_inputs import RunInputs, read_all, reference_of, unknown_in
from capt_engine.tuning.validation import Measured

# The name of SGD's momentum in torch.
_MOMENTUM = "momentum_buffer"
# These have no consistency term, so its absence says nothing about them.
_WITHOUT_CONSISTENCY = ("clean", "adversarial")


def tune(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], on_news: OnNews, progress: Progress
) -> TuneResult:
    """Learn prompts for `backbone` and write them to the file `request.out`, or tune its image tower (TeCoA).

    load: loads the reference model by its id. on_news: called with each forecast, step, epoch and remark, in order.
    progress: called at each step; where it raises Stopped after the first epoch, the run ends and keeps the best so
    far.

    After each epoch the run's state is written beside `out`, and removed at the end, so that an interrupted run can be
    resumed. Raises BadRequest where `out` is taken, as nothing is written over, TuningFailed, Cancelled, or another
    CaptError.
    """
    clock = WorkClock(progress)
    started_s = clock.now_s()
    if METHODS[request.method].learns_tower:
        return tower_run.tune(request, backbone, on_news, clock)
    out = _checked_out(request)
    start_counting(backbone.mean.device)
    settings = chosen(request, backbone)
    pictures = read_all(request, draw(request), backbone, clock)
    inputs = RunInputs(request, backbone, reference_of(request, backbone, load), settings, pictures, clock)
    run = Run(inputs, states.state_path(out), on_news, clock)
    if request.resume:
        run.resume()
    # A run that was killed after its last epoch may have left both; its file is written again as it was.
    if not run.is_over():
        _require_absent(out)
    learned = run.tune()
    learned.save(out)
    states.state_path(out).unlink(missing_ok=True)
    prompts = described(request.out, learned.document)
    seconds = clock.now_s() - started_s
    return outcome.result(request, pictures, run.found, run.parameters, seconds, inputs.device, prompts)


def foresee(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], progress: Progress
) -> TuneForecast:
    """Forecast time and memory of the tuning run `request` from a few steps on its pictures; nothing is written.

    backbone: the model to be tuned. load: loads the reference model by its id. progress: called at each step; what it
    raises ends the trial. Raises CaptError where the run would.
    """
    if METHODS[request.method].learns_tower:
        return tower_run.foresee(request, backbone, WorkClock(progress))
    return of_prompts(request, backbone, load, WorkClock(progress))


def _checked_out(request: TuneRequest) -> Path:
    """Return the path for the prompts; raises BadRequest before anything is done that could not be kept."""
    out = Path(request.out)
    if out.suffix != ".safetensors":
        raise BadRequest(f"{request.out!r} is no name for a prompts file.", "It must end in .safetensors.")
    folder = out.absolute().parent
    if not folder.is_dir():
        raise BadRequest(f"There is no folder {str(folder)!r}.", "Make it first, or choose another.")
    state = states.state_path(out)
    for place in (out, state):
        require_file_or_nothing(place)
    if not request.resume and state.exists():
        raise BadRequest(
            f"An earlier run that was to write {request.out!r} was stopped; its state is in {state.name!r}.",
            "Give --resume to go on with it, choose another name, or remove that file.",
        )
    if not state.exists():
        _require_absent(out)
    return out


def _require_absent(out: Path) -> None:
    if out.exists():
        raise BadRequest(
            f"{str(out)!r} is there already, and is not written over.", "Choose another name, or remove it first."
        )


class Run:
    """One run: the prompts as they are, how far they are, and what has been found.

    state_file: None keeps no state on the way. on_news: None where nobody listens: what would only be shown is not computed.
    """

    def __init__(self, inputs: RunInputs, state_file: Path | None, on_news: OnNews | None, clock: WorkClock) -> None:
        self.prompts = inputs.fresh_prompts()
        self._unknown = unknown_in(inputs.backbone, inputs.classes, inputs.template)
        self.found = outcome.Found(notes=[*inputs.pictures.drawn.notes, *self._unknown])
        self.batch_size = inputs.settings.batch_size
        self._at_once: int | None = None
        self._inputs, self._state_file, self._progress = inputs, state_file, clock
        self._on_news, self._is_heard = on_news or (lambda _: None), on_news is not None
        self._epochs, self._patience = inputs.settings.epochs, inputs.request.patience
        self._stop_after = inputs.request.stop_after
        self._state = State()
        self._best: dict[str, Tensor] = {}
        self._validator = inputs.validator()
        self._validation_s = 0.0

    def resume(self) -> None:
        """Load the state that an interrupted run left in its file, to go on after its last whole epoch.

        Where there is no such file, the run says so and starts from the beginning. Raises BadRequest where the file is
        of a run with other settings or data, BadCheckpoint where it is damaged.
        """
        path = self._state_file
        if path is None or not path.exists():
            self._on_news("There is no stopped run to go on with: starting from the beginning.")
            return
        saved = states.read(path)
        difference = states.first_difference(self._inputs.identity(), saved.settings)
        if difference:
            raise BadRequest(
                f"The stopped run was another one: {difference}.",
                f"Give the same settings and data to go on with it, choose another name, or remove {path.name!r}.",
            )
        try:
            self.prompts.load_state_dict(saved.prompts)
        except RuntimeError as error:
            raise BadCheckpoint(f"{str(path)!r} is damaged.", "Remove it and start again.") from error
        self.found.epochs, self.found.best_epoch, self.found.notes = saved.epochs, saved.best_epoch, saved.notes
        self._state = State(saved.epoch, {_MOMENTUM: saved.momentum})
        self._best, self.batch_size = saved.best, saved.batch_size
        if self._stop_after:
            # A run that was killed may have gone further than the request knows.
            self._stop_after = max(self._stop_after, saved.epoch)
        self._on_news(f"Going on after epoch {saved.epoch} of {self._epochs}.")
        for one in self.found.epochs:
            self._on_news(one)

    def tune(self) -> LearnedPrompts:
        """Measure zero-shot, run the epochs that are left, and return the prompts to keep with their description.

        The state file is replaced after each epoch. Asked to stop, it returns the best so far; before a first epoch has
        ended, or a resumed run has gone on, it raises Stopped. Raises TuningFailed where the loss is not a number,
        Cancelled.
        """
        for note in self._unknown:
            self._on_news(note)
        try:
            started_s = self._progress.now_s()
            plain = self._validate(None, 0, 0, "validating plain text")
            self._validation_s = self._progress.now_s() - started_s
            self.found.zero_shot = (plain.clean, plain.robust)
            self._on_news(TuneEpoch(0, self._epochs, 0.0, plain.clean, plain.robust, is_best=False))
            self._on_news(TuneStrip(0, plain.samples))
            if self._is_heard and not self.is_over():
                self._with_less_memory(self._forecast)
        except Stopped:
            raise Stopped(self._nothing_to_keep()) from None
        try:
            while not self.is_over():
                self._with_less_memory(self._epoch)
        except Stopped:
            if not self._state.epoch:
                raise Stopped(self._nothing_to_keep()) from None
            self._stop_after = self._state.epoch
        self.found.end(self._state.epoch, self._epochs, self._stop_after, "the best", self._patience)
        return LearnedPrompts(
            self._kept(), outcome.document(self._inputs, self.found, self.parameters, self.batch_size)
        )

    @property
    def parameters(self) -> int:
        """Return the number of learned values in the prompts."""
        return count_parameters(self.prompts)

    def _nothing_to_keep(self) -> str:
        if self._state.epoch:
            return f"Stopped before it had gone on; the state after epoch {self._state.epoch} is kept, and can be gone on with."
        return "Stopped before the first epoch had ended: there are no prompts to keep yet."

    def _kept(self) -> Prompts:
        """The prompts of the epoch that is kept."""
        kept = copy.deepcopy(self.prompts)
        if self.found.kept(self._patience).epoch != self._state.epoch:
            kept.load_state_dict(self._best)
        return kept

    def is_over(self) -> bool:
        """Return True where all requested epochs are done, or validation has gained nothing for too long."""
        is_stale = 0 < self._patience <= self._state.epoch - self.found.best_epoch
        return self._state.epoch >= min(self._epochs, self._stop_after or self._epochs) or is_stale

    def _smaller(self, at_once: int) -> None:
        """Say once for each size how a step is made with less memory; it stays the step of the whole batch."""
        self._at_once = at_once
        batch = self.batch_size
        note = f"Memory ran out: each batch of {batch} goes through the model in parts of {at_once}, to the same step."
        if note not in self.found.notes:
            self.found.notes.append(note)
            self._on_news(note)

    def _with_less_memory(self, work: Callable[[], None]) -> None:
        """Do `work`; where memory runs out beside the steps, do it again from its start with half as many pictures at once."""

        def tried(at_once: int) -> None:
            if at_once < (self._at_once or self.batch_size):
                self._smaller(at_once)
            work()

        with_smaller_batches(tried, self._at_once or self.batch_size, self._inputs.device)

    def _forecast(self) -> None:
        """Try three steps on copies, which changes nothing: every draw depends on seed, epoch and picture alone."""
        trial = self._inputs.tuning(
            copy.deepcopy(self.prompts), self._state, self.batch_size, self._at_once, self._smaller
        )
        seconds = trial.trial(DRY_STEPS, lambda *_: self._progress(0, 0, "trying three steps"))
        epochs = min(self._epochs, self._stop_after or self._epochs) - self._state.epoch
        pictures = self._inputs.pictures
        sizes = (len(pictures.train), len(pictures.val) if pictures.val is not None else 0)
        measured = Trial(self.batch_size, seconds, trial.steps_per_epoch, self._validation_s)
        self._on_news(foreseen(measured, epochs, self.parameters, sizes, self._inputs.device))

    def _epoch(self) -> None:
        prompts = copy.deepcopy(self.prompts)
        tuning = self._inputs.tuning(prompts, self._state, self.batch_size, self._at_once, self._smaller)
        try:
            logs = next(tuning.epochs(self._progress, self._on_news))
            if not bool(torch.stack([torch.isfinite(p).all() for p in prompts.parameters()]).all()):
                raise TuningFailed(
                    f"The prompts hold values that are no numbers after epoch {tuning.state.epoch}.",
                    "Try a lower learning rate, or a smaller λ.",
                )
        except TuningFailed as failure:
            if self._state.epoch and self._state_file is not None:
                failure.message += f" The state after epoch {self._state.epoch} is kept in {str(self._state_file)!r}."
            raise
        done = tuning.state.epoch * tuning.steps_per_epoch
        after = self._validate(prompts, done, self._epochs * tuning.steps_per_epoch, "validating")
        # Only here is the epoch taken over: whatever stops it earlier leaves the run at its start.
        self.prompts, self._state = prompts, tuning.state
        best = max((outcome.score(one) for one in self.found.epochs), default=-1)
        loss = sum(log.loss for log in logs) / len(logs)
        news = TuneEpoch(self._state.epoch, self._epochs, loss, after.clean, after.robust, is_best=False)
        if after.clean is None or outcome.score(news) > best:
            news = replace(news, is_best=True)
            self.found.best_epoch = self._state.epoch
            self._best = {name: value.detach().clone() for name, value in prompts.state_dict().items()}
        self.found.epochs.append(news)
        noticed = self._noticed(logs)
        self._save_state()
        self._on_news(news)
        self._on_news(TuneStrip(self._state.epoch, after.samples))
        for note in noticed:
            self._on_news(note)

    def _validate(self, prompts: Prompts | None, done: int, total: int, note: str) -> Measured:
        if not (self._is_heard and self._inputs.request.strips) and self._inputs.pictures.val is None:
            return Measured(None, None)
        return self._validator.measure(self._inputs.classifier(prompts), lambda: self._progress(done, total, note))

    def _noticed(self, logs: list[TuneStep]) -> list[str]:
        """Return sentences on what looks wrong and what may help, each said once in a run."""
        found: dict[str, bool] = {
            "The prompts have collapsed: clean and attacked pictures get the same constant answer. A lower learning rate, a larger "
            "weight λ of the consistency terms or the coupling vision_to_text may help.": (
                self._inputs.settings.method.objective not in _WITHOUT_CONSISTENCY
                and has_collapsed(logs, len(self._inputs.classes))
            ),
            f"Robust over-fitting: for {outcome.OVERFITTED_AFTER} epochs validation has risen clean and fallen under attack. Fewer epochs "
            "or stopping early may help.": outcome.overfits(self.found.epochs),
        }
        already = "\n".join(self.found.notes)
        new = [
            f"After epoch {self._state.epoch}: {note}" for note, holds in found.items() if holds and note not in already
        ]
        self.found.notes += new
        return new

    def _save_state(self) -> None:
        if self._state_file is None:
            return
        saved = states.Saved(
            settings=self._inputs.identity(),
            epoch=self._state.epoch,
            batch_size=self.batch_size,
            best_epoch=self.found.best_epoch,
            prompts=self.prompts.state_dict(),
            best=self._best,
            momentum=self._state.optimiser.get(_MOMENTUM, {}),
            epochs=self.found.epochs,
            notes=self.found.notes,
        )
        states.write(self._state_file, saved)
