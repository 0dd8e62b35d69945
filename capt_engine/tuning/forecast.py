"""Time and memory that a run will take, measured: a few steps on copies of a few pictures, of which nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn

from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.devices import describe_device
from capt_engine.model.memory import peak_bytes, start_counting
from capt_engine.progress import Progress, WorkClock
from capt_engine.records import TuneForecast, TuneRequest
from capt_engine.tuning.defaults import Chosen, chosen
from capt_engine.tuning.loop import State, forecast
from capt_engine.tuning.pictures import Drawn, draw
from capt_engine.tuning.run_inputs import Pictures, RunInputs, read_all, reference_of
from capt_engine.tuning.validation import STEPS, spread, validator_of

DRY_STEPS = 3
# Of the validation pictures so many are measured on; the rest takes as long in proportion.
_VALIDATED = 16
# Answers before and after an attack, each counted as one of its steps.
_ANSWERS = 2


class Trial(NamedTuple):
    """A few steps that were tried: pictures and seconds of each step, steps and seconds of validation in an epoch."""

    batch_size: int
    seconds: list[float]
    steps_per_epoch: int
    validation_s: float


def foreseen(
    trial: Trial, epochs: int, parameters: int, sizes: tuple[int, int], device: torch.device, more_s: float = 0.0
) -> TuneForecast:
    """Forecast the time and memory of `epochs` epochs from the few steps that were tried.

    trial: the measured seconds. parameters: the number of learned values. sizes: the numbers of training and validation
    pictures of the whole run. device: where it runs. more_s: seconds of work beside the epochs.
    """
    epoch_s = forecast(trial.seconds, trial.steps_per_epoch) + trial.validation_s
    return TuneForecast(
        steps=trial.steps_per_epoch * epochs,
        seconds=epoch_s * epochs + more_s,
        memory_bytes=peak_bytes(device),
        parameters=parameters,
        batch_size=trial.batch_size,
        epochs=epochs,
        epoch_seconds=epoch_s,
        validation_seconds=trial.validation_s,
        n_train=sizes[0],
        n_val=sizes[1],
        device=describe_device(device).label,
    )


class DryRun:
    """A few of a run's pictures, and what the work on all of them will take in proportion; nothing is written."""

    def __init__(self, request: TuneRequest, backbone: Backbone, batch_size: int, clock: WorkClock) -> None:
        """Draw all pictures and read a few; raises BadRequest."""
        start_counting(backbone.mean.device)
        self._request, self._backbone, self._clock = request, backbone, clock
        drawn = draw(request)
        self.n_train, self.n_val = len(drawn.train.items), len(drawn.val.items) if drawn.val is not None else 0
        begun_s = clock.now_s()
        self.few = few_of(request, drawn, batch_size, backbone, clock)
        self._step_s = 0.0
        self._more_s = (clock.now_s() - begun_s) / self.few.count * (self.n_train + self.n_val)

    def inputs(self, settings: Chosen, reference: Backbone) -> RunInputs:
        """Make the inputs of a run that learns prompts from the few pictures that were read.

        settings: every setting of the run. reference: the frozen model, whose forward passes are timed and counted into
        the forecast.
        """
        begun_s = self._clock.now_s()
        inputs = RunInputs(self._request, self._backbone, reference, settings, self.few, self._clock)
        self._more_s += (self._clock.now_s() - begun_s) / len(self.few.train) * self.n_train
        return inputs

    def validation_s(self, classifier: Classifier, eps: float) -> float:
        """Measure one validation on a few pictures, and return the seconds that one on all of them will take.

        classifier: what is validated. eps: the L∞ budget of the attack, in [0, 1]. The time of one validation before
        the first epoch is counted into the forecast.
        """
        validator = validator_of(self.few.train, self.few.val, eps, self._request.seed)
        begun_s = self._clock.now_s()
        validator.measure(classifier, lambda: self._clock(0, 0, "validating a few pictures"))
        taken_s = self._clock.now_s() - begun_s
        self._step_s = taken_s / len(validator) / (STEPS + _ANSWERS if eps > 0 else 1)
        seconds = taken_s * max(1.0, self.n_val / len(validator))
        self._more_s += seconds
        return seconds

    def step(self, *_: object) -> None:
        """Report to the progress callback that a step is being tried; the arguments are ignored."""
        self._clock(0, 0, "trying three steps")

    def forecast(self, trial: Trial, epochs: int, parameters: int) -> TuneForecast:
        """Forecast time and memory of the whole run, or of its first epochs where the request stops it after those.

        trial: the measured steps. epochs: those of the whole run. parameters: the number of learned values.
        """
        epochs, device = min(epochs, self._request.stop_after or epochs), self._backbone.mean.device
        sizes = (self.n_train, self.n_val)
        whole = foreseen(trial, epochs, parameters, sizes, device, self._more_s)
        # Of the pictures that were not read yet; a GPU gets one batch at a time.
        unread = 0 if device.type == "cuda" else max(0, sum(sizes) - self.few.count) * 3 * self._backbone.size**2
        return replace(whole, memory_bytes=whole.memory_bytes + unread, step_seconds=self._step_s)


def of_prompts(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], clock: WorkClock
) -> TuneForecast:
    """Forecast time and memory of learning prompts, from a few steps on one batch of the run's own pictures.

    request: the run. backbone: its model. load: loads the reference model by its id. clock: the progress callback.
    Nothing is written. Raises CaptError where the run itself would.
    """
    settings = chosen(request, backbone)
    dry = DryRun(request, backbone, settings.batch_size, clock)
    inputs = dry.inputs(settings, reference_of(request, backbone, load))
    validation_s = dry.validation_s(inputs.classifier(None), settings.eps)

    batch_size = settings.batch_size
    tuning = inputs.tuning(inputs.fresh_prompts(), State(), batch_size)
    seconds = tuning.trial(DRY_STEPS, dry.step)
    trial = Trial(batch_size, seconds, max(1, dry.n_train // batch_size), validation_s)
    return dry.forecast(trial, settings.epochs, count_parameters(inputs.fresh_prompts()))


def few_of(request: TuneRequest, drawn: Drawn, n: int, backbone: Backbone, progress: Progress) -> Pictures:
    """Read at most `n` of the training pictures in `drawn` and some of the validation pictures, of all classes.

    request: the run. backbone: the model that will see them. progress: called before each. Raises BadRequest where no
    training picture can be read.
    """
    train = replace(drawn.train, items=_some(drawn.train.items, n))
    val = None if drawn.val is None else replace(drawn.val, items=_some(drawn.val.items, _VALIDATED))
    few = read_all(request, replace(drawn, train=train, val=val), backbone, progress, every_class=False)
    if not len(few.train):
        raise BadRequest("None of the pictures that were tried can be read.", "Scan the pictures to see what is wrong.")
    return few


def count_parameters(module: nn.Module) -> int:
    """Return the number of values in all parameters of `module`."""
    return sum(parameter.numel() for parameter in module.parameters())


def _some(items: Sequence[Item], n: int) -> tuple[Item, ...]:
    return tuple(items[index] for index in spread([item.label for item in items], n))
