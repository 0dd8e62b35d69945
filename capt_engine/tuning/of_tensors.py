"""Tuning from Python: a CLIP, and labelled pictures as tensors or from a loader; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from capt_engine.attacks.loaders import LabelledTensors, batches, digest
from capt_engine.data.labelled_set import LabelledSet
from capt_engine.errors import BadRequest
from capt_engine.model.clip import Backbone, load_backbone
from capt_engine.model.learned_prompts import LearnedPrompts
from capt_engine.progress import Progress, WorkClock, no_progress
from capt_engine.records import TuneEpoch, TuneRequest
from capt_engine.tuning.callbacks import News
from capt_engine.tuning.defaults import chosen
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.pictures import Drawn, Read, require_every_class
from capt_engine.tuning.run import Run
from capt_engine.tuning.run_inputs import Pictures, RunInputs, reference_of


def tune(
    clip: Backbone,
    data: LabelledTensors,
    classes: Sequence[str],
    template: str,
    *,
    method: str = "capt",
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    eps: float | None = None,
    attack_steps: int | None = None,
    lambda_: float | None = None,
    alpha: str | None = None,
    coupling: str | None = None,
    n_ctx: int | None = None,
    depth: int | None = None,
    reference: Backbone | None = None,
    validation: LabelledTensors | None = None,
    patience: int = 0,
    precision: str = "fp32",
    seed: int = 0,
    on_epoch: Callable[[TuneEpoch], None] | None = None,
    progress: Progress = no_progress,
) -> LearnedPrompts:
    """Learn prompts for a frozen CLIP from a few labelled pictures (CAPT, or one of its relatives).

    A setting left at None takes the default of its method and model (docs/method.md). The same pictures, settings and
    seed give the same prompts, bit for bit on a CPU, whatever the batches of the loader.

    Args:
        clip: the CLIP that prompts are learned for, from `load_clip`; its weights stay as they are.
        data: training pictures, a pair (images, labels) or any loader of such pairs: pixels (n, 3, h, w), float in [0, 1], not
            normalised, at `clip.size`; labels (n,), indices into `classes`. All are read once and kept in memory, in the order in which
            they come: a loader that shuffles or augments gives other prompts each time.
        classes: k class names; each needs at least one training picture.
        template: a sentence with `{}` for the class name.
        method: "capt", or another that `capt tune --help` lists; not "tecoa", which tunes the image tower itself.
        epochs: passes over the training pictures.
        batch_size: pictures of one optimiser step.
        lr: the learning rate after the first epoch.
        eps: L∞ budget of the attack inside training, in pixel units [0, 1]; 0 trains on clean pictures.
        attack_steps: steps of the attack inside training.
        lambda_: the weight λ of the consistency terms.
        alpha: the rule for the adaptive weight α, such as "label_prob".
        coupling: which tower's prompts are learned, and which are derived from them.
        n_ctx: learned tokens per layer.
        depth: how many layers have learned tokens, from the first on.
        reference: the frozen model to stay consistent with, of the same input size; None for `clip` itself, or the model that a robust
            one was made from.
        validation: labelled pictures to measure after each epoch, given like `data`; None measures nothing.
        patience: stop when validation has not improved for so many epochs, and keep the best; 0 keeps the last.
        precision: "fp32", or "bf16" to run the image tower under autocast.
        seed: decides all random draws.
        on_epoch: called after each epoch with its loss and its accuracies on validation pictures; epoch 0 is zero-shot.
        progress: called at each step; what it raises ends the run.

    Returns:
        The prompts and a description of them; their method `save` writes both to a file, and `Classifier` takes them.

    Raises:
        BadRequest: pictures, labels or settings that do not fit; the sentence says what and how to mend it.
        UnknownName: a method, rule or coupling that there is not.
        TuningFailed: the loss is not a number any more.

    Example:
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, _ = capt.demo_pictures(clip, "colours", split="train", n=4)
        >>> y = (y == y[0]).long()
        >>> prompts = capt.tune(clip, (x, y), ["another colour", "red"], "a {} object.", epochs=1, batch_size=2)
        >>> prompts.document.method, prompts.document.figures["epochs"]
        ('capt', 1)
    """
    if METHODS[method].learns_tower:
        raise BadRequest("TeCoA tunes an image tower and learns no prompts.", "Use `capt tune --method tecoa`.")
    if isinstance(classes, str) or not classes:
        raise BadRequest("There is no list of class names.", 'Give at least one, as in ["cat", "dog"].')
    if patience and validation is None:
        raise BadRequest(
            "There are no validation pictures, so nothing says when to stop early.",
            "Give some, or leave the patience at 0.",
        )
    request = TuneRequest(
        data="",
        out="",
        model=clip.id,
        method=method,
        shots=None,
        seed=seed,
        template=template,
        eps=eps,
        attack_steps=attack_steps,
        lambda_=lambda_,
        alpha=alpha,
        reference="original" if reference is None else reference.id,
        coupling=coupling,
        n_ctx=n_ctx,
        depth=depth,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        patience=patience,
        precision=precision,
    )
    settings = chosen(request, clip)
    train = _read(data, clip, len(classes))
    require_every_class(classes, train)
    watched = None if validation is None else _read(validation, clip, len(classes))
    pictures = Pictures(Drawn(LabelledSet("tensors", tuple(classes), (), template), None), train, watched, ())
    clock = WorkClock(progress)
    frozen = reference_of(request, clip, lambda name: reference or load_backbone(name, clip.mean.device))
    inputs = RunInputs(request, clip, frozen, settings, pictures, clock)

    def hear(news: News) -> None:
        if on_epoch is not None and isinstance(news, TuneEpoch):
            on_epoch(news)

    return Run(inputs, None, None if on_epoch is None else hear, clock).tune()


def _read(data: LabelledTensors, clip: Backbone, classes: int) -> Read:
    """All pictures, as bytes where they are whole 255ths, which loses nothing and takes a quarter of the memory."""
    images, labels = (torch.cat(parts) for parts in zip(*batches(data, (clip.size, clip.size), classes), strict=True))
    stored = (images * 255).round().byte()
    digests = tuple(digest(image) for image in images)
    return Read(stored if torch.equal(stored.float() / 255, images) else images, labels, digests)
