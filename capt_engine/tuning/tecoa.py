"""From a request to a tuned image tower: `--method tecoa` writes a folder that is a model instead of a file of prompts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from capt_engine.attacks.base import LINF, Step, Threat
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.text import class_features
from capt_engine.records import Share, TuneEpoch, TuneForecast, TuneRequest, TuneResult, TuneStep
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.material import Pictures, read_all
from capt_engine.tuning.memory import peak_bytes
from capt_engine.tuning.pictures import draw, fingerprint
from capt_engine.tuning.tower import CHECKPOINT, TECOA, TowerRecipe, TowerTuning, export
from capt_engine.tuning.watch import Watch

METHOD = "tecoa"

Tell = Callable[[TuneForecast | TuneStep | TuneEpoch | str], None]

# What prompts have and a tower has not, with the value that means "not said".
_OF_PROMPTS: dict[str, Any] = {
    "weight": None,
    "alpha": None,
    "coupling": None,
    "length": None,
    "depth": None,
    "patience": 0,
    "augment": "none",
    "detach_clean": False,
    "precision": "fp32",
}


def tune(request: TuneRequest, backbone: Backbone, tell: Tell, tick: Step) -> TuneResult:
    """Tune a copy of the image tower on attacked pictures and write it to the folder `request.out`; the last epoch is kept.

    After each epoch a checkpoint lies in the folder, until the end. Raises CaptError.
    """
    started_s = time.monotonic()
    out = _checked_out(request)
    for name, nothing in _OF_PROMPTS.items():
        if getattr(request, name) != nothing:
            raise BadRequest(
                f"TeCoA tunes the image tower; it knows no {name.replace('_', ' ')}.", "Leave that setting out."
            )
    recipe = _recipe(request)
    pictures = read_all(request, draw(request), backbone, tick)
    template = request.template or pictures.drawn.train.template
    text = class_features(backbone, pictures.classes, template)
    tuning = TowerTuning(backbone, pictures.train.images, pictures.train.labels, text, recipe)
    if request.resume and (out / CHECKPOINT).is_file():
        tuning.resume(out / CHECKPOINT)
        tell(f"Going on after epoch {tuning.epoch} of {recipe.epochs}.")
    watch = Watch(pictures.val, recipe.attack.threat.eps, request.seed) if pictures.val is not None else None

    def measured(model: Backbone) -> tuple[Share | None, Share | None]:
        if watch is None:
            return None, None
        return watch.measure(Classifier(model, pictures.classes, template), lambda: tick(0, 0, "validating"))

    before = after = measured(backbone)
    try:
        out.mkdir(exist_ok=True)
        while tuning.epoch < recipe.epochs:
            log = tuning.advance(tick)
            after = measured(tuning.tuned)
            tuning.save(out / CHECKPOINT)
            tell(TuneEpoch(log.epoch, recipe.epochs, log.loss, *after, is_best=False))
        export(tuning, out, _about(request, pictures))
        (out / CHECKPOINT).unlink(missing_ok=True)
    except OSError as error:
        raise BadRequest(
            f"{str(out)!r} cannot be written: {error.strerror or error}.", "Choose another folder, or make room there."
        ) from error
    return TuneResult(
        out=request.out,
        method=METHOD,
        model=request.model,
        classes=pictures.classes,
        shots=request.shots,
        n_train=len(pictures.train),
        n_val=len(pictures.val) if pictures.val is not None else 0,
        epochs=tuning.epoch,
        kept_epoch=tuning.epoch,
        ended=f"ran all {recipe.epochs} epochs",
        clean=after[0],
        robust=after[1],
        zero_shot_clean=before[0],
        zero_shot_robust=before[1],
        seconds=time.monotonic() - started_s,
        memory_bytes=peak_bytes(backbone.mean.device),
        parameters=sum(p.numel() for p in backbone.clip.visual.parameters()),
        prompts=None,
        failed=pictures.failed,
        notes=pictures.drawn.notes,
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
    if not 0 < eps <= 1 or attack.steps < 1 or (request.rate is not None and not request.rate > 0) or request.seed < 0:
        raise BadRequest(
            "These settings make no sense together.", "Check budget, attack steps, learning rate and seed."
        )
    given = {name: getattr(request, name) for name in ("epochs", "batch", "rate") if getattr(request, name) is not None}
    return replace(TowerRecipe(attack=attack, seed=request.seed), **given)


def _about(request: TuneRequest, pictures: Pictures) -> dict[str, Any]:
    shots = "all pictures" if request.shots is None else f"{request.shots} pictures per class"
    told = {
        "data": pictures.drawn.train.name,
        "classes": ", ".join(pictures.classes),
        "pictures": f"{len(pictures.train)} ({shots})",
        "fingerprint": fingerprint(pictures.classes, pictures.train),
    }
    said = {"name": request.name, "notes": request.notes, "licence": request.licence}
    return told | {name: text for name, text in said.items() if text}
