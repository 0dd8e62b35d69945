"""Time and memory that a run will take, measured: a few steps on copies of a few pictures, of which nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest, DeviceProblem
from capt_engine.model.clip import Backbone
from capt_engine.model.devices import describe_device
from capt_engine.model.memory import peak_bytes, start_counting
from capt_engine.progress import Progress
from capt_engine.records import TuneForecast, TuneRequest
from capt_engine.tuning.callbacks import WorkClock
from capt_engine.tuning.defaults import chosen
from capt_engine.tuning.loop import State, forecast
from capt_engine.tuning.pictures import Drawn, draw
from capt_engine.tuning.run_inputs import Pictures, RunInputs, read_all, reference_of
from capt_engine.tuning.validation import spread

DRY_STEPS = 3
# Of the validation pictures so many are measured on; the rest takes as long in proportion.
_VALIDATED = 16


def foreseen(
    inputs: RunInputs,
    batch_size: int,
    seconds: Sequence[float],
    validation_s: float,
    epochs: int,
    sizes: tuple[int, int],
) -> TuneForecast:
    """Forecast `epochs` epochs from the times of a dry run's steps. sizes: training and validation pictures of the whole run."""
    n_train, n_val = sizes
    per_epoch = max(1, n_train // batch_size)
    epoch_s = forecast(list(seconds), per_epoch) + validation_s
    return TuneForecast(
        steps=per_epoch * epochs,
        seconds=epoch_s * epochs,
        memory_bytes=peak_bytes(inputs.device),
        parameters=sum(p.numel() for p in inputs.fresh_prompts().parameters()),
        batch_size=batch_size,
        epochs=epochs,
        epoch_seconds=epoch_s,
        validation_seconds=validation_s,
        n_train=n_train,
        n_val=n_val,
        device=describe_device(inputs.device).label,
    )


def of_prompts(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], clock: WorkClock
) -> TuneForecast:
    """Try a few steps of a run of prompts on one batch of its pictures; raises what the run itself would, and writes nothing."""
    start_counting(backbone.mean.device)
    settings = chosen(request, backbone)
    drawn = draw(request)
    begun_s = clock.now_s()
    few = few_of(request, drawn, settings.batch_size, backbone, clock)
    reading_s = (clock.now_s() - begun_s) / few.count * size_of(drawn)
    reference = reference_of(request, backbone, load)
    begun_s = clock.now_s()
    inputs = RunInputs(request, backbone, reference, settings, few, clock)
    reference_s = (clock.now_s() - begun_s) / len(few.train) * len(drawn.train.items)
    begun_s, validator = clock.now_s(), inputs.validator()
    validator.measure(inputs.classifier(None), lambda: clock(0, 0, "validating a few pictures"))
    n_val = len(drawn.val.items) if drawn.val is not None else 0
    validation_s = (clock.now_s() - begun_s) * max(1.0, n_val / len(validator))
    batch_size, seconds = _tried(inputs, settings.batch_size, clock)
    epochs = min(settings.epochs, request.stop_after or settings.epochs)
    whole = foreseen(inputs, batch_size, seconds, validation_s, epochs, (len(drawn.train.items), n_val))
    return replace(
        whole,
        seconds=whole.seconds + reading_s + reference_s + validation_s,
        memory_bytes=whole.memory_bytes + unread_bytes(drawn, few, backbone),
    )


def few_of(request: TuneRequest, drawn: Drawn, n: int, backbone: Backbone, progress: Progress) -> Pictures:
    """n of the training pictures and some of the validation pictures, over all classes; raises BadRequest where none can be read."""
    train = replace(drawn.train, items=_some(drawn.train.items, n))
    val = None if drawn.val is None else replace(drawn.val, items=_some(drawn.val.items, _VALIDATED))
    few = read_all(request, replace(drawn, train=train, val=val), backbone, progress, every_class=False)
    if not len(few.train):
        raise BadRequest("None of the pictures that were tried can be read.", "Scan the pictures to see what is wrong.")
    return few


def size_of(drawn: Drawn) -> int:
    """Training and validation pictures together."""
    return len(drawn.train.items) + (len(drawn.val.items) if drawn.val is not None else 0)


def unread_bytes(drawn: Drawn, few: Pictures, backbone: Backbone) -> int:
    """Return the process memory of the pictures that were not read yet; 0 on a GPU, which gets one batch at a time."""
    unread = size_of(drawn) - few.count
    return 0 if backbone.mean.device.type == "cuda" else max(0, unread) * 3 * backbone.size**2


def _some(items: Sequence[Item], n: int) -> tuple[Item, ...]:
    return tuple(items[index] for index in spread([item.label for item in items], n))


def _tried(inputs: RunInputs, batch_size: int, progress: Progress) -> tuple[int, list[float]]:
    """The batch that fits into memory, and the seconds of each step."""
    while True:
        try:
            trial = inputs.tuning(inputs.fresh_prompts(), State(), batch_size)
            return batch_size, trial.trial(DRY_STEPS, lambda *_: progress(0, 0, "trying three steps"))
        except torch.OutOfMemoryError:
            if batch_size == 1:
                raise DeviceProblem(
                    f"{inputs.device.type} runs out of memory with a single picture a step.",
                    "Choose the CPU (--device cpu), fewer classes, or a smaller model.",
                ) from None
        batch_size //= 2
        torch.cuda.empty_cache()
