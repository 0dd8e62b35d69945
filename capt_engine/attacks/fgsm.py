"""The fast gradient sign method (Goodfellow et al. 2015, arXiv 1412.6572): one step as long as the budget."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, project, value_and_grad
from capt_engine.attacks.losses import LOSSES, loss_notes
from capt_engine.attacks.settings import loss_param, samples_param
from capt_engine.progress import Progress


@dataclass(frozen=True)
class FGSM(Attack):
    """One step of length ε up the loss from the picture itself. Quick, and weak: a model may resist it and nothing else.

    Cost: samples × 2 forward passes and samples backward passes.
    """

    name = "fgsm"
    label = "FGSM"
    summary = "One single step along the model's gradient, as long as the budget: quick, and easy to resist."
    knowledge = "gradients"
    norms = ("linf", "l2")

    loss: str = loss_param()
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return 2: `run` calls `progress` for the clean pictures and for the attacked ones."""
        return 2

    def notes(self, classes: int) -> tuple[str, ...]:
        """Return a sentence for the report if the loss needs more `classes`, so the margin is used; else nothing."""
        return loss_notes(self.loss, classes)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with a single step of length ε along the gradient.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: not used.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where the step does not
            help.
        """
        del rngs
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
