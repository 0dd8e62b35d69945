"""Where the loss climbs: its value and its slope at a picture, averaged over draws where the model is random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from capt_engine.attacks.base import Logits, Norm
from capt_engine.attacks.losses import margin
from capt_engine.progress import Progress
from capt_engine.registry import param

Score = Callable[[Tensor], Tensor]  # logits (n, k) → (n,), larger = better for the attacker
Which = Tensor | slice  # some of the pictures: their indices (m,), or slice(None), which copies nothing


@dataclass(frozen=True)
class Criterion:
    """Where the attacker wants to go: away from `labels` (n,), or to them when `targeted`."""

    labels: Tensor
    targeted: bool

    @property
    def sign(self) -> float:
        """What a loss that grows as the label falls is multiplied with."""
        return -1.0 if self.targeted else 1.0

    def adversarial_margin(self, logits: Tensor) -> Tensor:
        """By how much the attacker has won, (n,); above 0 the answer is what was wanted."""
        return self.sign * margin(logits, self.labels)

    def of(self, which: Which) -> Criterion:
        """The aim for some of the pictures."""
        return Criterion(self.labels[which], self.targeted)


@dataclass(frozen=True)
class LossAndGradient:
    """What the model showed at some pictures: loss (n,), reached (n,) as in `Aim`, slope of the loss (n, 3, h, w), 0 where not asked."""

    loss: Tensor
    adversarial_margin: Tensor
    gradient: Tensor


def value_and_grad(
    model: Logits, at: Tensor, criterion: Criterion, score: Score, *, samples: int = 1, with_gradient: bool = True
) -> LossAndGradient:
    """Ask the model about pictures `at` (n, 3, h, w); `samples` times, and the mean of all (EoT, Athalye et al. 2018, arXiv 1707.07397).

    Losses are summed over the pictures, not averaged: each picture's slope is its own, whatever the batch.
    """
    at = at.detach().requires_grad_(with_gradient)
    losses, adversarial_margin, gradients = [], [], []
    for _ in range(samples):
        with torch.set_grad_enabled(with_gradient):
            logits = model(at)
            loss = score(logits)
            total = loss.sum()
        losses.append(loss.detach())
        adversarial_margin.append(criterion.adversarial_margin(logits.detach()))
        # A model that cuts the graph shows no slope. The attack goes on without one; it is for the checks to say so.
        if with_gradient and total.requires_grad:
            gradients.append(torch.autograd.grad(total, at)[0])
    return LossAndGradient(
        _mean(losses), _mean(adversarial_margin), _mean(gradients) if gradients else torch.zeros_like(at)
    )


def averaged(model: Logits, samples: int) -> Logits:
    """The model whose logits are the mean of `samples` passes, for attacks that need them to belong to one model (EoT, as in `look`)."""
    if samples == 1:
        return model

    def mean(images: Tensor) -> Tensor:
        return torch.stack([model(images) for _ in range(samples)]).mean(dim=0)

    return mean


def _mean(values: list[Tensor]) -> Tensor:
    if len(values) == 1:
        return values[0]
    total = torch.zeros_like(values[0])
    for value in values:
        total += value
    return total / len(values)


def clip_to_box(images: Tensor, delta: Tensor) -> Tensor:
    """The part of delta that keeps images + delta in [0, 1]; it only ever shortens, so no ball around `images` is left."""
    # In place: at full size a step's time outside the model is mostly the first touch of fresh memory.
    room = 1 - images
    torch.minimum(delta, room, out=room)
    return torch.maximum(room, -images, out=room)


def project(images: Tensor, delta: Tensor, norm: Norm, eps: float) -> Tensor:
    """The nearest perturbation to `delta` that is in the ball, shortened to where images + delta is a picture."""
    return clip_to_box(images, norm.project(delta, eps))


class ProgressCounter:
    """Counts the ticks of one run: each call is one unit of `work`."""

    def __init__(self, progress: Progress, work: int) -> None:
        self._tick, self._work, self._done = progress, work, 0

    def __call__(self, note: str) -> None:
        """Report, and stop here if that is wanted (Cancelled)."""
        self._tick(self._done, self._work, note)
        self._done += 1


def samples_param() -> Any:
    """The setting shared by all attacks that follow the slope of a model that may be random."""
    return param(
        1,
        "Draws a step",
        low=1,
        high=1_000,
        help="Average the slope over this many passes: for models that answer at random. Each step costs as many times more.",
    )


def stop_param(default: bool = False) -> Any:
    """The setting shared by all attacks that can let go of a picture."""
    return param(
        default,
        "Stop at success",
        help="Spend no more steps on a picture once it is fooled: the same accuracy in less time, but not the strongest attack.",
    )
