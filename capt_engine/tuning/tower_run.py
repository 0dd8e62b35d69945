"""From a request to a tuned image tower: `--method tecoa` writes a folder that is a model instead of a file of prompts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadRequest, Stopped
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.devices import describe_device
from capt_engine.model.memory import peak_bytes, start_counting
from capt_engine.model.text import class_features
from capt_engine.records import TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneStrip
from capt_engine.tuning.callbacks import OnNews, WorkClock
from capt_engine.tuning.forecast import DRY_STEPS, few_of, size_of, unread_bytes
from capt_engine.tuning.image_tower import CHECKPOINT, TECOA, TowerRecipe, TowerTuning, export
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import forecast
from capt_engine.tuning.pictures import draw, fingerprint
from capt_engine.tuning.run_inputs import Pictures, read_all
from capt_engine.tuning.validation import Measured, validator_of

# What prompts have and a tower has not, with the value that means "not said".
OF_PROMPTS: dict[str, Any] = {
    "lambda_": None,
    "alpha": None,
    "coupling": None,
    "n_ctx": None,
    "depth": None,
    "patience": 0,
    "augment": "none",
    "detach_clean": False,
    "precision": "fp32",
}


def tune(request: TuneRequest, backbone: Backbone, on_news: OnNews, clock: WorkClock) -> TuneResult:
    """Tune a copy of the image tower on attacked pictures and write it to the folder `request.out`; the last whole epoch is kept.

    After each epoch a checkpoint lies in the folder, until the end. Where the progress callback raises Stopped after the first
    epoch, the run ends there, as with `stop_after`. Raises CaptError.
    """
    started_s = clock.now_s()
    out = _checked_out(request)
    _refuse_settings_of_prompts(request)
    recipe = _recipe(request)
    pictures = read_all(request, draw(request), backbone, clock)
    template = request.template or pictures.drawn.train.template
    text = class_features(backbone, pictures.classes, template)
    tuning = TowerTuning(backbone, pictures.train.images, pictures.train.labels, text, recipe)
    if request.resume and (out / CHECKPOINT).is_file():
        tuning.resume(out / CHECKPOINT)
        on_news(f"Going on after epoch {tuning.epoch} of {recipe.epochs}.")
    # A run that was killed may have gone further than the request knows.
    last = min(recipe.epochs, max(request.stop_after, tuning.epoch) if request.stop_after else recipe.epochs)
    validator = validator_of(pictures.train, pictures.val, recipe.attack.threat.eps, request.seed)

    def measured(model: Backbone, epoch: int) -> Measured:
        found = validator.measure(Classifier(model, pictures.classes, template), lambda: clock(0, 0, "validating"))
        on_news(TuneStrip(epoch, found.samples))
        return found

    before = measured(backbone, 0)
    on_news(TuneEpoch(0, recipe.epochs, 0.0, before.clean, before.robust, is_best=False))
    after = measured(tuning.tuned, tuning.epoch) if tuning.epoch else before
    while tuning.epoch < last:
        try:
            log = tuning.advance(clock)
            after = measured(tuning.tuned, tuning.epoch)
        except Stopped:
            if not (out / CHECKPOINT).is_file():
                raise Stopped("Stopped before the first epoch had ended: there is nothing to keep yet.") from None
            # The tower was moved in place: the unfinished epoch is undone from the checkpoint.
            tuning.resume(out / CHECKPOINT)
            last = tuning.epoch
            break
        tuning.save(out / CHECKPOINT)
        on_news(TuneEpoch(log.epoch, recipe.epochs, log.loss, after.clean, after.robust, is_best=False))
    export(tuning, out, _about(request, pictures))
    (out / CHECKPOINT).unlink(missing_ok=True)
    stopped_after = last if last < recipe.epochs or request.stop_after == last else 0
    return TuneResult(
        out=request.out,
        method=request.method,
        model=request.model,
        classes=pictures.classes,
        shots=request.shots,
        n_train=len(pictures.train),
        n_val=len(pictures.val) if pictures.val is not None else 0,
        epochs=tuning.epoch,
        kept_epoch=tuning.epoch,
        ended=_ended(stopped_after, recipe.epochs),
        clean=after.clean,
        robust=after.robust,
        zero_shot_clean=before.clean,
        zero_shot_robust=before.robust,
        seconds=clock.now_s() - started_s,
        memory_bytes=peak_bytes(backbone.mean.device),
        parameters=_parameters(backbone),
        prompts=None,
        failed=pictures.failed,
        notes=pictures.drawn.notes,
        stopped_after=stopped_after,
    )


def foresee(request: TuneRequest, backbone: Backbone, clock: WorkClock) -> TuneForecast:
    """Forecast time and memory by three steps on a copy of the tower; writes nothing. Raises what the run itself would."""
    _refuse_settings_of_prompts(request)
    start_counting(backbone.mean.device)
    recipe, drawn = _recipe(request), draw(request)
    begun_s = clock.now_s()
    few = few_of(request, drawn, recipe.batch_size, backbone, clock)
    reading_s = (clock.now_s() - begun_s) / few.count * size_of(drawn)
    template = request.template or drawn.train.template
    classifier = Classifier(backbone, few.classes, template)
    validator = validator_of(few.train, few.val, recipe.attack.threat.eps, request.seed)
    begun_s = clock.now_s()
    validator.measure(classifier, lambda: clock(0, 0, "validating a few pictures"))
    n_train, n_val = len(drawn.train.items), len(drawn.val.items) if drawn.val is not None else 0
    validation_s = (clock.now_s() - begun_s) * max(1.0, n_val / len(validator))
    tuning = TowerTuning(backbone, few.train.images, few.train.labels, classifier.text, recipe)
    seconds = tuning.trial(DRY_STEPS, lambda *_: clock(0, 0, "trying three steps"))
    per_epoch = math.ceil(n_train / recipe.batch_size)
    epoch_s = forecast(seconds, per_epoch) + validation_s
    epochs = min(recipe.epochs, request.stop_after or recipe.epochs)
    return TuneForecast(
        steps=per_epoch * epochs,
        seconds=epoch_s * epochs + reading_s + validation_s,
        memory_bytes=peak_bytes(backbone.mean.device) + unread_bytes(drawn, few, backbone),
        parameters=_parameters(backbone),
        batch_size=recipe.batch_size,
        epochs=epochs,
        epoch_seconds=epoch_s,
        validation_seconds=validation_s,
        n_train=n_train,
        n_val=n_val,
        device=describe_device(backbone.mean.device).label,
    )


def _ended(stopped_after: int, epochs: int) -> str:
    if stopped_after:
        return f"stopped after epoch {stopped_after} of {epochs}, as asked, and kept it"
    return f"ran all {epochs} epochs"


def _parameters(backbone: Backbone) -> int:
    return sum(p.numel() for p in backbone.clip.visual.parameters())


def _refuse_settings_of_prompts(request: TuneRequest) -> None:
    for name, nothing in OF_PROMPTS.items():
        if getattr(request, name) != nothing:
            raise BadRequest(
                f"TeCoA tunes the image tower; it knows no {name.rstrip('_').replace('_', ' ')}.",
                "Leave that setting out.",
            )


def _checked_out(request: TuneRequest) -> Path:
    out = Path(request.out)
    if out.suffix == ".safetensors" or out.is_file():
        raise BadRequest("TeCoA writes a folder, which is a model.", "Name a new folder instead of a file.")
    if not out.absolute().parent.is_dir():
        raise BadRequest(f"There is no folder {str(out.absolute().parent)!r}.", "Make it first, or choose another.")
    stopped = (out / CHECKPOINT).is_file()
    if stopped and not request.resume:
        raise BadRequest(
            f"An earlier run was stopped in {request.out!r}.",
            "Give --resume to go on with it, or choose another folder.",
        )
    if not stopped and out.is_dir() and any(out.iterdir()):
        raise BadRequest(f"{request.out!r} is not empty, and is not written over.", "Choose another folder.")
    return out


def _recipe(request: TuneRequest) -> TowerRecipe:
    """The request's settings where it names some, else those of the tower's own recipe."""
    eps = TECOA.threat.eps if request.eps is None else request.eps
    step = request.attack_step_size
    attack = InnerAttack(
        Threat(LINF, eps),
        eps * TECOA.step_size / TECOA.threat.eps if step is None else step,
        TECOA.steps if request.attack_steps is None else request.attack_steps,
        request.attack_loss or TECOA.loss,
    )
    if not 0 < eps <= 1 or attack.steps < 1 or (request.lr is not None and not request.lr > 0) or request.seed < 0:
        raise BadRequest(
            "These settings make no sense together.", "Check budget, attack steps, learning rate and seed."
        )
    given = {
        name: getattr(request, name) for name in ("epochs", "batch_size", "lr") if getattr(request, name) is not None
    }
    return replace(TowerRecipe(attack=attack, seed=request.seed), **given)


def _about(request: TuneRequest, pictures: Pictures) -> dict[str, Any]:
    shots = "all pictures" if request.shots is None else f"{request.shots} pictures per class"
    about = {
        "data": pictures.drawn.train.name,
        "classes": ", ".join(pictures.classes),
        "pictures": f"{len(pictures.train)} ({shots})",
        "fingerprint": fingerprint(pictures.classes, pictures.train),
    }
    said = {"name": request.name, "notes": request.notes, "licence": request.licence}
    return about | {name: text for name, text in said.items() if text}
