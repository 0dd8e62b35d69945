"""Fast adaptive boundary attack (Croce & Hein 2020, arXiv 1907.02044): the nearest picture with another answer, plane by plane."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import Attack, LogitsFn, Norm, PictureRngs, Threat
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.gradients import ProgressCounter, averaged, clip_to_box
from capt_engine.attacks.losses import without_label
from capt_engine.attacks.minimal import SHORTENING, Nearest
from capt_engine.attacks.settings import restarts_param, samples_param
from capt_engine.progress import Progress
from capt_engine.registry import param

# α_max, η and β of the paper, as its code has them.
_TOWARDS_START, _BEYOND, _BACK = 0.1, 1.05, 0.9
# Each round of `to_plane` fixes the pixels that reached their end; so few are needed that twenty leave nothing to find.
_ROUNDS = 20


def to_plane(gradient: Tensor, gap: Tensor, low: Tensor, high: Tensor, norm: Norm) -> Tensor:
    """Find the shortest step onto a plane inside a box: min ‖d‖ with ⟨gradient, d⟩ = gap and low ≤ d ≤ high.

    It is equation 7 of Croce & Hein (2020, arXiv 1907.02044). The step goes along the norm's steepest direction; a
    value that arrives at its end of the box stays there, and the rest go further.

    Args:
        gradient: normal of the plane, (n, …).
        gap: (n,), the value of ⟨gradient, d⟩ on the plane, of either sign.
        low: (n, …), the lower ends of the box, at most 0.
        high: (n, …), the upper ends of the box, at least 0.
        norm: the norm whose length of d is minimised.

    Returns:
        The step d, (n, values); the furthest one in the box where no step reaches the plane.
    """
    gradient, low, high = gradient.flatten(1), low.flatten(1), high.flatten(1)
    up = gradient * gap.sign()[:, None]
    direction = norm.normalize(up)
    room = torch.where(direction > 0, high, -low)
    pull, pace = up.abs(), direction.abs()
    reach = torch.zeros_like(gap)
    for _ in range(_ROUNDS):
        free = pace * reach[:, None] < room
        fixed = torch.where(free, 0.0, pull * room).sum(dim=1)
        rate = torch.where(free, pull * pace, 0.0).sum(dim=1)
        # With nobody free, everybody is at the end already.
        reach = torch.where(rate > 0, ((gap.abs() - fixed) / rate.clamp_min(1e-30)).maximum(reach), reach)
    return direction.sign() * torch.minimum(pace * reach[:, None], room)


@dataclass(frozen=True)
class FAB(Attack):
    """Walks between the picture and the boundary: at each step the model is taken as linear, and the nearest boundary plane is sought.

    It minimises the distance; the budget decides afterwards: a success beyond ε does not count, and the picture at ε on the way to it is
    returned then. It needs no loss and no step size, so no scaling of the logits changes its path.
    Cost: samples times restarts × steps × 2 forward and restarts × steps × min(rivals, k − 1) backward passes, and 12 forward passes.
    """

    name = "fab"
    label = "FAB"
    summary = "Looks for the nearest picture with another answer by walking along the model's boundary."
    knowledge = "gradients"
    norms = ("linf", "l2")

    steps: int = param(30, "Steps", low=1, high=10_000, help="More come nearer; most is won in the first twenty.")
    restarts: int = restarts_param("The first begins at the picture itself, the others beside it; the nearest is kept.")
    rivals: int = param(
        9, "Rivals", low=1, high=999, help="How many of the likeliest wrong classes are looked at in each step."
    )
    samples: int = samples_param()

    @property
    def work(self) -> int:
        """Return how often `run` calls `progress` for one batch: restarts × steps, and 10 for shortening."""
        return self.restarts * self.steps + SHORTENING

    def run(
        self, model: LogitsFn, images: Tensor, labels: Tensor, threat: Threat, rngs: PictureRngs, progress: Progress
    ) -> Tensor:
        """Attack one batch with FAB, which walks along the model's boundary to the nearest success.

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
        model = averaged(model, self.samples)
        criterion, counter, norm = Criterion(labels, threat.targeted), ProgressCounter(progress, self.work), threat.norm
        nearest = Nearest(model, images, criterion, norm)
        delta = torch.zeros_like(images)
        for restart in range(self.restarts):
            if restart:
                # Beside the picture: at most half as far as the best so far, or as the budget.
                radius = nearest.distance.clamp_max(threat.eps).view(-1, 1, 1, 1) / 2
                delta = clip_to_box(images, norm.random(rngs, images, 1.0) * radius)
            for step in range(self.steps):
                counter(f"step {step + 1} of {self.steps}")
                delta = self._step(model, images, criterion, norm, delta)
                with torch.no_grad():
                    success = criterion.adversarial_margin(model((images + delta).clamp(0, 1))) > 0
                nearest.offer(delta, success)
                delta = torch.where(success.view(-1, 1, 1, 1), _BACK * delta, delta)
        nearest.shorten(counter)
        return nearest.within(threat, delta)

    def _step(self, model: LogitsFn, images: Tensor, criterion: Criterion, norm: Norm, delta: Tensor) -> Tensor:
        """Equation 9: from `delta` and from the picture itself to the nearest boundary plane, and a little beyond the mean of both."""
        gradient, gap = self._plane(model, (images + delta).clamp(0, 1), criterion, norm)
        low, high = -images, 1 - images
        here = to_plane(gradient, gap, low - delta, high - delta, norm).view_as(images)
        there = to_plane(gradient, gap + (gradient * delta).flatten(1).sum(dim=1), low, high, norm).view_as(images)
        near, far = norm.norm(here), norm.norm(there)
        share = (near / (near + far).clamp_min(1e-12)).clamp_max(_TOWARDS_START).view(-1, 1, 1, 1)
        return clip_to_box(images, (1 - share) * (delta + _BEYOND * here) + share * _BEYOND * there)

    def _plane(self, model: LogitsFn, at: Tensor, criterion: Criterion, norm: Norm) -> tuple[Tensor, Tensor]:
        """The nearest boundary plane of the model linearised at `at`: its gradient (n, 3, h, w), and the margin to gain, (n,)."""
        at = at.detach().requires_grad_(True)
        with torch.enable_grad():
            margins = self._margins(model(at), criterion)
            totals = margins.sum(dim=0)
        best, gap = torch.zeros_like(at), torch.zeros_like(margins[:, 0])
        if not margins.requires_grad:
            return best, gap
        least = torch.full_like(gap, torch.inf)
        for total, margin in zip(totals, margins.detach().unbind(dim=1), strict=True):
            (gradient,) = torch.autograd.grad(total, at, retain_graph=True)
            # The rate at which the margin grows along the best direction of norm 1: its dual norm.
            speed = (gradient * norm.normalize(gradient)).flatten(1).sum(dim=1)
            distance = torch.where(speed > 0, margin.abs() / speed.clamp_min(1e-30), torch.inf)
            nearer = distance < least
            best, gap = torch.where(nearer.view(-1, 1, 1, 1), gradient, best), torch.where(nearer, -margin, gap)
            least = torch.where(nearer, distance, least)
        return best, gap.detach()

    def _margins(self, logits: Tensor, criterion: Criterion) -> Tensor:
        """The margin of each of the likeliest rivals over the label, (n, r); for a target, its own over the best of all others, (n, 1)."""
        if criterion.targeted:
            return criterion.adversarial_margin(logits)[:, None]
        rivals = without_label(logits, criterion.labels).topk(min(self.rivals, logits.shape[1] - 1)).values
        return rivals - logits.gather(1, criterion.labels[:, None])
