"""Several models compared from Python: the same labelled tensors, a ranked table, exact paired tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from capt_engine.attacks.base import Attack
from capt_engine.attacks.loaders import LabelledTensors
from capt_engine.errors import BadRequest
from capt_engine.evaluation.of_tensors import Evaluation, evaluate
from capt_engine.formatting import Cell
from capt_engine.metrics.ranking import VariantAnswers, ranked
from capt_engine.metrics.tally import Tally, Trial
from capt_engine.model.classifier import Classifier
from capt_engine.progress import Progress, no_progress
from capt_engine.records import MOST_VARIANTS, RankedVariant


@dataclass(frozen=True)
class VariantTable:
    """The outcome of a comparison.

    Attributes:
        variants: the models, the best first; `prompts` is the name that was given, `lost` and `repaired` are numbers of pictures.
        evaluations: the evaluation of each, by that name.
    """

    variants: tuple[RankedVariant, ...]
    evaluations: Mapping[str, Evaluation]

    def rows(self) -> list[dict[str, Cell]]:
        """Return the table, one dictionary a model, the best first.

        Accuracies, their intervals and the gap are shares in [0, 1]; `p` is McNemar's exact one against the best, `p_holm` the
        same corrected for the number of models. None stands for what was not measured.
        """
        return [_row(rank, one) for rank, one in enumerate(self.variants, 1)]


def compare(
    models: Mapping[str, Classifier | nn.Module],
    data: LabelledTensors,
    *,
    classes: Sequence[str] | None = None,
    attacks: str | Attack | Sequence[str | Attack] = ("pgd",),
    eps: float | None = None,
    norm: str = "linf",
    suite: str = "",
    batch_size: int = 0,
    seed: int = 0,
    progress: Progress = no_progress,
) -> VariantTable:
    """Evaluate up to six models on the same pictures, each attacked on itself, and rank them.

    Args:
        models: the models by the names that the table shows them with; each as in `evaluate`.
        data: a pair (images, labels), or a loader of such pairs that can be gone through again for each model: pixels (n, 3, h, w),
            float in [0, 1], not normalised; labels (n,), indices of the classes.
        classes: k names for the outputs of modules; a `Classifier` has its own.
        attacks: names or attacks with settings, as in `evaluate`; none for clean accuracy only.
        eps: the budget, in pixel units [0, 1], measured by the norm; default 4/255 for L∞ and 1 for L2.
        norm: "linf" or "l2".
        suite: also the attacks of a suite: "quick" or "standard" (AutoAttack).
        batch_size: pictures of one forward pass; 0 lets the engine choose.
        seed: with a picture's pixels it decides all its random draws, whatever the batch.
        progress: called at each step; what it raises ends the comparison.

    Returns:
        The models, the best under attack first, each but the best with McNemar's exact test against it, and Holm's correction
        (Holm 1979).

    Raises:
        BadRequest: fewer than two models or more than six, data that can be gone through only once, and what `evaluate` refuses.
        UnknownName: an attack, suite or norm that there is not.

    Example:
        >>> import capt_engine as capt
        >>> clip = capt.load_clip("demo")
        >>> x, y, classes = capt.demo_pictures(clip, n=4)
        >>> models = {
        ...     "a photo": capt.Classifier(clip, classes, "a photo of a {}."),
        ...     "the name": capt.Classifier(clip, classes, "{}"),
        ... }
        >>> table = capt.compare(models, (x, y), attacks=capt.PGD(steps=2), eps=1 / 255)
        >>> [row["rank"] for row in table.rows()]
        [1, 2]
    """
    if not 2 <= len(models) <= MOST_VARIANTS:
        raise BadRequest(f"A comparison is of 2 to {MOST_VARIANTS} models, not of {len(models)}.", "Name several.")
    if isinstance(data, Iterator):
        raise BadRequest("The data can be gone through only once.", "Give a pair of tensors, or a loader.")
    found, answers = {}, []
    for name, model in models.items():
        own = None if isinstance(model, Classifier) else classes
        one = found[name] = evaluate(
            model,
            data,
            classes=own,
            attacks=attacks,
            eps=eps,
            norm=norm,
            suite=suite,
            skip_broken=bool(suite),
            checks="off",
            batch_size=batch_size,
            seed=seed,
            progress=progress,
        )
        tally = Tally(map(Trial.of, one.pictures))
        prompts, budget = one.summary.prompts, one.summary.threat_model.eps
        known = VariantAnswers.of(tally, one.summary.model, prompts, budget, sum(row.time_s for row in one.pictures))
        answers.append(VariantAnswers(known.model, name, known.right, known.seconds))
    return VariantTable(ranked(answers), found)


def _row(rank: int, one: RankedVariant) -> dict[str, Cell]:
    clean, robust, test = one.clean_interval, one.robust_interval, one.versus
    return {
        "rank": rank,
        "name": one.prompts,
        "n": one.n,
        "clean_accuracy": one.clean_accuracy,
        "clean_low": None if clean is None else clean[0],
        "clean_high": None if clean is None else clean[1],
        "robust_accuracy": one.robust_accuracy,
        "robust_low": None if robust is None else robust[0],
        "robust_high": None if robust is None else robust[1],
        "gap": one.gap,
        "only_best_right": None if test is None else test.only_a,
        "only_this_right": None if test is None else test.only_b,
        "p": None if test is None else test.p_value,
        "p_holm": one.p_holm,
        "seconds_per_picture": one.seconds,
    }
