"""From a request to a checkpoint: read, forecast, tune, watch, save; and go on where an earlier run was stopped."""

from __future__ import annotations

import copy
import importlib.metadata
import itertools
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, Step, Threat
from capt_engine.errors import BadRequest, DeviceProblem
from capt_engine.model import checkpoints
from capt_engine.model.checkpoints import Document, MadeFor
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, first_words, prompted_ids
from capt_engine.model.vision import encode_pixels
from capt_engine.records import (
    FailedPicture,
    PromptsInfo,
    Share,
    TuneEpoch,
    TuneForecast,
    TuneRequest,
    TuneResult,
    TuneStep,
)
from capt_engine.tuning import state as states
from capt_engine.tuning.augment import CropFlip
from capt_engine.tuning.defaults import Chosen, chosen
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Recipe, State, Tuning, TuningFailed, forecast, has_collapsed
from capt_engine.tuning.memory import peak_bytes
from capt_engine.tuning.objective import OBJECTIVES, Settings
from capt_engine.tuning.pictures import Drawn, Read, draw, fingerprint, read_pictures, require_every_class
from capt_engine.tuning.prompted import PromptedClip
from capt_engine.tuning.watch import Watch

News = TuneForecast | TuneStep | TuneEpoch | str
Tell = Callable[[News], None]

DRY_STEPS = 3
_OVERFITTED_AFTER = 3
_CONTEXT_STD = 0.02
# These have no consistency term, so its absence says nothing about them.
_WITHOUT_CONSISTENCY = ("clean", "adversarial")


def tune(
    request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone], tell: Tell, tick: Step
) -> TuneResult:
    """Learn prompts for `backbone` and write them to `request.out`; news leave through `tell`, in order.

    load: a model by its id, for the guide. After each epoch the state is kept beside `out`, until the end.
    Raises CaptError; TuningFailed and Cancelled leave the last epoch's state.
    """
    started_s = time.monotonic()
    out = _checked_out(request)
    settings = chosen(request, backbone)
    drawn = draw(request)
    run = _Run(request, backbone, settings, drawn, tell, tick)
    run.prepare(load)
    saved = _saved(request, out, run.identity())
    if saved is not None:
        run.go_on(saved)
    run.tune(states.state_path(out))
    document = run.document()
    checkpoints.save(out, run.kept(), document)
    states.state_path(out).unlink(missing_ok=True)
    return run.result(out, document, time.monotonic() - started_s)


def _checked_out(request: TuneRequest) -> Path:
    out = Path(request.out)
    if out.suffix != ".safetensors":
        raise BadRequest(f"{request.out!r} is no name for a prompts file.", "It must end in .safetensors.")
    if not out.absolute().parent.is_dir():
        raise BadRequest(f"There is no folder {str(out.absolute().parent)!r}.", "Make it first, or choose another.")
    state = states.state_path(out)
    if not request.resume and state.exists():
        raise BadRequest(
            f"An earlier run that was to write {request.out!r} was stopped; its state is in {state.name!r}.",
            "Give --resume to go on with it, choose another name, or remove that file.",
        )
    if out.exists() and not state.exists():
        raise BadRequest(
            f"{request.out!r} is there already, and is not written over.", "Choose another name, or remove it first."
        )
    return out


def _saved(request: TuneRequest, out: Path, identity: dict[str, Any]) -> states.Saved | None:
    path = states.state_path(out)
    if not request.resume or not path.exists():
        return None
    saved = states.read(path)
    difference = states.first_difference(identity, saved.settings)
    if difference:
        raise BadRequest(
            f"The stopped run was another one: {difference}.",
            f"Give the same settings and data to go on with it, or choose another name, or remove {path.name!r}.",
        )
    return saved


class _Bf16(PromptedClip):
    """The image tower under autocast; features and logits are fp32."""

    def logits(self, images: Tensor, tokens: Any, text: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(images.device.type, dtype=torch.bfloat16):
            features = encode_pixels(self.backbone, images, tokens.vision)
        return self._scale * features @ text.T, features


@dataclass
class _Figures:
    """What the run has found so far; the same after a resume."""

    epochs: list[TuneEpoch]
    notes: list[str]
    best_epoch: int = 0
    zero_shot: tuple[Share | None, Share | None] = (None, None)
    ended: str = ""


class _Run:
    """One tuning run; what it is made of is ready after `prepare`."""

    def __init__(
        self, request: TuneRequest, backbone: Backbone, settings: Chosen, drawn: Drawn, tell: Tell, tick: Step
    ) -> None:
        self.request, self.backbone, self.settings = request, backbone, settings
        self.tell, self.tick = tell, tick
        self.data = drawn.train
        self.template = request.template or drawn.train.template
        self.figures = _Figures([], list(drawn.notes))
        self.failed: list[FailedPicture] = []
        self.batch = settings.batch
        self.best: dict[str, Tensor] = {}
        self.state = State()
        self._drawn = drawn
        self._validation_s = 0.0

    # Before the first step

    def prepare(self, load: Callable[[str], Backbone]) -> None:
        """Read the pictures, make the prompts and ask the guide."""
        request, backbone, device = self.request, self.backbone, self.backbone.mean.device
        wanted = [part for part in (self._drawn.train, self._drawn.val) if part is not None]
        total = sum(len(part.items) for part in wanted)
        augmented = request.augment != "none"
        read: list[Read] = []
        for part in wanted:
            before = sum(len(other.items) for other in wanted[: len(read)])
            pictures, failed = read_pictures(
                part,
                backbone,
                lambda at, before=before: self.tick(before + at, total, "reading pictures"),  # type: ignore[misc]
                originals=augmented and part is self._drawn.train,
            )
            self.failed += failed
            read.append(pictures)
        self.train, self.val = read[0], read[1] if len(read) > 1 and len(read[1]) else None
        require_every_class(self.data.classes, self.train)
        if request.patience and self.val is None:
            raise BadRequest(
                "There are no validation pictures, so nothing says when to stop early.",
                "Leave --patience at 0, or add a part called val.",
            )
        ids = prompted_ids(backbone, self.data.classes, self.template, self.settings.shape.length)
        self.clip = (PromptedClip if request.precision == "fp32" else _Bf16)(backbone, ids)
        self.prompts = self._fresh_prompts().to(device)
        self.labels = self.train.labels.to(device)
        guide_backbone = self._guide_backbone(load)
        self.guide_sha256 = guide_backbone.sha256
        self.guide = Classifier(guide_backbone, self.data.classes, self.template, precision=request.precision)
        self.guide_logits = self._asked() if not augmented else torch.empty(0)
        self.changed = CropFlip(self.train.originals, backbone.size, request.seed) if augmented else None
        self.watch = (
            Watch(self.val, self._classifier, self.settings.eps, request.seed) if self.val is not None else None
        )

    def _fresh_prompts(self) -> Prompts:
        stream = torch.Generator().manual_seed(self.request.seed)
        shape = self.settings.shape
        context = first_words(self.backbone, self.template, shape.length)
        if self.settings.method.random_context:
            context = torch.randn(context.shape, generator=stream) * _CONTEXT_STD
        return Prompts(self.backbone, shape, context, stream)

    def _classifier(self, prompts: Prompts | None) -> Classifier:
        return Classifier(
            self.backbone, self.data.classes, self.template, precision=self.request.precision, prompts=prompts
        )

    def _guide_backbone(self, load: Callable[[str], Backbone]) -> Backbone:
        wanted, ours = self.request.guide, self.backbone
        base = getattr(ours, "base", None)
        if wanted == "original":
            wanted = base.id if base is not None else "same"
        if wanted in ("same", ours.id):
            return ours
        self.tick(0, 0, f"loading {wanted}")
        guide = load(wanted)
        if guide.size != ours.size:
            raise BadRequest(
                f"The guide {wanted!r} sees pictures of {guide.size} pixels, the model of {ours.size}.",
                "Choose a guide of the same input size, or --guide same.",
            )
        return guide

    def _asked(self) -> Tensor:
        """The guide's clean logits (N, k), once for the whole run."""
        rows = []
        for at in range(0, len(self.train), 64):
            self.tick(at, len(self.train), "asking the guide")
            rows.append(self._guide_of((self.train.images[at : at + 64].float() / 255).to(self.labels.device)))
        return torch.cat(rows)

    def _guide_of(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return self.guide(images)

    # What the run is

    def identity(self) -> dict[str, Any]:
        """Everything that decides the result, as plain values; a stopped run is only gone on with where all of it is the same."""
        request, shape = self.request, self.settings.shape
        return {
            "method": self.settings.method.name,
            "model": self.backbone.sha256,
            "classes": list(self.data.classes),
            "template": self.template,
            "data": fingerprint(self.data.classes, self.train),
            "validation data": fingerprint(self.data.classes, self.val) if self.val is not None else "",
            "seed": request.seed,
            "coupling": shape.coupling,
            "length": shape.length,
            "depth": shape.depth,
            "guide model": self.guide_sha256,
            **self._told_settings(self.settings.batch),
        }

    def _told_settings(self, batch: int) -> dict[str, Any]:
        request, settings = self.request, self.settings
        return {
            "shots": request.shots,
            "half": request.half,
            "eps": settings.eps,
            "attack_steps": settings.attack_steps,
            "attack_step_size": settings.attack_step_size,
            "attack_loss": settings.attack_loss,
            "weight": settings.weight,
            "alpha": settings.alpha,
            "alpha_const": request.alpha_const,
            "kl_direction": request.kl_direction,
            "detach_clean": request.detach_clean,
            "guide": request.guide,
            "epochs": settings.epochs,
            "batch": batch,
            "rate": settings.rate,
            "augment": request.augment,
            "patience": request.patience,
            "precision": request.precision,
            "name": request.name,
        }

    def go_on(self, saved: states.Saved) -> None:
        """Take up a stopped run after its last whole epoch."""
        self.prompts.load_state_dict(saved.prompts)
        self.state = State(saved.epoch, saved.momentum)
        self.best, self.batch = saved.best, saved.batch
        self.figures.epochs = [_epoch_from(told) for told in saved.epochs]
        self.figures.best_epoch = saved.best_epoch
        self.figures.notes = list(saved.notes)
        self.tell(f"Going on after epoch {saved.epoch} of {self.settings.epochs}.")
        for one in self.figures.epochs:
            self.tell(one)

    # The run

    def _tuning(self, prompts: Prompts, state: State) -> Tuning:
        request, settings = self.request, self.settings
        attack = (
            InnerAttack(
                Threat(LINF, settings.eps), settings.attack_step_size, settings.attack_steps, settings.attack_loss
            )
            if settings.method.attacked and settings.eps > 0
            else None
        )
        terms = Settings(
            settings.weight, settings.alpha, request.alpha_const, request.kl_direction, request.detach_clean
        )
        recipe = Recipe(
            OBJECTIVES[settings.method.objective],
            terms,
            attack,
            settings.epochs,
            self.batch,
            settings.rate,
            request.seed,
        )
        return Tuning(
            self.clip,
            prompts,
            recipe,
            self.train.images,
            self.labels,
            self.guide_logits,
            self._guide_of,
            state,
            self.changed,
        )

    def tune(self, state_file: Path) -> None:
        """Measure plain text, forecast, and run the epochs that are left; `state_file` is replaced after each."""
        if self.watch is not None:
            started_s = time.monotonic()
            self.figures.zero_shot = self.watch.measure(None, lambda: self.tick(0, 0, "validating plain text"))
            self._validation_s = time.monotonic() - started_s
        if self.state.epoch < self.settings.epochs:
            self._with_smaller_batch(self._forecast)
        while self.state.epoch < self.settings.epochs and not self._should_stop():
            self._with_smaller_batch(lambda: self._epoch(state_file))
        stopped = self.state.epoch < self.settings.epochs
        self.figures.ended = (
            f"stopped early: the validation had not improved for {self.request.patience} epochs"
            if stopped
            else f"all {self.settings.epochs} epochs"
        )

    def _with_smaller_batch(self, work: Callable[[], None]) -> None:
        """Do `work`; where memory runs out, do it again from its start with half the batch."""
        while True:
            try:
                work()
                return
            except torch.OutOfMemoryError:
                if self.batch == 1:
                    raise DeviceProblem(
                        f"{self.labels.device.type} ran out of memory with a single picture a step.",
                        "Use --device cpu, fewer classes, or a smaller model.",
                    ) from None
            self.batch = self.batch // 2
            note = f"Memory ran out in epoch {self.state.epoch + 1}; from there on the batch is {self.batch}."
            self.figures.notes.append(note)
            self.tell(note)
            torch.cuda.empty_cache()

    def _forecast(self) -> None:
        trial = self._tuning(copy.deepcopy(self.prompts), copy.deepcopy(self.state))
        seconds = trial.trial(DRY_STEPS, lambda *_: self.tick(0, 0, "trying three steps"))
        epochs = self.settings.epochs - self.state.epoch
        steps = trial.steps_per_epoch * epochs
        self.tell(
            TuneForecast(
                steps=steps,
                seconds=forecast(seconds, steps) + epochs * self._validation_s,
                memory_bytes=peak_bytes(self.labels.device),
                parameters=self._parameters(),
                batch=self.batch,
            )
        )

    def _parameters(self) -> int:
        return sum(p.numel() for p in self.prompts.parameters())

    def _epoch(self, state_file: Path) -> None:
        prompts = copy.deepcopy(self.prompts)
        tuning = self._tuning(prompts, self.state)
        logs = next(tuning.epochs(self.tick, self.tell))
        if not all(bool(torch.isfinite(p).all()) for p in prompts.parameters()):
            raise TuningFailed(
                f"The prompts hold values that are no numbers after epoch {tuning.state.epoch}.",
                "Try a lower learning rate, or a smaller λ.",
            )
        clean, robust = self._validated(prompts, tuning)
        # Only here is the epoch taken over: whatever stops it earlier leaves the run at its start.
        self.prompts, self.state = prompts, tuning.state
        best = max((_score(one) for one in self.figures.epochs), default=-1)
        loss = sum(log.loss for log in logs) / len(logs)
        told = TuneEpoch(self.state.epoch, self.settings.epochs, loss, clean, robust, is_best=False)
        if _score(told) > best or clean is None:
            told = replace(told, is_best=True)
            self.figures.best_epoch = self.state.epoch
            self.best = {name: value.detach().clone() for name, value in prompts.state_dict().items()}
        self.figures.epochs.append(told)
        self._notice(logs)
        self._save_state(state_file)
        self.tell(told)

    def _validated(self, prompts: Prompts, tuning: Tuning) -> tuple[Share | None, Share | None]:
        if self.watch is None:
            return None, None
        done, total = tuning.state.epoch * tuning.steps_per_epoch, self.settings.epochs * tuning.steps_per_epoch
        return self.watch.measure(prompts, lambda: self.tick(done, total, f"validating epoch {tuning.state.epoch}"))

    def _save_state(self, path: Path) -> None:
        states.write(
            path,
            states.Saved(
                settings=self.identity(),
                epoch=self.state.epoch,
                batch=self.batch,
                best_epoch=self.figures.best_epoch,
                prompts=self.prompts.state_dict(),
                best=self.best,
                momentum=self.state.momentum,
                epochs=[asdict(one) for one in self.figures.epochs],
                notes=self.figures.notes,
            ),
        )

    def _notice(self, logs: list[TuneStep]) -> None:
        """Say once what looks wrong, and what may help."""
        found = []
        watched = self.settings.method.objective not in _WITHOUT_CONSISTENCY
        if watched and has_collapsed(logs, len(self.data.classes)):
            found.append(
                "The prompts have collapsed: clean and attacked pictures get the same constant answer. A lower learning rate (--lr), a "
                "larger weight of the guide (--lambda) or --coupling vision_to_text may help."
            )
        if _overfits(self.figures.epochs):
            found.append(
                f"Robust over-fitting: for {_OVERFITTED_AFTER} epochs validation has risen clean and fallen under attack. Fewer epochs "
                "(--epochs) or stopping early (--patience) may help."
            )
        for note in found:
            if not any(note in old for old in self.figures.notes):
                self.figures.notes.append(f"After epoch {self.state.epoch}: {note}")
                self.tell(note)

    def _should_stop(self) -> bool:
        patience = self.request.patience
        return patience > 0 and self.state.epoch - self.figures.best_epoch >= patience

    # The end

    def kept_epoch(self) -> int:
        """The best one where the run watches for it, else the last, as published."""
        return self.figures.best_epoch if self.request.patience else self.state.epoch

    def kept(self) -> Prompts:
        """The prompts of the epoch that is kept."""
        kept = copy.deepcopy(self.prompts)
        if self.kept_epoch() != self.state.epoch:
            kept.load_state_dict(self.best)
        return kept

    def document(self) -> Document:
        """What the checkpoint says about itself; nothing in it depends on when or how fast it was made."""
        figures = self.figures
        kept = next(one for one in figures.epochs if one.epoch == self.kept_epoch())
        return Document(
            method=self.settings.method.name,
            backbone=MadeFor.of(self.backbone),
            shape=self.settings.shape,
            template=self.template,
            classes=self.data.classes,
            settings=self._told_settings(self.batch),
            data=fingerprint(self.data.classes, self.train),
            seed=self.request.seed,
            versions=_versions(),
            figures={
                "data": self.data.name,
                "n_train": len(self.train),
                "n_val": len(self.val) if self.val is not None else 0,
                "parameters": self._parameters(),
                "epochs": len(figures.epochs),
                "kept_epoch": kept.epoch,
                "ended": figures.ended,
                "validation_attack": "PGD-10 with the training budget",
                "zero_shot_clean": _plain(figures.zero_shot[0]),
                "zero_shot_robust": _plain(figures.zero_shot[1]),
                "clean": _plain(kept.clean),
                "robust": _plain(kept.robust),
            },
            notes="\n".join([note for note in (self.request.notes, *figures.notes) if note]),
            licence=self.request.licence,
        )

    def result(self, out: Path, document: Document, seconds: float) -> TuneResult:
        """The summary."""
        request, figures = self.request, self.figures
        kept = next(one for one in figures.epochs if one.epoch == self.kept_epoch())
        shots = "all pictures" if request.shots is None else f"{request.shots}-shot"
        label = f"{self.settings.method.label}, {self.data.name}, {shots}"
        return TuneResult(
            out=str(out),
            method=document.method,
            model=request.model,
            classes=document.classes,
            shots=request.shots,
            n_train=len(self.train),
            n_val=len(self.val) if self.val is not None else 0,
            epochs=len(figures.epochs),
            kept_epoch=kept.epoch,
            ended=figures.ended,
            clean=kept.clean,
            robust=kept.robust,
            zero_shot_clean=figures.zero_shot[0],
            zero_shot_robust=figures.zero_shot[1],
            seconds=seconds,
            memory_bytes=peak_bytes(self.labels.device),
            parameters=self._parameters(),
            prompts=PromptsInfo(
                id=str(out),
                label=request.name or label,
                summary=label,
                model=request.model,
                method=document.method,
                classes=document.classes,
                template=document.template,
            ),
            failed=tuple(self.failed),
            notes=tuple(figures.notes),
        )


def _score(one: TuneEpoch) -> int:
    """By this epochs are compared: right answers, clean and attacked together."""
    return (one.clean.k if one.clean else 0) + (one.robust.k if one.robust else 0)


def _overfits(epochs: list[TuneEpoch]) -> bool:
    last = epochs[-1 - _OVERFITTED_AFTER :]
    if len(last) <= _OVERFITTED_AFTER:
        return False
    return all(
        one.clean is not None
        and one.robust is not None
        and two.clean is not None
        and two.robust is not None
        and two.robust.k < one.robust.k
        and two.clean.k > one.clean.k
        for one, two in itertools.pairwise(last)
    )


def _epoch_from(told: dict[str, Any]) -> TuneEpoch:
    shares = {name: Share(**told[name]) if told[name] else None for name in ("clean", "robust")}
    return TuneEpoch(**{**told, **shares})


def _plain(of: Share | None) -> dict[str, int | float] | None:
    return asdict(of) if of is not None else None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("capt-explorer", "torch", "open_clip_torch"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found
