"""Evaluation from Python: a CLIP classifier or any torch module, and labelled pictures as tensors or from a loader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from torch import Tensor, nn

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Attack
from capt_engine.attacks.inputs import count_classes
from capt_engine.attacks.loaders import LabelledTensors, batches, count, digest
from capt_engine.checks.forecast import PICTURES
from capt_engine.checks.from_rows import rows_first
from capt_engine.data.images import Photo
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import RunProgress, run_batches
from capt_engine.evaluation.checks import Spread, live_checks
from capt_engine.evaluation.course import Asked, Input
from capt_engine.evaluation.known import Known, known_of
from capt_engine.evaluation.picture_reader import Batch, Stored
from capt_engine.evaluation.picture_sets import picture_of
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.formatting import Cell
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.classifier import Classifier
from capt_engine.progress import Progress, no_progress
from capt_engine.records import (
    NO_PROMPTS,
    AnalyzeResult,
    AttackSpec,
    EvaluateRequest,
    FailedPicture,
    PictureRow,
    RunOptions,
    ThreatModel,
)
from capt_engine.registry import describe
from capt_engine.runs.table import cells
from capt_engine.wrappers.plain_module import PlainModule, device_of

UNSAVED = "unsaved prompts"
"""The id, in rows, of prompts that no file holds yet."""


@dataclass(frozen=True)
class Evaluation:
    """The outcome of an evaluation.

    Attributes:
        summary: all counts, as `capt evaluate --json` prints them: per attack, per class, the curve over ε, checks, calibration.
        pictures: one record per picture, attack and budget, with both answers and every metric.
    """

    summary: AnalyzeResult
    pictures: tuple[PictureRow, ...]

    @property
    def clean_accuracy(self) -> float | None:
        """Return the share of pictures that are right before any attack, in [0, 1]; None without pictures."""
        return self.summary.clean_accuracy

    @property
    def robust_accuracy(self) -> float | None:
        """Return the share that stays right under all attacks at the largest budget, in [0, 1]; None without attack."""
        return self.summary.robust_accuracy

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % Wilson interval of the robust accuracy as (low, high), in [0, 1]; None without an attack."""
        return self.summary.robust_interval

    def rows(self) -> list[dict[str, Cell]]:
        """Return the rows of the evaluation's CSV: one dictionary, column → value, per picture, attack and budget.

        None stands for what was not measured.
        """
        return [cells(one) for one in self.pictures]


def evaluate(
    model: Classifier | nn.Module,
    data: LabelledTensors,
    *,
    classes: Sequence[str] | None = None,
    attacks: str | Attack | Sequence[str | Attack] = ("pgd",),
    eps: float | Sequence[float] | None = None,
    norm: str = "linf",
    target: str | None = None,
    suite: str = "",
    skip_broken: bool = False,
    checks: str = "cheap",
    batch_size: int = 0,
    seed: int = 0,
    progress: Progress = no_progress,
    cache: bool = True,
) -> Evaluation:
    """Attack labelled pictures and return clean and robust accuracy: the worst case over the attacks, per budget.

    Args:
        model: a `Classifier`, or any torch module in evaluation mode that gives logits (n, k) for pixels in [0, 1]. A module has no
            embeddings, class texts or zero-shot model: what needs them is not measured, and checks that need them are not run.
        data: a pair (images, labels), or any loader of such pairs: pixels (n, 3, h, w), float in [0, 1], not normalised, at the size that
            the model takes; labels (n,), indices of the classes.
        classes: k names for the outputs of a module; default "0", "1", …. A `Classifier` has its own.
        attacks: names ("apgd-ce"; `capt attacks` lists them) or attacks with settings (`capt.PGD(steps=100)`); none for clean
            accuracy only.
        eps: one budget or several, in pixel units [0, 1], measured by the norm; default 4/255 for L∞ and 1 for L2.
        norm: "linf" or "l2".
        target: the class that the attacker wants to see; None for any wrong one.
        suite: also the attacks of a suite: "quick" or "standard" (AutoAttack).
        skip_broken: attack each picture only until the first attack breaks it: the same robust accuracy, sooner.
        checks: "off"; "cheap", which asks the model again about up to 8 pictures; or "full", about up to 100.
        batch_size: pictures of one forward pass; 0 lets the engine choose.
        seed: with a picture's pixels it decides all its random draws, whatever the batch.
        progress: called at each step; what it raises ends the evaluation.
        cache: look results up in the result store first, and store those that are computed (`capt cache` shows and empties it); False
            computes everything. Of a module nothing is stored, as nothing says what it is.

    Returns:
        The accuracies with 95 % intervals, and one row per picture, attack and budget.

    Raises:
        BadRequest: pictures, labels or settings that do not fit; the sentence says what and how to mend it.
        UnknownName: an attack, suite, norm or class that there is not.
        DeviceProblem: a single picture takes more memory than there is.

    Example:
        >>> import torch
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, classes = capt.demo_pictures(clip, n=4)
        >>> model = capt.Classifier(clip, classes, "a photo of a {}.")
        >>> result = capt.evaluate(model, (x, y), attacks=capt.PGD(steps=5), eps=[1 / 255, 8 / 255])
        >>> result.clean_accuracy, result.robust_accuracy
        (1.0, 0.0)
        >>> len(result.rows())
        8
        >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(len(classes))).eval()
        >>> capt.evaluate(network, (x, y), attacks="fgsm", classes=classes).summary.model
        'Sequential'
    """
    classifier, read = _classifier(model, data, classes)
    wanted = [attacks] if isinstance(attacks, str | Attack) else list(attacks)
    budgets = (NORMS[norm].default_eps,) if eps is None else tuple(eps) if isinstance(eps, Sequence) else (eps,)
    request = EvaluateRequest(
        "",
        attacks=tuple(_spec(one) for one in wanted),
        suite=suite,
        skip_broken=skip_broken,
        curve=tuple(map(float, budgets)),
        checks=checks,
        options=RunOptions(
            model=classifier.id,
            classes=classifier.classes,
            template=classifier.template,
            threat=ThreatModel(norm, float(max(budgets, default=0)), target),
            seed=seed,
            batch_size=batch_size,
        ),
    )
    learned = classifier.learned
    name = NO_PROMPTS if classifier.zero_shot is classifier else UNSAVED if learned is None else learned.name or UNSAVED
    variant = Variant(name, classifier)
    if learned is not None:
        rule = AlphaRule.of(learned.document.method, learned.document.settings)
        variant = Variant(name, classifier, learned.sha256, rule)
    plan = plan_evaluation(request, [variant], classifier.zero_shot, "given")
    rows: list[PictureRow | FailedPicture] = []
    spread = Spread(PICTURES[plan.checks])
    with ExitStack() as closing:
        # The caller may have changed the model since it was loaded, so it is asked who it is each time.
        if (known := known_of(plan, wanted=cache, may_change=True)) is not None:
            closing.enter_context(known)
        pace = RunProgress(progress, plan.units, count(data))
        summary = run_batches(plan, _inputs(read, spread, known), pace, rows.extend, known=known)
        live = live_checks(plan, spread.chosen(), progress, known)
    note = "" if known is None else known.note
    summary = replace(summary, checks=rows_first(summary.checks, live), store_note=note)
    return Evaluation(summary, tuple(one for one in rows if isinstance(one, PictureRow)))


def _classifier(
    model: Classifier | nn.Module, data: LabelledTensors, classes: Sequence[str] | None
) -> tuple[Classifier, Iterator[tuple[Tensor, Tensor]]]:
    """Return the model as a classifier, and its pictures in checked batches; raises BadRequest."""
    if isinstance(model, Classifier):
        if classes is not None:
            raise BadRequest("A Classifier has its class names already.", "Leave `classes` out.")
        return model, batches(data, (model.size, model.size), len(model.classes))
    if not isinstance(model, nn.Module):
        raise BadRequest(f"The model is a {type(model).__name__}.", "Give a capt.Classifier or a torch.nn.Module.")
    any_size = batches(data, None, None)
    first = next(any_size)
    height, width = first[0].shape[2:]
    k = count_classes(model, first[0][:1].to(device_of(model)))
    names = tuple(map(str, range(k)) if classes is None else classes)
    if len(names) != k or isinstance(classes, str):
        raise BadRequest(f"There are {len(names)} class names for {k} outputs.", "Give a list with one name for each.")
    return PlainModule(model, names, max(height, width)), batches(chain([first], any_size), (height, width), k)


def _inputs(read: Iterator[tuple[Tensor, Tensor]], spread: Spread, known: Known | None) -> Iterator[Batch]:
    n = 0
    no_pixels = np.empty((0, 0, 3), np.uint8)
    for images, labels in read:
        inputs: list[Input | Stored] = []
        for image, label in zip(images, labels.tolist(), strict=True):
            height, width = image.shape[1:]
            one = Input(Photo(str(n), digest(image), width, height, no_pixels), image, label)
            rows = None if known is None else known.rows(Asked(one.photo, label), partial(picture_of, image))
            inputs.append(one if rows is None else rows)
            spread.add(one)
            n += 1
        yield inputs, []


def _spec(attack: str | Attack) -> AttackSpec:
    """An attack as requests name it: with the settings that differ from its defaults."""
    if isinstance(attack, str):
        return AttackSpec(ATTACKS[attack].name)
    given = {one.name: getattr(attack, one.name) for one in describe(type(attack))}
    usual = {one.name: one.default for one in describe(type(attack))}
    return AttackSpec(attack.name, tuple((name, value) for name, value in given.items() if value != usual[name]))
