"""From a request to a tuned image tower: `--method tecoa` writes a folder that is a model instead of a file of prompts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadRequest, Stopped
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.text import class_features
from capt_engine.progress import WorkClock
from capt_engine.records import TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneStrip
from capt_engine.tuning.callbacks import OnNews
from capt_engine.tuning.forecast import DRY_STEPS, DryRun, Trial, count_parameters
from capt_engine.tuning.image_tower import CHECKPOINT, TECOA, TowerTuning, export, tower_recipe
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Recipe
from capt_engine.tuning.outcome import Found, result
from capt_engine.tuning.pictures import draw, fingerprint
from capt_engine.tuning.run_inputs import Pictures, read_all, unknown_in
from capt_engine.tuning.validation import validator_of

# Settings that prompts have and a tower has not, with the value that means "not given".
_OF_PROMPTS: dict[str, object] = {
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
    """Tune the image tower of `backbone` on attacked pictures (TeCoA); write it as a model to `request.out`, a folder.

    on_news: called with each epoch and remark. clock: the progress callback; where it raises Stopped after the first
    epoch, the run ends there. A checkpoint lies in the folder until the end. Raises BadRequest where the folder is not
    empty, as nothing is written over, TuningFailed, Cancelled, or another CaptError.
    """
    started_s = clock.now_s()
    out = _checked_out(request)
    _refuse_settings_of_prompts(request)
    recipe, eps = _recipe(request)
    pictures = read_all(request, draw(request), backbone, clock)
    template = request.template or pictures.drawn.train.template
    text = class_features(backbone, pictures.classes, template)
    tuning = TowerTuning(backbone, pictures.train.images, pictures.train.labels, text, recipe)
    if request.resume and (out / CHECKPOINT).is_file():
        tuning.resume(out / CHECKPOINT)
        on_news(f"Going on after epoch {tuning.epoch} of {recipe.epochs}.")
    # A run that was killed may have gone further than the request knows.
    stop_after = max(request.stop_after, tuning.epoch) if request.stop_after else 0
    validator = validator_of(pictures.train, pictures.val, eps, request.seed)
    unknown = unknown_in(backbone, pictures.classes, template)
    found = Found(notes=[*pictures.drawn.notes, *unknown])
    for note in unknown:
        on_news(note)

    def measure(model: Backbone, loss: float) -> None:
        classifier = Classifier(model, pictures.classes, template)
        measured = validator.measure(classifier, lambda: clock(0, 0, "validating"))
        epoch = 0 if model is backbone else tuning.epoch
        found.epochs.append(TuneEpoch(epoch, recipe.epochs, loss, measured.clean, measured.robust, is_best=False))
        found.best_epoch = epoch
        on_news(TuneStrip(epoch, measured.samples))

    measure(backbone, 0.0)
    found.zero_shot = (found.epochs[0].clean, found.epochs[0].robust)
    on_news(found.epochs[0])
    if tuning.epoch:
        measure(tuning.tuned, tuning.logs[-1].loss)
    while tuning.epoch < min(recipe.epochs, stop_after or recipe.epochs):
        try:
            log = tuning.advance(clock)
            measure(tuning.tuned, log.loss)
        except Stopped:
            if not (out / CHECKPOINT).is_file():
                raise Stopped("Stopped before the first epoch had ended: there is nothing to keep yet.") from None
            # The tower was moved in place: the unfinished epoch is undone from the checkpoint.
            tuning.resume(out / CHECKPOINT)
            stop_after = tuning.epoch
            break
        tuning.save(out / CHECKPOINT)
        on_news(found.epochs[-1])
    found.end(tuning.epoch, recipe.epochs, stop_after, "it")
    export(tuning, out, _about(request, pictures))
    (out / CHECKPOINT).unlink(missing_ok=True)
    seconds, parameters = clock.now_s() - started_s, count_parameters(backbone.visual)
    return result(request, pictures, found, parameters, seconds, backbone.mean.device)


def foresee(request: TuneRequest, backbone: Backbone, clock: WorkClock) -> TuneForecast:
    """Forecast time and memory of tuning the image tower of `backbone` by three steps on a copy; nothing is written.

    request: the run. clock: the progress callback; what it raises ends the trial. Raises CaptError where the run would.
    """
    _refuse_settings_of_prompts(request)
    recipe, eps = _recipe(request)
    dry = DryRun(request, backbone, recipe.batch_size, clock)
    few = dry.few
    classifier = Classifier(backbone, few.classes, request.template or few.drawn.train.template)
    validation_s = dry.validation_s(classifier, eps)
    tuning = TowerTuning(backbone, few.train.images, few.train.labels, classifier.text, recipe)
    steps_per_epoch = math.ceil(dry.n_train / recipe.batch_size)
    trial = Trial(recipe.batch_size, tuning.trial(DRY_STEPS, dry.step), steps_per_epoch, validation_s)
    return dry.forecast(trial, recipe.epochs, count_parameters(backbone.visual))


def _refuse_settings_of_prompts(request: TuneRequest) -> None:
    for name, nothing in _OF_PROMPTS.items():
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


def _recipe(request: TuneRequest) -> tuple[Recipe, float]:
    """Return the request's settings where it names some, else those of the tower's own recipe, and the budget ε among them."""
    eps = TECOA.threat.eps if request.eps is None else request.eps
    step = request.attack_step_size
    attack = InnerAttack(
        Threat(LINF, eps),
        eps * TECOA.step_size / TECOA.threat.eps if step is None else step,
        TECOA.steps if request.attack_steps is None else request.attack_steps,
        request.attack_loss or TECOA.loss,
    )
    given = {name: value for name in ("epochs", "batch_size", "lr") if (value := getattr(request, name)) is not None}
    if not 0 < eps <= 1 or attack.steps < 1 or request.seed < 0 or not all(value > 0 for value in given.values()):
        raise BadRequest(
            "These settings make no sense together.",
            "Check budget, attack steps, learning rate, epochs, batch and seed.",
        )
    return replace(tower_recipe(attack, seed=request.seed), **given), eps


def _about(request: TuneRequest, pictures: Pictures) -> dict[str, str]:
    shots = "all pictures" if request.shots is None else f"{request.shots} pictures per class"
    about = {
        "data": pictures.drawn.train.name,
        "classes": ", ".join(pictures.classes),
        "pictures": f"{len(pictures.train)} ({shots})",
        "fingerprint": fingerprint(pictures.classes, pictures.train),
        "name": request.name,
        "notes": request.notes,
        "licence": request.licence,
    }
    return {name: text for name, text in about.items() if text}
