"""The smallest budget that breaks a picture, by bisection: what an attack finds, so an upper bound of the true distance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from capt_engine.attacks.base import NORMS, Attack, Logits, PictureRngs, Threat
from capt_engine.progress import Progress
from capt_engine.wrappers.quantized import crafted

ROUNDS = 14
"""About how often the attack is run on a picture."""

# Below this share of the first budget a picture counts as broken by next to nothing.
_SMALLEST = 2.0**-10


def smallest_budgets(
    attack: Attack,
    model: Logits,
    images: Tensor,
    labels: Tensor,
    threat: Threat,
    rngs: Callable[[Sequence[int]], PictureRngs],
    fooled: Callable[[Tensor, Sequence[int]], Tensor],
    tolerance: float,
    progress: Progress,
) -> list[float]:
    """For each picture (n, 3, h, w) the smallest ε at which the attack breaks it, to a relative tolerance; infinity where none does.

    threat.eps: the budget to begin at. draws(numbers): random streams of some of the pictures. fooled(logits, numbers): which of them
    are broken, (m,). What is found is at most (1 + tolerance) times the smallest budget at which this attack succeeds, provided that it
    succeeds at every larger one.
    """
    if hasattr(attack, "stop_early"):
        attack = replace(attack, stop_early=True)  # type: ignore[type-var]
    start = threat.eps or NORMS[threat.norm.name].default_eps
    # Unbroken at low, broken at high; 0 and infinity until that is known.
    low, high = [0.0] * len(images), [math.inf] * len(images)
    while True:
        # Pictures at the same budget are attacked together, as an attack takes one budget for all.
        waiting: dict[float, list[int]] = {}
        for i in range(len(images)):
            eps = _next(low[i], high[i], start, threat.norm.high_eps, tolerance)
            if eps is not None:
                waiting.setdefault(eps, []).append(i)
        if not waiting:
            return high
        for eps, numbers in sorted(waiting.items()):
            at = replace(threat, eps=eps)
            attacked = crafted(attack, model, images[numbers], labels[numbers], at, rngs(numbers), progress)
            with torch.no_grad():
                broken = fooled(model(attacked), numbers)
            for i, fell in zip(numbers, broken.tolist(), strict=True):
                if fell:
                    high[i] = eps
                else:
                    low[i] = eps


def _next(low: float, high: float, start: float, most: float, tolerance: float) -> float | None:
    """The budget to try next, None where nothing is left to learn."""
    if math.isinf(high):
        if low >= most:
            return None
        return min(most, 2 * low) if low else start
    if not low:
        return high / 2 if high > start * _SMALLEST else None
    return None if high <= low * (1 + tolerance) else math.sqrt(low * high)
