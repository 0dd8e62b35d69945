"""The fast gradient sign method (Goodfellow et al. 2015, arXiv 1412.6572): one step as long as the budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capt_engine.attacks.base import Draws, Logits, Step, Threat
from capt_engine.attacks.losses import LOSSES, loss_notes
from capt_engine.attacks.slope import Aim, Pace, look, moved, samples_param
from capt_engine.registry import param


@dataclass(frozen=True)
class FGSM:
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
        help="What is climbed; margin helps where a model is over-confident.",
    )
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """The clean picture and the attacked one."""
        return 2

    def notes(self, classes: int) -> tuple[str, ...]:
        """What has to be said about a run with this many classes."""
        return loss_notes(self.loss, classes)

    def run(
        self,
        model: Logits,
        images: Tensor,
        labels: Tensor,
        threat: Threat,
        draws: Draws,  # noqa: ARG002 - nothing is left to chance
        tick: Step,
    ) -> Tensor:
        """See `Attack.run`. Where the step does not help, the clean picture comes back."""
        aim, pace = Aim(labels, threat.targeted), Pace(tick, self.work)

        def score(logits: Tensor) -> Tensor:
            return aim.sign * LOSSES[self.loss](logits, labels)

        pace("clean")
        clean = look(model, images, aim, score, samples=self.samples)
        step = threat.eps * threat.norm.steepest(clean.slope)
        attacked = (images + moved(images, step, threat.norm, threat.eps)).clamp(0, 1)
        pace("one step")
        after = look(model, attacked, aim, score, samples=self.samples, with_slope=False)
        better = (after.reached > clean.reached).view(-1, 1, 1, 1)
        return torch.where(better, attacked, images)
