"""The inputs of a tuning run once its request has been read: pictures, models, and the settings that decide its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, Threat
from capt_engine.errors import BadRequest
from capt_engine.model.batch_sizes import memory_key, remember, remembered
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, initial_context, prompted_ids
from capt_engine.model.text import tokens_of
from capt_engine.progress import Progress
from capt_engine.records import FailedPicture, TuneRequest, unknown_sentences
from capt_engine.records.vocabulary import alike, alike_sentences
from capt_engine.tuning.augment import CropFlip
from capt_engine.tuning.defaults import Chosen
from capt_engine.tuning.inner_attack import InnerAttack
from capt_engine.tuning.loop import Recipe, Reference, State, Tuning
from capt_engine.tuning.objective import OBJECTIVES, Settings
from capt_engine.tuning.pictures import Drawn, Read, fingerprint, read_pictures, require_every_class
from capt_engine.tuning.prompted import PromptedClip, PromptLearner
from capt_engine.tuning.validation import Validator, validator_of

_CONTEXT_STD = 0.02
_REFERENCE_BATCH = 64


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run: what was drawn, what of it could be read (val None: nothing to validate on), and what could not."""

    drawn: Drawn
    train: Read
    val: Read | None
    failed: tuple[FailedPicture, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the class names, in the order of the labels."""
        return self.drawn.train.classes

    @property
    def count(self) -> int:
        """Return the number of training and validation pictures that could be read."""
        return len(self.train) + (len(self.val) if self.val is not None else 0)


def read_all(
    request: TuneRequest, drawn: Drawn, backbone: Backbone, progress: Progress, *, every_class: bool = True
) -> Pictures:
    """Read the training and validation pictures in `drawn` as the model `backbone` sees them.

    request: the run, which says whether original sizes are needed. progress: called before each picture. every_class:
    raise BadRequest where a class has no training picture that can be read.
    """
    parts = [part for part in (drawn.train, drawn.val) if part is not None]
    total = sum(len(part.items) for part in parts)
    read: list[Read] = []
    failed: list[FailedPicture] = []
    done = 0

    def between(at: int) -> None:
        progress(done + at, total, "reading pictures")

    for part in parts:
        is_train = part is drawn.train
        pictures, broken = read_pictures(part, backbone, between, originals=is_train and request.augment != "none")
        read.append(pictures)
        failed += broken
        done += len(part.items)
    train, val = read[0], read[1] if len(read) > 1 and len(read[1]) else None
    if every_class:
        require_every_class(drawn.train.classes, train)
    return Pictures(drawn, train, val, tuple(failed))


def reference_of(request: TuneRequest, backbone: Backbone, load: Callable[[str], Backbone]) -> Backbone:
    """Return the frozen reference model that `request` names: `backbone`, the model it was made from, or another.

    load: loads a model by its id. Raises BadRequest where the reference takes pictures of another size.
    """
    wanted = request.reference
    if wanted == "original":
        wanted = backbone.base.id if backbone.base is not None else "same"
    if wanted in ("same", backbone.id):
        return backbone
    reference = load(wanted)
    if reference.size != backbone.size:
        raise BadRequest(
            f"The reference model {wanted!r} sees pictures of {reference.size} pixels, the model of {backbone.size}.",
            "Choose a reference of the same input size, or the model itself (same).",
        )
    return reference


def unknown_in(backbone: Backbone, classes: Sequence[str], template: str) -> list[str]:
    """Return sentences on class names that are the same tokens to the model to be tuned, and on words that it was never trained on."""
    known = backbone.vocabulary
    same = alike_sentences(alike(classes, tokens_of(backbone, classes)))
    return [*same, *(() if known is None else unknown_sentences(known.unknown(classes, template, tuned=classes)))]


class RunInputs:
    """The fixed inputs of a run: request, models, settings, pictures, and what is computed of them once."""

    def __init__(
        self,
        request: TuneRequest,
        backbone: Backbone,
        reference: Backbone,
        settings: Chosen,
        pictures: Pictures,
        progress: Progress,
    ) -> None:
        self.request, self.backbone, self.settings, self.pictures = request, backbone, settings, pictures
        self.template = request.template or pictures.drawn.train.template
        self.device = backbone.mean.device
        ids = prompted_ids(backbone, self.classes, self.template, settings.shape.n_ctx)
        self._clip = PromptedClip(backbone, ids, request.precision)
        self._labels = pictures.train.labels.to(self.device)
        self._reference_sha256 = reference.sha256
        self._reference = Classifier(reference, self.classes, self.template, precision=request.precision)
        augmented = request.augment != "none"
        self._changed = CropFlip(pictures.train.originals, backbone.size, request.seed) if augmented else None
        # Augmented pictures are new each time, so the reference model sees them at each step instead.
        self._clean_reference = torch.empty(0) if augmented else self._all_reference_logits(progress)

    @property
    def classes(self) -> Sequence[str]:
        """Return the class names, in the order of the labels."""
        return self.pictures.classes

    def fresh_prompts(self) -> Prompts:
        """Make the prompts that tuning starts from, on the run's device; the same seed gives the same prompts."""
        stream = torch.Generator().manual_seed(self.request.seed)
        shape = self.settings.shape
        context = initial_context(self.backbone, self.template, shape.n_ctx)
        if self.settings.method.random_context:
            context = torch.randn(context.shape, generator=stream) * _CONTEXT_STD
        return Prompts(self.backbone, shape, context, stream).to(self.device)

    def classifier(self, prompts: Prompts | None) -> Classifier:
        """Make a classifier over the run's classes, with `prompts`; None makes the zero-shot one, from the template."""
        return Classifier(self.backbone, self.classes, self.template, precision=self.request.precision, prompts=prompts)

    def validator(self) -> Validator:
        """Make the validator that measures the run after every epoch, on the validation pictures.

        Where there are none, it only shows a few training pictures.
        """
        return validator_of(self.pictures.train, self.pictures.val, self.settings.eps, self.request.seed)

    def tuning(
        self,
        prompts: Prompts,
        state: State,
        batch_size: int,
        at_once: int | None = None,
        on_smaller: Callable[[int], None] = lambda _: None,
    ) -> Tuning:
        """Make the training loop that changes `prompts` in place, over the training pictures of the run.

        state: the state to go on from; an empty one starts at the first epoch. batch_size: pictures in a step. at_once:
        those that go through the model together; None: as many as fitted last time. on_smaller: called with fewer of
        them where memory runs out.
        """
        request, settings = self.request, self.settings
        attacked = settings.method.attacked and settings.eps > 0
        inner = InnerAttack(
            Threat(LINF, settings.eps), settings.attack_step_size, settings.attack_steps, settings.attack_loss
        )
        terms = Settings(
            settings.lambda_, settings.alpha, request.alpha_const, request.kl_direction, request.detach_clean
        )
        recipe = Recipe(
            objective=OBJECTIVES[settings.method.objective],
            settings=terms,
            attack=inner if attacked else None,
            epochs=settings.epochs,
            batch_size=batch_size,
            lr=settings.lr,
            seed=request.seed,
        )

        def smaller(n: int) -> None:
            remember(self.memory_key, n, self.device)
            on_smaller(n)

        return Tuning(
            PromptLearner(self._clip, prompts),
            recipe,
            self.pictures.train.images,
            self._labels,
            Reference(self._clean_reference, self._reference_logits),
            state,
            self._changed,
            at_once or remembered(self.memory_key, self.device) or None,
            smaller,
        )

    @property
    def memory_key(self) -> str:
        """Return the name under which is remembered how many pictures go through the model at once."""
        side, kind = self.backbone.size, f"tuning-{self.settings.method.name}-{len(self.classes)}"
        return memory_key(self.backbone.sha256, kind, self.device, self.request.precision, side, side)

    def _all_reference_logits(self, progress: Progress) -> Tensor:
        """The reference model's logits (N, k) of the clean training pictures, computed once for the whole run."""
        train, rows = self.pictures.train, []
        for at in range(0, len(train), _REFERENCE_BATCH):
            progress(at, len(train), "asking the reference model")
            rows.append(self._reference_logits(train.pixels(slice(at, at + _REFERENCE_BATCH)).to(self.device)))
        return torch.cat(rows)

    def _reference_logits(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            return self._reference(images)

    def plain_settings(self, batch_size: int) -> dict[str, object]:
        """Return every setting of the run by name, as numbers and text, for the prompts' file.

        batch_size: the one in use, which an older version may have halved.
        """
        request = self.request
        of_run = {name: value for name, value in vars(self.settings).items() if name not in ("method", "shape")}
        return {
            "shots": request.shots,
            "subsample_classes": request.subsample_classes,
            "alpha_const": request.alpha_const,
            "kl_direction": request.kl_direction,
            "detach_clean": request.detach_clean,
            "reference": request.reference,
            "augment": request.augment,
            "patience": request.patience,
            "precision": request.precision,
            **of_run,
            "batch_size": batch_size,
            "label": request.name or self.settings.method.label,
        }

    def identity(self) -> dict[str, object]:
        """Return by name all that decides the result: model, classes, data, seed and settings, as numbers and text.

        An interrupted run is resumed only where all of it is the same.
        """
        val, shape = self.pictures.val, self.settings.shape
        return {
            "method": self.settings.method.name,
            "model": self.backbone.sha256,
            "reference model": self._reference_sha256,
            "classes": list(self.classes),
            "template": self.template,
            "data": self.fingerprint(),
            "validation data": fingerprint(self.classes, val) if val is not None else "",
            "seed": self.request.seed,
            "coupling": shape.coupling,
            "n_ctx": shape.n_ctx,
            "depth": shape.depth,
            **self.plain_settings(self.settings.batch_size),
        }

    def fingerprint(self) -> str:
        """Return a SHA-256, in hexadecimal, of the training pictures and their class names."""
        return fingerprint(self.classes, self.pictures.train)
