"""Carlini & Wagner's L2 attack (2017, arXiv 1608.04644): the nearest picture with another answer, by trading distance for margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat, check_fits
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, clip_to_box, value_and_grad
from capt_engine.attacks.minimal import SHORTENING, Nearest
from capt_engine.attacks.settings import samples_param
from capt_engine.progress import Progress
from capt_engine.registry import param

# β₁ and β₂ of Adam, at their usual values.
_BETA1, _BETA2 = 0.9, 0.999
# How much more the margin is made to weigh while no success is known, as in the paper.
_HEAVIER = 10.0


@dataclass(frozen=True)
class CarliniWagner(Attack):
    """Minimises ‖δ‖² + c · max(κ − margin, 0), with c found by bisection, picture by picture; then pulls back along the line.

    It minimises the distance; the budget decides afterwards: a success beyond ε does not count, and the picture at ε on the way to it is
    returned then. So one run with a large ε gives minimal distances, and any smaller ε could be read off.
    It goes for the likeliest wrong class at the current point; among many classes another may be nearer, which FAB looks for.
    Apart from the paper: pixels are held in [0, 1] by clipping δ rather than by a tanh, whose gradient is 0 at black and white pixels;
    and Adam's step is scaled for the picture as a whole, which keeps the gradient's direction.
    Cost: searches × steps × samples forward and backward passes, and 12 forward passes.
    """

    name = "cw"
    label = "Carlini–Wagner"
    summary = "Looks for the nearest picture with another answer, weighing distance against success."
    knowledge = "gradients"
    norms = ("l2",)

    steps: int = param(100, "Steps", low=1, high=10_000, help="Of each search; more come nearer.")
    searches: int = param(
        9, "Searches", low=1, high=30, help="How often the weight of success against distance is corrected."
    )
    step_size: float = param(
        0.01,
        "Step size",
        low=0.0001,
        high=1.0,
        help="Typical change of a pixel in the first step; later steps are shorter.",
    )
    weight: float = param(
        0.01,
        "First weight",
        low=1e-6,
        high=1e6,
        help="Weight of success in the first search; corrected in those after.",
    )
    confidence: float = param(
        0.0, "Confidence", low=0.0, high=1_000.0, help="By how many logits the other answer is meant to win."
    )
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch: searches × steps, and 10 for shortening."""
        return self.searches * self.steps + SHORTENING

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with Carlini & Wagner's L2 attack, which looks for the nearest success.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: budget and goal; the norm is L2.
            rngs: not used. Nothing is drawn.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1], within the budget; the clean picture where nothing better was
            found.

        Raises:
            BadRequest: the norm is another than L2.
        """
        del rngs
        check_fits(self, threat)
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        nearest = Nearest(model, images, criterion, threat.norm)
        weight = torch.full_like(nearest.distance, self.weight)
        light, heavy = torch.zeros_like(weight), torch.full_like(weight, torch.inf)
        last = torch.zeros_like(images)
        for search in range(self.searches):
            note = f"search {search + 1} of {self.searches}"
            last, success = self._search(nearest, weight, counter, note)
            heavy, light = torch.where(success, weight, heavy), torch.where(success, light, weight)
            weight = torch.where(heavy.isfinite(), (light + heavy) / 2, weight * _HEAVIER)
        nearest.shorten(counter)
        return nearest.within(threat, last)

    def _search(self, nearest: Nearest, weight: Tensor, counter: ProgressCounter, note: str) -> tuple[Tensor, Tensor]:
        """Descend from the picture itself with these weights (n,); return the last δ, (n, 3, h, w), and who ever succeeded, (n,)."""
        model, images, criterion = nearest.model, nearest.images, nearest.criterion
        delta, velocity = torch.zeros_like(images), torch.zeros_like(images)
        square, ever = torch.zeros_like(weight), torch.zeros_like(weight, dtype=torch.bool)

        def shortfall(logits: Tensor) -> Tensor:
            return (self.confidence - criterion.adversarial_margin(logits)).clamp_min(0)

        for step in range(self.steps):
            counter(f"{note}, step {step + 1} of {self.steps}")
            seen = value_and_grad(model, (images + delta).clamp(0, 1), criterion, shortfall, samples=self.samples)
            success = (seen.adversarial_margin > 0) & (seen.loss <= 0)
            ever |= success
            nearest.offer(delta, success)
            gradient = 2 * delta + weight.view(-1, 1, 1, 1) * seen.gradient
            velocity = _BETA1 * velocity + (1 - _BETA1) * gradient
            square = _BETA2 * square + (1 - _BETA2) * gradient.square().mean(dim=(1, 2, 3))
            lr = self.step_size * (1 + math.cos(math.pi * step / self.steps)) / 2
            scale = (square / (1 - _BETA2 ** (step + 1))).sqrt().clamp_min(1e-12).view(-1, 1, 1, 1)
            delta = clip_to_box(images, delta - lr * velocity / (1 - _BETA1 ** (step + 1)) / scale)
        return delta, ever
