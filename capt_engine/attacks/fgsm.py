"""The fast gradient sign method (Goodfellow et al. 2015, arXiv 1412.6572): one step as long as the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, project, samples_param, value_and_grad
from capt_engine.attacks.losses import LOSSES, loss_notes
from capt_engine.progress import Progress
from capt_engine.registry import param


@dataclass(frozen=True)
class FGSM(Attack):
    """One step of length ε up the loss from the picture itself. Quick, and weak: a model may resist it and nothing else.

    Cost: samples × 2 forward passes and samples backward passes.
    """

    name: ClassVar[str] = "fgsm"
    label: ClassVar[str] = "FGSM"
    summary: ClassVar[str] = (
        "One single step along the model's gradient, as long as the budget: quick, and easy to resist."
    )
    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")

    loss: str = param(
        "cross-entropy",
        "Loss",
        choices=tuple(LOSSES),
        help="The loss to ascend; margin helps where a model is over-confident.",
    )
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """The clean picture and the attacked one."""
        return 2

    def notes(self, classes: int) -> tuple[str, ...]:
        """See `HasNotes`."""
        return loss_notes(self.loss, classes)

    def run(
        self,
        model: LogitsFn,
        images: Tensor,
        labels: Tensor,
        threat: Threat,
        rngs: PictureRngs,  # noqa: ARG002 - nothing is left to chance
        progress: Progress,
    ) -> Tensor:
        """See `Attack.run`. Where the step does not help, the clean picture comes back."""
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)

        def score(logits: Tensor) -> Tensor:
            return criterion.sign * LOSSES[self.loss](logits, labels)

        counter("clean")
        clean = value_and_grad(model, images, criterion, score, samples=self.samples)
        step = threat.eps * threat.norm.normalize(clean.gradient)
        attacked = (images + project(images, step, threat.norm, threat.eps)).clamp(0, 1)
        counter("one step")
        after = value_and_grad(model, attacked, criterion, score, samples=self.samples, with_gradient=False)
        better = (after.adversarial_margin > clean.adversarial_margin).view(-1, 1, 1, 1)
        return torch.where(better, attacked, images)
