"""Projected gradient descent (Madry et al. 2018, arXiv 1706.06083); with momentum it is MI-FGSM (Dong et al. 2018, arXiv 1710.06081)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion, Which
from capt_engine.attacks.gradients import ProgressCounter, project, value_and_grad
from capt_engine.attacks.losses import LOSSES, loss_notes
from capt_engine.attacks.settings import loss_param, restarts_param, samples_param, stop_param
from capt_engine.progress import Progress
from capt_engine.registry import param


@dataclass(frozen=True)
class PGD(Attack):
    """Steps up the loss, each brought back into the ball and into the picture; keeps the strongest point met on the way.

    Cost: restarts × (steps + 1) × samples forward and restarts × steps × samples backward passes, and one forward pass of the clean
    pictures.
    """

    name = "pgd"
    label = "PGD"
    summary = "Projected gradient descent: follows the model's own gradient, step by step, inside the budget."
    knowledge = "gradients"
    norms = ("linf", "l2")

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
    restarts: int = restarts_param()
    random_start: bool = param(
        True, "Random start", help="Begin at a random point of the budget instead of at the picture itself."
    )
    loss: str = loss_param()
    stop_early: bool = stop_param()
    momentum: float = param(
        0.0,
        "Momentum",
        low=0.0,
        high=10.0,
        help="The share of earlier gradients in each step; 1 is MI-FGSM, whose pictures fool other models more often.",
    )
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: restarts × (steps + 1)."""
        return self.restarts * (self.steps + 1)

    def notes(self, classes: int) -> tuple[str, ...]:
        """Return a sentence for the report if the loss needs more `classes`, so the margin is used; else nothing."""
        return loss_notes(self.loss, classes)

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with projected gradient descent, and keep the strongest point met on the way.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: norm, budget and goal.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where nothing better was
            found.
        """
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        step_size = self.step_size or threat.eps * max(1 / self.steps, 1 / 4)
        with torch.no_grad():
            best, best_margin = images.clone(), criterion.adversarial_margin(model(images))
        for _ in range(self.restarts):
            # Drawn for every picture, finished or not, so that what a picture gets does not depend on the others.
            start = threat.norm.random(rngs, images, threat.eps) if self.random_start else torch.zeros_like(images)
            delta = project(images, start, threat.norm, threat.eps)
            velocity = torch.zeros_like(images)
            for step in range(self.steps + 1):
                active = self._active(best_margin)
                if active is None:
                    return best
                counter(f"step {step} of {self.steps}")
                pictures, wanted = images[active], criterion.of(active)

                def score(logits: Tensor, wanted: Criterion = wanted) -> Tensor:
                    return wanted.sign * LOSSES[self.loss](logits, wanted.labels)

                # The gradient is taken at the picture, not through the clip, whose gradient is 0 at exactly 0 and 1 (torch 2.15): black
                # and white pixels would never move.
                attacked = (pictures + delta[active]).clamp_(0, 1)
                seen = value_and_grad(
                    model, attacked, wanted, score,
                    samples=self.samples, with_gradient=step < self.steps, stop=self.stop_early,
                )  # fmt: skip
                better = seen.adversarial_margin > best_margin[active]
                best[active] = torch.where(better[:, None, None, None], attacked, best[active])
                best_margin[active] = torch.where(better, seen.adversarial_margin, best_margin[active])
                if step < self.steps:
                    ahead = threat.norm.normalize(self._momentum_step(velocity, active, seen.gradient)).mul_(step_size)
                    delta[active] = project(pictures, ahead.add_(delta[active]), threat.norm, threat.eps)
        return best

    def _momentum_step(self, velocity: Tensor, active: Which, gradient: Tensor) -> Tensor:
        """The direction of ascent: the gradient, or with momentum the running sum of normalised gradients in `velocity` (MI-FGSM, eq. 6).

        Gradients are normalised to a mean absolute value of 1; the paper's sum of 1 gives the same direction.
        """
        if not self.momentum:
            return gradient
        size = gradient.abs().mean(dim=(1, 2, 3), keepdim=True)
        velocity[active] = self.momentum * velocity[active] + gradient / torch.where(
            size > 0, size, torch.ones_like(size)
        )
        return velocity[active]

    def _active(self, best_margin: Tensor) -> Which | None:
        """The pictures that get another step: indices (m,), or all of them, without waiting for the device or copying; None for none."""
        active = (best_margin <= 0).nonzero().flatten() if self.stop_early else best_margin
        if not len(active):
            return None
        return active if len(active) < len(best_margin) else slice(None)
