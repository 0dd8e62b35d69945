"""What a run will take, measured: a few steps on copies of a few pictures, of which nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from capt_engine.data.labelled import Item
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
from capt_engine.tuning.run_inputs import Material, Pictures, guide_of, read_all
from capt_engine.tuning.validation import spread

DRY_STEPS = 3
# Of the validation pictures so many are looked at; the rest takes as long in proportion.
_WATCHED = 16


def foreseen(
    material: Material, batch: int, seconds: Sequence[float], validation_s: float, epochs: int, sizes: tuple[int, int]
) -> TuneForecast:
    """What `epochs` epochs will take, from the times of a dry run's steps. sizes: training and validation pictures of the whole run."""
    n_train, n_val = sizes
    per_epoch = max(1, n_train // batch)
    epoch_s = forecast(list(seconds), per_epoch) + validation_s
    return TuneForecast(
        steps=per_epoch * epochs,
        seconds=epoch_s * epochs,
        memory_bytes=peak_bytes(material.device),
        parameters=sum(p.numel() for p in material.fresh_prompts().parameters()),
        batch=batch,
        epochs=epochs,
        epoch_seconds=epoch_s,
        validation_seconds=validation_s,
        n_train=n_train,
        n_val=n_val,
        device=describe_device(material.device).label,
    )


def of_prompts(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], clock: WorkClock
) -> TuneForecast:
    """Try a few steps of a run of prompts on one batch of its pictures; raises what the run itself would, and writes nothing."""
    start_counting(backbone.mean.device)
    settings = chosen(request, backbone)
    drawn = draw(request)
    begun_s = clock.now_s()
    few = few_of(request, drawn, settings.batch, backbone, clock)
    reading_s = (clock.now_s() - begun_s) / few.count * size_of(drawn)
    guide = guide_of(request, backbone, load)
    begun_s = clock.now_s()
    material = Material(request, backbone, guide, settings, few, clock)
    asking_s = (clock.now_s() - begun_s) / len(few.train) * len(drawn.train.items)
    begun_s, watch = clock.now_s(), material.watch()
    watch.measure(material.classifier(None), lambda: clock(0, 0, "validating a few pictures"))
    n_val = len(drawn.val.items) if drawn.val is not None else 0
    validation_s = (clock.now_s() - begun_s) * max(1.0, n_val / len(watch))
    batch, seconds = _tried(material, settings.batch, clock)
    epochs = min(settings.epochs, request.stop_after or settings.epochs)
    told = foreseen(material, batch, seconds, validation_s, epochs, (len(drawn.train.items), n_val))
    return replace(
        told,
        seconds=told.seconds + reading_s + asking_s + validation_s,
        memory_bytes=told.memory_bytes + unread_bytes(drawn, few, backbone),
    )


def few_of(request: TuneRequest, drawn: Drawn, n: int, backbone: Backbone, progress: Progress) -> Pictures:
    """n of the training pictures and some of the validation pictures, over all classes; raises BadRequest where none can be read."""
    train = replace(drawn.train, items=_some(drawn.train.items, n))
    val = None if drawn.val is None else replace(drawn.val, items=_some(drawn.val.items, _WATCHED))
    few = read_all(request, replace(drawn, train=train, val=val), backbone, progress, every_class=False)
    if not len(few.train):
        raise BadRequest("None of the pictures that were tried can be read.", "Scan the pictures to see what is wrong.")
    return few


def size_of(drawn: Drawn) -> int:
    """Training and validation pictures together."""
    return len(drawn.train.items) + (len(drawn.val.items) if drawn.val is not None else 0)


def unread_bytes(drawn: Drawn, few: Pictures, backbone: Backbone) -> int:
    """What the pictures that were not read will take in the process's memory; nothing on a GPU, which gets one batch at a time."""
    unread = size_of(drawn) - few.count
    return 0 if backbone.mean.device.type == "cuda" else max(0, unread) * 3 * backbone.size**2


def _some(items: Sequence[Item], n: int) -> tuple[Item, ...]:
    return tuple(items[index] for index in spread([item.label for item in items], n))


def _tried(material: Material, batch: int, progress: Progress) -> tuple[int, list[float]]:
    """The batch that fits into memory, and the seconds of each step."""
    while True:
        try:
            trial = material.tuning(material.fresh_prompts(), State(), batch)
            return batch, trial.trial(DRY_STEPS, lambda *_: progress(0, 0, "trying three steps"))
        except torch.OutOfMemoryError:
            if batch == 1:
                raise DeviceProblem(
                    f"{material.device.type} runs out of memory with a single picture a step.",
                    "Choose the CPU (--device cpu), fewer classes, or a smaller model.",
                ) from None
        batch //= 2
        torch.cuda.empty_cache()
