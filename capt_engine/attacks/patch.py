"""Adversarial patch: a square of free pixels, the rest untouched (Brown et al. 2017, arXiv 1712.09665).

One patch per picture, as in LaVAN (Karmon et al. 2018, arXiv 1801.02608).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, value_and_grad
from capt_engine.attacks.settings import samples_param, stop_param
from capt_engine.attacks.windows import window
from capt_engine.attacks.worst import Worst
from capt_engine.formatting import exact_percent
from capt_engine.progress import Progress
from capt_engine.registry import param

# Signed steps that shrink to nothing, so that it first crosses the whole range of colours and then settles.
_FIRST_STEP = 0.2


@dataclass(frozen=True)
class Patch(Attack):
    """Paints a square at a random place, step by step up the margin; every restart tries another place.

    Cost: restarts × (steps + 1) forward and restarts × steps backward passes, and one forward pass of the clean pictures.
    """

    name = "patch"
    label = "Patch"
    summary = "Paints a small square of the picture in any colours it likes, and leaves the rest as it is."
    knowledge = "gradients"
    norms = ()

    share: float = param(0.05, "Area", low=0.0005, high=1.0, help="The share of the picture that the patch covers.")
    steps: int = param(100, "Steps", low=1, high=10_000, help="How long the patch is painted on.")
    restarts: int = param(
        1, "Places", low=1, high=1_000, help="Random places that are tried; the one that hurts most is kept."
    )
    samples: int = samples_param()
    stop_early: bool = stop_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch at most: restarts × (steps + 1)."""
        return self.restarts * (self.steps + 1)

    @property
    def budget(self) -> str:
        """Return the patch in words, as no ε bounds it: "a square patch over 5 % of the picture at a random place"."""
        places = "a random place" if self.restarts == 1 else f"the worst of {self.restarts} random places"
        return f"a square patch over {exact_percent(self.share)} of the picture at {places}"

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch by painting a square at a random place of each picture; pixels outside it stay as they are.

        Args:
            model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
            images: the clean pictures, (n, 3, h, w) in [0, 1].
            labels: class indices (n,) to get away from; when `threat.targeted`, the classes to reach.
            threat: only its goal counts; norm and budget are not used.
            rngs: one random stream per picture.
            progress: called `work` times at most; an exception that it raises ends the attack.

        Returns:
            Adversarial pictures (n, 3, h, w) in [0, 1]; the clean picture where nothing better was found.
        """
        criterion, counter = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work)
        worst = Worst(model, images, criterion)
        for _ in range(self.restarts):
            covered = self._place(images, rngs)
            painted = torch.where(covered, rngs.uniform(images), images)
            for step in range(self.steps + 1):
                active = worst.active(self.stop_early)
                if not len(active):
                    return worst.pictures
                counter(f"step {step} of {self.steps}")
                wanted, more = criterion.of(active), step < self.steps
                score = wanted.adversarial_margin
                seen = value_and_grad(model, painted[active], wanted, score, samples=self.samples, with_gradient=more)
                worst.offer(painted[active], seen.adversarial_margin, active)
                pushed = painted[active] + _FIRST_STEP * (1 - step / self.steps) * seen.gradient.sign()
                painted[active] = torch.where(covered[active], pushed.clamp(0, 1), painted[active])
        return worst.pictures

    def _place(self, images: Tensor, rngs: PictureRngs) -> Tensor:
        """The mask of the patch, (n, 1, h, w): a square, or the part of it that fits in, at a random place of each picture."""
        side = max(1, round(math.sqrt(self.share * images.shape[2] * images.shape[3])))
        room = [max(1, length - side + 1) for length in images.shape[2:]]
        corners = torch.cat([rngs.integers(images[:, 0, 0, :1], places) for places in room], dim=1)
        covered = torch.zeros_like(images[:, :1], dtype=torch.bool)
        covered[window(covered, corners, side)] = True
        return covered
