"""From a request to a checkpoint: read, forecast, tune, watch, save; and go on where an earlier run was stopped."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from capt_engine.errors import BadCheckpoint, BadRequest, DeviceProblem, Stopped
from capt_engine.model import checkpoints
from capt_engine.model.clip import Backbone
from capt_engine.model.memory import start_counting
from capt_engine.model.prompts import Prompts
from capt_engine.progress import Progress
from capt_engine.records import TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneStep, TuneStrip
from capt_engine.tuning import outcome, tecoa
from capt_engine.tuning import state as states
from capt_engine.tuning.callbacks import Tell, WorkClock
from capt_engine.tuning.defaults import chosen
from capt_engine.tuning.forecast import DRY_STEPS, foreseen, of_prompts
from capt_engine.tuning.loop import State, TuningFailed, has_collapsed
from capt_engine.tuning.pictures import draw
from capt_engine.tuning.run_inputs import Material, guide_of, read_all
from capt_engine.tuning.validation import Measured

# These have no consistency term, so its absence says nothing about them.
_WITHOUT_CONSISTENCY = ("clean", "adversarial")


def tune(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], tell: Tell, progress: Progress
) -> TuneResult:
    """Learn prompts for `backbone` (or with TeCoA its image tower) and write them to `request.out`; news leave through `tell`, in order.

    load: a model by its id, for the guide. After each epoch the state is kept beside `out`, until the end. Where the tick raises Stopped
    after the first epoch, the run ends with the best one so far, as with `stop_after`.
    Raises CaptError; TuningFailed and Cancelled leave the last epoch's state.
    """
    clock = WorkClock(progress)
    started_s = clock.now_s()
    if request.method == tecoa.METHOD:
        return tecoa.tune(request, backbone, tell, clock)
    out = _checked_out(request)
    start_counting(backbone.mean.device)
    settings = chosen(request, backbone)
    pictures = read_all(request, draw(request), backbone, clock)
    material = Material(request, backbone, guide_of(request, backbone, load), settings, pictures, clock)
    run = _Run(material, states.state_path(out), tell, clock)
    if request.resume:
        run.go_on()
    # A run that was killed after its last epoch may have left both; its file is written again as it was.
    if not run.is_over():
        _require_absent(out)
    run.tune()
    parameters = sum(p.numel() for p in run.prompts.parameters())
    document = outcome.document(material, run.found, parameters, run.batch)
    checkpoints.save(out, run.kept(), document)
    states.state_path(out).unlink(missing_ok=True)
    return outcome.result(material, run.found, document, parameters, clock.now_s() - started_s)


def foresee(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], progress: Progress
) -> TuneForecast:
    """What a run will take, from a dry run of its own pictures; writes nothing. Raises CaptError where the run would."""
    if request.method == tecoa.METHOD:
        return tecoa.foresee(request, backbone, WorkClock(progress))
    return of_prompts(request, backbone, load, WorkClock(progress))


def _checked_out(request: TuneRequest) -> Path:
    """Where the prompts go; raises BadRequest before anything is done that could not be kept."""
    out = Path(request.out)
    if out.suffix != ".safetensors":
        raise BadRequest(f"{request.out!r} is no name for a prompts file.", "It must end in .safetensors.")
    folder = out.absolute().parent
    if not folder.is_dir():
        raise BadRequest(f"There is no folder {str(folder)!r}.", "Make it first, or choose another.")
    state = states.state_path(out)
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


class _Run:
    """One run: the prompts as they are, how far they are, and what has been found."""

    def __init__(self, material: Material, state_file: Path, tell: Tell, clock: WorkClock) -> None:
        self.prompts = material.fresh_prompts()
        self.found = outcome.Found(notes=list(material.pictures.drawn.notes))
        self.batch = material.settings.batch
        self._material, self._state_file, self._tell, self._tick = material, state_file, tell, clock
        self._epochs, self._patience = material.settings.epochs, material.request.patience
        self._stop_after = material.request.stop_after
        self._state = State()
        self._best: dict[str, Tensor] = {}
        self._watch = material.watch()
        self._validation_s = 0.0

    def go_on(self) -> None:
        """Take up a stopped run after its last whole epoch, where there is one; raises BadRequest where it was another run."""
        path = self._state_file
        if not path.exists():
            self._tell("There is no stopped run to go on with: starting from the beginning.")
            return
        saved = states.read(path)
        difference = states.first_difference(self._material.identity(), saved.settings)
        if difference:
            raise BadRequest(
                f"The stopped run was another one: {difference}.",
                f"Give the same settings and data to go on with it, choose another name, or remove {path.name!r}.",
            )
        try:
            self.prompts.load_state_dict(saved.prompts)
            self.found.epochs = [outcome.epoch_from(told) for told in saved.epochs]
        except (RuntimeError, KeyError, TypeError) as error:
            raise BadCheckpoint(f"{str(path)!r} is damaged.", "Remove it and start again.") from error
        self.found.best_epoch, self.found.notes = saved.best_epoch, list(saved.notes)
        self._state, self._best, self.batch = State(saved.epoch, saved.momentum), saved.best, saved.batch
        if self._stop_after:
            # A run that was killed may have gone further than whoever asks knows.
            self._stop_after = max(self._stop_after, saved.epoch)
        self._tell(f"Going on after epoch {saved.epoch} of {self._epochs}.")
        for one in self.found.epochs:
            self._tell(one)

    def tune(self) -> None:
        """Measure plain text, forecast, and run the epochs that are left; the state file is replaced after each. Raises Stopped."""
        try:
            started_s = self._tick.now_s()
            plain = self._look(None, 0, 0, "validating plain text")
            self._validation_s = self._tick.now_s() - started_s
            self.found.zero_shot = (plain.clean, plain.robust)
            self._tell(TuneEpoch(0, self._epochs, 0.0, plain.clean, plain.robust, is_best=False))
            self._tell(TuneStrip(0, plain.samples))
            if not self.is_over():
                self._with_smaller_batch(self._forecast)
        except Stopped:
            raise Stopped(self._nothing_to_keep()) from None
        try:
            while not self.is_over():
                self._with_smaller_batch(self._epoch)
        except Stopped:
            if not self._state.epoch:
                raise Stopped(self._nothing_to_keep()) from None
            self._stop_after = self._state.epoch
        self.found.ended = self._ended()

    def _nothing_to_keep(self) -> str:
        if self._state.epoch:
            return f"Stopped before it had gone on; the state after epoch {self._state.epoch} is kept, and can be gone on with."
        return "Stopped before the first epoch had ended: there are no prompts to keep yet."

    def _ended(self) -> str:
        done = self._state.epoch
        if done == self._stop_after:
            # By the same words and number, whether it was told beforehand or on the way.
            self.found.stopped_after = done
            return f"stopped after epoch {done} of {self._epochs}, as asked, and kept the best"
        if done < self._epochs:
            return f"stopped early, as {self._patience} epochs had brought nothing on the validation pictures"
        return f"ran all {self._epochs} epochs"

    def kept(self) -> Prompts:
        """The prompts of the epoch that is kept."""
        kept = copy.deepcopy(self.prompts)
        if self.found.kept(self._patience).epoch != self._state.epoch:
            kept.load_state_dict(self._best)
        return kept

    def is_over(self) -> bool:
        """Are all epochs done that were asked for, or has the validation brought nothing for too long?"""
        is_stale = 0 < self._patience <= self._state.epoch - self.found.best_epoch
        return self._state.epoch >= min(self._epochs, self._stop_after or self._epochs) or is_stale

    def _with_smaller_batch(self, work: Callable[[], None]) -> None:
        """Do `work`; where memory runs out, do it again from its start with half the batch."""
        while True:
            try:
                work()
                return
            except torch.OutOfMemoryError:
                if self.batch == 1:
                    raise DeviceProblem(
                        f"{self._material.device.type} ran out of memory with a single picture a step.",
                        "Choose the CPU (--device cpu), fewer classes, or a smaller model.",
                    ) from None
            self.batch //= 2
            note = f"Memory ran out in epoch {self._state.epoch + 1}: from there on, the batch is {self.batch}."
            self.found.notes.append(note)
            self._tell(note)
            torch.cuda.empty_cache()

    def _forecast(self) -> None:
        """Try three steps on copies, which changes nothing: every draw depends on seed, epoch and picture alone."""
        trial = self._material.tuning(copy.deepcopy(self.prompts), self._state, self.batch)
        seconds = trial.trial(DRY_STEPS, lambda *_: self._tick(0, 0, "trying three steps"))
        epochs = min(self._epochs, self._stop_after or self._epochs) - self._state.epoch
        pictures = self._material.pictures
        sizes = (len(pictures.train), len(pictures.val) if pictures.val is not None else 0)
        self._tell(foreseen(self._material, self.batch, seconds, self._validation_s, epochs, sizes))

    def _epoch(self) -> None:
        prompts = copy.deepcopy(self.prompts)
        tuning = self._material.tuning(prompts, self._state, self.batch)
        try:
            logs = next(tuning.epochs(self._tick, self._tell))
            if not all(bool(torch.isfinite(p).all()) for p in prompts.parameters()):
                raise TuningFailed(
                    f"The prompts hold values that are no numbers after epoch {tuning.state.epoch}.",
                    "Try a lower learning rate, or a smaller λ.",
                )
        except TuningFailed as failure:
            if self._state.epoch:
                failure.message += f" The state after epoch {self._state.epoch} is kept in {str(self._state_file)!r}."
            raise
        done = tuning.state.epoch * tuning.steps_per_epoch
        seen = self._look(prompts, done, self._epochs * tuning.steps_per_epoch, "validating")
        # Only here is the epoch taken over: whatever stops it earlier leaves the run at its start.
        self.prompts, self._state = prompts, tuning.state
        best = max((outcome.score(one) for one in self.found.epochs), default=-1)
        loss = sum(log.loss for log in logs) / len(logs)
        told = TuneEpoch(self._state.epoch, self._epochs, loss, seen.clean, seen.robust, is_best=False)
        if seen.clean is None or outcome.score(told) > best:
            told = replace(told, is_best=True)
            self.found.best_epoch = self._state.epoch
            self._best = {name: value.detach().clone() for name, value in prompts.state_dict().items()}
        self.found.epochs.append(told)
        noticed = self._noticed(logs)
        self._save_state()
        self._tell(told)
        self._tell(TuneStrip(self._state.epoch, seen.samples))
        for note in noticed:
            self._tell(note)

    def _look(self, prompts: Prompts | None, done: int, total: int, note: str) -> Measured:
        return self._watch.measure(self._material.classifier(prompts), lambda: self._tick(done, total, note))

    def _noticed(self, logs: list[TuneStep]) -> list[str]:
        """What looks wrong and what may help, each said once in a run."""
        found: dict[str, bool] = {
            "The prompts have collapsed: clean and attacked pictures get the same constant answer. A lower learning rate, a larger "
            "weight λ of the consistency terms or the coupling vision_to_text may help.": (
                self._material.settings.method.objective not in _WITHOUT_CONSISTENCY
                and has_collapsed(logs, len(self._material.classes))
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
        saved = states.Saved(
            settings=self._material.identity(),
            epoch=self._state.epoch,
            batch=self.batch,
            best_epoch=self.found.best_epoch,
            prompts=self.prompts.state_dict(),
            best=self._best,
            momentum=self._state.momentum,
            epochs=[asdict(one) for one in self.found.epochs],
            notes=self.found.notes,
        )
        states.write(self._state_file, saved)
