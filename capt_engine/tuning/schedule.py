"""Rules of the learning rate, each a function of its peak, (epoch, epochs) from 1 and (step, steps) from 0."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float, tuple[int, int], tuple[int, int]], float]

WARM_UP = 1e-5


def learning_rate(epoch: int, epochs: int, peak: float) -> float:
    """The rate of epoch 1, 2, … of `epochs`: 1e-5 first, then peak/2 · (1 + cos(π (epoch − 2) / epochs)).

    It starts at `peak` in epoch 2 and does not reach zero, in the public code as here (CoOp, MaPLe, FAP, APT).
    """
    if not 1 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} of {epochs}")
    return WARM_UP if epoch == 1 else peak / 2 * (1 + math.cos(math.pi * (epoch - 2) / epochs))


def warm_epoch_then_cosine(peak: float, epoch: tuple[int, int], step: tuple[int, int]) -> float:
    """The rule that the whole public family of prompts shares: one constant epoch to warm up, then half a cosine, epoch by epoch."""
    del step
    return learning_rate(*epoch, peak)


def linear_then_cosine(warm_up: float) -> Schedule:
    """A rise over the share `warm_up` of the steps, then half a cosine down to nothing, step by step."""

    def rate(peak: float, epoch: tuple[int, int], step: tuple[int, int]) -> float:
        del epoch
        done, total = step
        rise = max(1, round(warm_up * total))
        if done < rise:
            return peak * (done + 1) / rise
        return peak / 2 * (1 + math.cos(math.pi * (done - rise) / max(1, total - rise)))

    return rate
