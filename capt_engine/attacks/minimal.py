"""The nearest adversarial picture so far, and the picture within a given budget: the parts that minimum-norm attacks share."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.base import LogitsFn, Norm, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, clip_to_box, project

SHORTENING = 10
"""Forward passes that `shorten` makes."""

# Beyond the very edge, so that the answer does not hang on the last digit: a tenth of the accuracy that minimal distances are promised to.
_BEYOND = 1.001


class Nearest:
    """The nearest successful perturbation of each picture.

    A picture whose clean answer is the attacker's goal has distance 0.

    Args:
        model: pixels (n, 3, h, w) -> logits (n, k).
        images: the clean pixels, (n, 3, h, w) in [0, 1].
        criterion: the goal of the attack.
        norm: the norm that is to be small.

    Attributes:
        clean_logits: (n, k), of the clean pictures.
        delta: (n, 3, h, w), the perturbations.
        distance: (n,), their norms; infinite while there is no success.
    """

    def __init__(self, model: LogitsFn, images: Tensor, criterion: Criterion, norm: Norm) -> None:
        self.model, self.images, self.criterion, self.norm = model, images, criterion, norm
        with torch.no_grad():
            self.clean_logits = model(images)
        self.delta = torch.zeros_like(images)
        self.distance = torch.where(criterion.adversarial_margin(self.clean_logits) > 0, 0.0, torch.inf)

    def offer(self, delta: Tensor, success: Tensor) -> None:
        """Keep the perturbations that succeed and are nearer to their picture than the best so far.

        Args:
            delta: perturbations (n, 3, h, w), one for each picture.
            success: a mask (n,), True where the perturbation reaches the attacker's goal.
        """
        distance = self.norm.norm(delta)
        nearer = success & (distance < self.distance)
        self._keep(nearer, delta, distance)

    def _keep(self, which: Tensor, delta: Tensor, distance: Tensor) -> None:
        """Take over the pictures of a mask (n,); by where, for which no device must be waited for."""
        self.delta = torch.where(which.view(-1, 1, 1, 1), delta, self.delta)
        self.distance = torch.where(which, distance.to(self.distance.dtype), self.distance)

    def shorten(self, counter: ProgressCounter) -> None:
        """Shorten each success along its own line to where the answer turns back.

        It bisects to a thousandth of the length. `counter` is called once for each of the SHORTENING forward passes;
        pictures without success stay as they are.
        """
        low, high = torch.zeros_like(self.distance), torch.ones_like(self.distance)
        found = self.distance.isfinite() & (self.distance > 0)
        longest = self.delta.clone()
        for step in range(SHORTENING):
            counter("shortening")
            last = step == SHORTENING - 1
            share = (high * _BEYOND).clamp_max(1.0) if last else (low + high) / 2
            shorter = longest * share.view(-1, 1, 1, 1)
            success = self._succeeds(shorter)
            high = torch.where(success, share, high)
            low = torch.where(success, low, share)
            kept = found & success
            self._keep(kept, shorter, self.norm.norm(shorter))

    def within(self, threat: Threat, otherwise: Tensor) -> Tensor:
        """Make the pictures for a budget: the nearest success if it lies within eps, else the point at eps on its way.

        Args:
            threat: norm and budget.
            otherwise: (n, 3, h, w), the perturbation to go towards for pictures without any success.

        Returns:
            Pictures (n, 3, h, w) in [0, 1]; the clean one where the change would not help the attacker.
        """
        goal = torch.where(self.distance.isfinite().view(-1, 1, 1, 1), self.delta, otherwise)
        attacked = (self.images + project(self.images, goal, threat.norm, threat.eps)).clamp(0, 1)
        with torch.no_grad():
            after = self.criterion.adversarial_margin(self.model(attacked))
        better = (after > self.criterion.adversarial_margin(self.clean_logits)) & (self.distance > 0)
        return torch.where(better.view(-1, 1, 1, 1), attacked, self.images)

    def _succeeds(self, delta: Tensor) -> Tensor:
        with torch.no_grad():
            logits = self.model((self.images + clip_to_box(self.images, delta)).clamp(0, 1))
        return self.criterion.adversarial_margin(logits) > 0
