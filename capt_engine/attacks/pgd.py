"""Projected gradient descent (Madry et al. 2018, arXiv 1706.06083); one step of it is FGSM (Goodfellow et al. 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from capt_engine.attacks.base import Draws, Logits, Step, Threat
from capt_engine.attacks.losses import LOSSES, margin
from capt_engine.registry import param


@dataclass(frozen=True)
class PGD:
    """Steps up the loss, each brought back into the ball and into the picture; keeps the strongest point met on the way.

    Cost: restarts × (steps + 1) forward and restarts × steps backward passes, and one forward pass of the clean pictures.
    """

    name: ClassVar[str] = "pgd"
    label: ClassVar[str] = "PGD"
    summary: ClassVar[str] = (
        "Projected gradient descent: follows the model's own gradient, step by step, inside the budget."
    )
    knowledge: ClassVar[str] = "gradients"
    norms: ClassVar[tuple[str, ...]] = ("linf", "l2")

    steps: int = param(
        20, "Steps", low=1, high=10_000, help="More steps search longer; 20 show an effect, 100 make a figure."
    )
    step_size: float = param(
        0.0,
        "Step size",
        unit="/255",
        low=0.0,
        high=100.0,
        help="How far each step goes; 0 takes a quarter of the budget, or ε / steps.",
    )
    restarts: int = param(
        1, "Restarts", low=1, high=1_000, help="Start again from another random point and keep the best."
    )
    random_start: bool = param(
        True, "Random start", help="Begin at a random point of the budget instead of at the picture itself."
    )
    loss: str = param(
        "cross-entropy",
        "Loss",
        choices=tuple(LOSSES),
        help="What is climbed; margin helps where a model is over-confident.",
    )
    stop_early: bool = param(
        False,
        "Stop at success",
        help="Spend no more steps on a picture once it is fooled: the same accuracy in less time, but not the strongest attack.",
    )

    @property
    def work(self) -> int:
        """Ticks of one batch, or fewer where every picture has been stopped at."""
        return self.restarts * (self.steps + 1)

    def run(self, model: Logits, images: Tensor, labels: Tensor, threat: Threat, draws: Draws, tick: Step) -> Tensor:
        """See `Attack.run`. The clean picture is the first candidate, so no picture ends better off than it began."""
        towards = -1.0 if threat.targeted else 1.0
        step_size = self.step_size or threat.eps * max(1 / self.steps, 1 / 4)
        with torch.no_grad():
            best, best_margin = images.clone(), towards * margin(model(images), labels)
        done = 0
        for _ in range(self.restarts):
            # Drawn for every picture, finished or not, so that what a picture gets does not depend on the others.
            start = threat.norm.random(draws, images, threat.eps) if self.random_start else torch.zeros_like(images)
            delta = _inside(images, threat.norm.project(start, threat.eps))
            for step in range(self.steps + 1):
                left = self._left(best_margin)
                if not len(left):
                    return best
                tick(done, self.work, f"step {step} of {self.steps}")
                done += 1
                pictures, wanted = images[left], labels[left]
                # The slope is taken at the picture, not through the clip: that has none at exactly 0 and 1 (torch 2.15), so black and
                # white pixels would never move.
                attacked = (pictures + delta[left]).clamp(0, 1).requires_grad_(step < self.steps)
                with torch.set_grad_enabled(step < self.steps):
                    logits = model(attacked)
                    # Summed, not averaged: each picture's gradient is its own, whatever the batch.
                    loss = towards * LOSSES[self.loss](logits, wanted).sum()
                reached = towards * margin(logits.detach(), wanted)
                better = reached > best_margin[left]
                best[left[better]], best_margin[left[better]] = attacked.detach()[better], reached[better]
                if step < self.steps:
                    (gradient,) = torch.autograd.grad(loss, attacked)
                    moved = delta[left] + step_size * threat.norm.steepest(gradient)
                    delta[left] = _inside(pictures, threat.norm.project(moved, threat.eps))
        return best

    def _left(self, best_margin: Tensor) -> Tensor:
        """Indices of the pictures that get another step, (m,)."""
        unfinished = best_margin <= 0 if self.stop_early else torch.ones_like(best_margin, dtype=torch.bool)
        return unfinished.nonzero().flatten()


def _inside(images: Tensor, delta: Tensor) -> Tensor:
    """The part of delta that keeps images + delta in [0, 1]; it only ever shortens, so the ball is not left."""
    return torch.maximum(torch.minimum(delta, 1 - images), -images)
