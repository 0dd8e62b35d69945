"""The smallest budget at which an attack breaks a picture, by bisection: an upper bound of the true distance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from capt_engine.attacks.base import NORMS, Attack, LogitsFn, PictureRngs, Threat
from capt_engine.progress import Progress
from capt_engine.wrappers.quantized import run_attack

ROUNDS = 14
"""The approximate number of runs of the attack on a picture."""

# Below this share of the first budget a picture counts as broken by next to nothing.
_SMALLEST = 2.0**-10


def smallest_budgets(
    attack: Attack,
    model: LogitsFn,
    images: Tensor,
    labels: Tensor,
    threat: Threat,
    rngs: Callable[[Sequence[int]], PictureRngs],
    fooled: Callable[[Tensor, Sequence[int]], Tensor],
    tolerance: float,
    progress: Progress,
) -> list[float]:
    """Search for the smallest ε (budget) at which an attack breaks each picture, by bisection.

    Args:
        attack: the attack, which is run again at each budget that is tried.
        model: a function from pixels (n, 3, h, w) in [0, 1] to logits (n, k).
        images: the clean pictures, (n, 3, h, w) in [0, 1].
        labels: (n,), the classes to get away from; when `threat.targeted`, the classes to reach.
        threat: norm and goal; its eps is the first budget to try (0: the norm's usual one).
        rngs: a function from indices into `images` to the random generators of these pictures.
        fooled: a function from logits (m, k) and the m indices into `images` to a mask (m,), True for a broken picture.
        tolerance: how near to the smallest budget the search goes, as a share of it, such as 0.05.
        progress: called at each step of the attack; what it raises ends the search.

    Returns:
        n budgets in the norm's units, infinite where none breaks the picture. Each is at most (1 + tolerance) times the
        smallest budget at which this attack succeeds, provided that it succeeds at every larger one.
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
        for eps, indices in sorted(waiting.items()):
            with_eps = replace(threat, eps=eps)
            attacked = run_attack(attack, model, images[indices], labels[indices], with_eps, rngs(indices), progress)
            with torch.no_grad():
                broken = fooled(model(attacked), indices)
            for i, success in zip(indices, broken.tolist(), strict=True):
                if success:
                    high[i] = eps
                else:
                    low[i] = eps


def _next(low: float, high: float, start: float, most: float, tolerance: float) -> float | None:
    """The next budget to try; None where the interval is narrow enough."""
    if math.isinf(high):
        if low >= most:
            return None
        return min(most, 2 * low) if low else start
    if not low:
        return high / 2 if high > start * _SMALLEST else None
    return None if high <= low * (1 + tolerance) else math.sqrt(low * high)
