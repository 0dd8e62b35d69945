"""Evaluation from Python: a classifier, and labelled pictures as tensors or from a loader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import NORMS, Attack
from capt_engine.attacks.loaders import LabelledTensors, batches, count, digest
from capt_engine.checks.table import in_order
from capt_engine.data.images import Photo
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import Batch, run_batches
from capt_engine.evaluation.checks import PICTURES, Spread, live_checks
from capt_engine.evaluation.plan import Plan, Variant, plan_evaluation
from capt_engine.evaluation.rows import Input
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
from capt_engine.runs.table import Cell, cells

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
        """The share of pictures that are right before any attack, in [0, 1]."""
        return self.summary.clean_accuracy

    @property
    def robust_accuracy(self) -> float | None:
        """The share that stays right under the worst of the attacks at the largest budget, in [0, 1]; None without an attack."""
        return self.summary.robust_accuracy

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `robust_accuracy` (Wilson 1927), in [0, 1]; None without an attack."""
        return self.summary.robust_interval

    def rows(self) -> list[dict[str, Cell]]:
        """The table that `capt evaluate --csv` writes: one dictionary per picture, attack and budget, by column; None where unmeasured."""
        return [cells(one) for one in self.pictures]


def evaluate(
    model: Classifier,
    data: LabelledTensors,
    *,
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
) -> Evaluation:
    """Attack labelled pictures and count what stays right: the worst case over the attacks, per budget.

    Args:
        model: a `Classifier`; it and the pictures are looked at as they are, at the model's own size.
        data: a pair (images, labels), or any loader of such pairs: pixels (n, 3, h, w), float in [0, 1], not normalised, at
            `model.size`; labels (n,), indices into `model.classes`.
        attacks: names ("apgd-ce"; `capt attacks` lists them) or attacks with settings (`capt.PGD(steps=100)`); none for clean
            accuracy only.
        eps: one budget or several, in pixel units [0, 1] of the norm; default 4/255 for L∞ and 1 for L2.
        norm: "linf" or "l2".
        target: the class that the attacker wants to see; None for any wrong one.
        suite: also the attacks of a suite: "quick" or "standard" (AutoAttack).
        skip_broken: attack each picture only until the first attack breaks it: the same robust accuracy, sooner.
        checks: "off"; "cheap", which asks the model again about up to 8 pictures; or "full", about up to 100.
        batch_size: pictures of one forward pass; 0 chooses.
        seed: with a picture's pixels it decides all its random draws, whatever the batch.
        progress: called at each step; what it raises ends the evaluation.

    Returns:
        Accuracies with 95 % intervals, and the rows.

    Raises:
        BadRequest: pictures, labels or settings that do not fit; the sentence says what and how to mend it.
        UnknownName: another attack, suite, norm or class.
        DeviceProblem: a single picture takes more memory than there is.

    Example:
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, classes = capt.demo_pictures(clip, n=4)
        >>> model = capt.Classifier(clip, classes, "a photo of a {}.")
        >>> result = capt.evaluate(model, (x, y), attacks=capt.PGD(steps=5), eps=[1 / 255, 8 / 255])
        >>> result.clean_accuracy, result.robust_accuracy
        (1.0, 0.0)
        >>> len(result.rows())
        8
    """
    if not isinstance(model, Classifier):
        raise BadRequest(
            f"The model is a {type(model).__name__}.", "Make a capt.Classifier; attacks alone run on any module."
        )
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
            model=model.backbone.id,
            classes=model.classes,
            template=model.template,
            threat=ThreatModel(norm, float(max(budgets, default=0)), target),
            seed=seed,
            batch_size=batch_size,
        ),
    )
    learned = model.learned
    name = NO_PROMPTS if model.zero_shot is model else UNSAVED if learned is None else learned.name or UNSAVED
    variant = Variant(name, model)
    if learned is not None:
        rule = AlphaRule.of(learned.document.method, learned.document.settings)
        variant = Variant(name, model, learned.sha256, rule)
    work = plan_evaluation(request, [variant], model.zero_shot, "given")
    return _evaluated(work, data, progress)


def _evaluated(work: Plan, data: LabelledTensors, progress: Progress) -> Evaluation:
    rows: list[PictureRow | FailedPicture] = []
    spread = Spread(PICTURES[work.checks])
    read = _inputs(work, data, spread)
    summary = run_batches(work, read, count(data), rows.extend, progress)
    asked_again = live_checks(work, spread.chosen(), progress)
    summary = replace(summary, checks=in_order(summary.checks, asked_again))
    return Evaluation(summary, tuple(one for one in rows if isinstance(one, PictureRow)))


def _inputs(work: Plan, data: LabelledTensors, spread: Spread) -> Iterator[Batch]:
    classifier, n = work.classifier, 0
    no_pixels = np.empty((0, 0, 3), np.uint8)
    for images, labels in batches(data, classifier.size, len(classifier.classes)):
        inputs = []
        for image, label in zip(images, labels.tolist(), strict=True):
            photo = Photo(str(n), digest(image), classifier.size, classifier.size, no_pixels)
            inputs.append(Input(photo, image, label))
            spread.add(inputs[-1])
            n += 1
        yield inputs, []


def _spec(attack: str | Attack) -> AttackSpec:
    """An attack as requests name it: with the settings that differ from its defaults."""
    if isinstance(attack, str):
        return AttackSpec(ATTACKS[attack].name)
    given = {one.name: getattr(attack, one.name) for one in describe(type(attack))}
    usual = {one.name: one.default for one in describe(type(attack))}
    return AttackSpec(attack.name, tuple((name, value) for name, value in given.items() if value != usual[name]))
