"""What attacks that seek the nearest adversarial picture share: the nearest one so far, and what is returned for a given budget."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.attacks.base import Logits, Norm, Threat
from capt_engine.attacks.gradients import Criterion, ProgressCounter, clip_to_box, project

SHORTENING = 10
"""Forward passes that `shorten` makes."""

# Beyond the very edge, so that the answer does not hang on the last digit: a tenth of what minimal distances are promised to.
_BEYOND = 1.001


class Nearest:
    """The nearest successful perturbation of each picture: delta (n, 3, h, w), length (n,), infinite while there is none.

    A picture whose clean answer is what the attacker wants has found it at length 0.
    """

    def __init__(self, model: Logits, images: Tensor, criterion: Criterion, norm: Norm) -> None:
        self._model, self._images, self._aim, self._norm = model, images, criterion, norm
        with torch.no_grad():
            self.clean = model(images)
        self.delta = torch.zeros_like(images)
        self.length = torch.where(criterion.adversarial_margin(self.clean) > 0, 0.0, torch.inf)

    def offer(self, delta: Tensor, won: Tensor) -> Tensor:
        """Keep the perturbations (n, 3, h, w) that succeed, `won` (n,), and are shorter than what was there; says which, (n,)."""
        length = self._norm.length(delta)
        nearer = won & (length < self.length)
        self.delta[nearer], self.length[nearer] = delta[nearer], length[nearer].to(self.length.dtype)
        return nearer

    def shorten(self, counter: ProgressCounter) -> None:
        """Pull each perturbation back along its own line until the answer would turn back: a bisection to a thousandth."""
        low, high = torch.zeros_like(self.length), torch.ones_like(self.length)
        found = self.length.isfinite() & (self.length > 0)
        whole = self.delta.clone()
        for step in range(SHORTENING):
            counter("shortening")
            last = step == SHORTENING - 1
            share = (high * _BEYOND).clamp_max(1.0) if last else (low + high) / 2
            won = self._won(whole * share.view(-1, 1, 1, 1))
            high = torch.where(won, share, high)
            low = torch.where(won, low, share)
            kept = found & won
            shorter = whole * share.view(-1, 1, 1, 1)
            self.delta[kept], self.length[kept] = shorter[kept], self._norm.length(shorter)[kept].to(self.length.dtype)

    def within(self, threat: Threat, otherwise: Tensor) -> Tensor:
        """Pictures for a budget: the nearest success where it lies within eps; else the furthest that the ball allows on the way to it.

        otherwise (n, 3, h, w): where to go for pictures without any success. What does not help the attacker is not done at all.
        """
        goal = torch.where(self.length.isfinite().view(-1, 1, 1, 1), self.delta, otherwise)
        attacked = (self._images + project(self._images, goal, threat.norm, threat.eps)).clamp(0, 1)
        with torch.no_grad():
            better = self._aim.adversarial_margin(self._model(attacked)) > self._aim.adversarial_margin(self.clean)
        better &= self.length > 0
        return torch.where(better.view(-1, 1, 1, 1), attacked, self._images)

    def _won(self, delta: Tensor) -> Tensor:
        with torch.no_grad():
            return (
                self._aim.adversarial_margin(self._model((self._images + clip_to_box(self._images, delta)).clamp(0, 1)))
                > 0
            )
