"""The attack inside tuning: a few steps on one batch, through the prompts as they are now.

Text features and all prompts are constants here; the weights' graph is never built. It has no restarts and keeps the last step, because
what is wanted is a training picture at the edge of the ball, not the strongest one ever met.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LogitsFn, Threat
from capt_engine.attacks.losses import cross_entropy
from capt_engine.errors import UnknownName

LOSSES = ("ce", "kl")
# The step is a sign, so a large factor changes nothing but keeps small gradients from vanishing in half precision.
_SCALE = 1024.0


@dataclass(frozen=True)
class InnerAttack:
    """steps of size `step_size` in pixel units [0, 1]; loss "ce" (APT) or "kl" (FAP: KL(clean ‖ adversarial), clean fixed)."""

    threat: Threat
    step_size: float
    steps: int = 3
    loss: str = "ce"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UnknownName("loss of the inner attack", self.loss, LOSSES)

    def run(self, model: LogitsFn, images: Tensor, labels: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Attack a batch by projected gradient ascent (PGD, Madry et al. 2018, arXiv 1706.06083, eq. 2).

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: clean pixels (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to lead away from; not used by the loss "kl".
            start: the perturbation to begin from, shaped like `images`; it is projected into the ball.

        Returns:
            Attacked pixels (n, 3, h, w) in [0, 1], and for each step the share of gradient values, in [0, 1], that were
            exactly zero, (steps,).
        """
        norm, eps = self.threat.norm, self.threat.eps
        attacked = (images + norm.project(start, eps)).clamp(0, 1)
        with torch.no_grad():
            target = model(images).log_softmax(dim=1) if self.loss == "kl" else None
        zeros = images.new_zeros(self.steps)
        for step in range(self.steps):
            attacked = attacked.detach().requires_grad_()
            logits = model(attacked)
            climbed = (
                cross_entropy(logits, labels) if target is None else target.exp() * (target - logits.log_softmax(dim=1))
            )
            loss = climbed.sum()
            (gradient,) = torch.autograd.grad(loss * _SCALE, attacked)
            zeros[step] = (gradient == 0).float().mean()
            moved = attacked.detach() + self.step_size * norm.normalize(gradient) - images
            attacked = (images + norm.project(moved, eps)).clamp(0, 1)
        return attacked.detach(), zeros
