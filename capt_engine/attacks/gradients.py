"""Value and gradient of an attack's loss, the attacker's criterion, and projections onto the ball and the pixel box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LogitsFn, Norm
from capt_engine.attacks.criterion import Criterion
from capt_engine.progress import Progress

Score = Callable[[Tensor], Tensor]  # logits (n, k) → (n,), larger = better for the attacker


@dataclass(frozen=True)
class LossAndGradient:
    """The model's answer at some pictures.

    Attributes:
        loss: (n,).
        adversarial_margin: (n,), see `Criterion`.
        gradient: of the loss in the pixels, (n, 3, h, w); 0 where it was not computed.
    """

    loss: Tensor
    adversarial_margin: Tensor
    gradient: Tensor


# At some pictures (m, 3, h, w): their logits (m, k), what was found there, and the loss as a function of logits.
Watcher = Callable[[Tensor, Tensor, LossAndGradient, Score], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watched_gradients(watcher: Watcher | None) -> Iterator[None]:
    """Call a function behind each `value_and_grad` of this thread while it lasts; results stay the same bits.

    Args:
        watcher: takes the pictures (m, 3, h, w) that were asked about, their logits (m, k), what was found, and the loss;
            it must not change them. None watches nothing.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def value_and_grad(
    model: LogitsFn,
    at: Tensor,
    criterion: Criterion,
    score: Score,
    *,
    samples: int = 1,
    with_gradient: bool = True,
    stop: bool = False,
) -> LossAndGradient:
    """Compute loss, adversarial margin and gradient at some pictures, averaged over passes.

    The average is EOT (Athalye et al. 2018, arXiv 1707.07397). Losses are summed over the pictures, not averaged: each
    picture has its own gradient, whatever the batch.

    Args:
        model: pixels (n, 3, h, w) → logits (n, k).
        at: pixels (n, 3, h, w) in [0, 1].
        criterion: the attacker's goal for these pictures.
        score: the loss that is ascended, logits (n, k) → (n,).
        samples: EOT samples, 1 for a deterministic model.
        with_gradient: False leaves the gradient 0 and saves the backward pass.
        stop: True if the attack ends where all goals are reached: the backward pass is saved then too, on the processor;
            an accelerator would have to be waited for.

    Returns:
        Loss (n,), adversarial margin (n,) and gradient (n, 3, h, w), detached; the gradient is 0 where the model gives
        none.
    """
    at = at.detach().requires_grad_(with_gradient)
    losses, margins = [], []
    gradients: list[Tensor] = []
    watcher = _watcher.get()
    may_stop = stop and samples == 1 and watcher is None and at.device.type == "cpu"
    for _ in range(samples):
        with torch.set_grad_enabled(with_gradient):
            logits = model(at)
            loss = score(logits)
            total = loss.sum()
        losses.append(loss.detach())
        margins.append(criterion.adversarial_margin(logits.detach()))
        if may_stop and bool((margins[0] > 0).all()):
            break
        # A model that cuts the graph gives no gradient. The attack goes on without one; the checks report it.
        if with_gradient and total.requires_grad:
            gradients += [one for one in torch.autograd.grad(total, at, allow_unused=True) if one is not None]
    found = LossAndGradient(_mean(losses), _mean(margins), _mean(gradients) if gradients else torch.zeros_like(at))
    if watcher is not None:
        watcher(at.detach(), logits.detach(), found, score)
    return found


def averaged(model: LogitsFn, samples: int) -> LogitsFn:
    """Make a model whose logits are the mean of several passes (EOT), for attacks that need one fixed model.

    Args:
        model: pixels (n, 3, h, w) → logits (n, k).
        samples: passes that are averaged, at least 1.

    Returns:
        A function of pixels that gives mean logits; `model` itself for one sample.
    """
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
    """Clip a perturbation so that images + delta is in [0, 1].

    No value moves away from 0, so a perturbation inside a ball stays inside.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].
        delta: (n, 3, h, w), any values.

    Returns:
        The clipped perturbation, a new tensor (n, 3, h, w).
    """
    # In place: at full size a step's time outside the model is mostly the first touch of fresh memory.
    room = 1 - images
    torch.minimum(delta, room, out=room)
    return torch.maximum(room, -images, out=room)


def project(images: Tensor, delta: Tensor, norm: Norm, eps: float) -> Tensor:
    """Project a perturbation onto the ball, then clip it so that images + delta is in [0, 1].

    Under L∞ the result is the nearest point of ball and box; under L2 it lies in both.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].
        delta: (n, 3, h, w), any values.
        norm: the norm of the ball.
        eps: its radius, ≥ 0.

    Returns:
        The projected perturbation, a new tensor (n, 3, h, w).
    """
    return clip_to_box(images, norm.project(delta, eps))


class ProgressCounter:
    """Counts the calls of `progress` in one run: each is one unit of `work`."""

    def __init__(self, progress: Progress, work: int) -> None:
        self._progress, self._work, self._done = progress, work, 0

    def __call__(self, note: str) -> None:
        """Report one unit; an exception that `progress` raises (Cancelled) stops the attack here."""
        self._progress(self._done, self._work, note)
        self._done += 1
