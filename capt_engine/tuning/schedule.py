"""Rules of the learning rate, each a function of its peak, (epoch, epochs) from 1 and (step, steps) from 0."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float, tuple[int, int], tuple[int, int]], float]

WARM_UP = 1e-5


def learning_rate(epoch: int, epochs: int, peak: float) -> float:
    """Return the learning rate of `epoch` (from 1) of `epochs`: 1e-5, then peak/2 · (1 + cos(π (epoch − 2) / epochs)).

    It is `peak` in epoch 2 and does not reach zero, in the public code as here (CoOp, MaPLe, FAP, APT). Raises
    ValueError for another epoch.
    """
    if not 1 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} of {epochs}")
    return WARM_UP if epoch == 1 else peak / 2 * (1 + math.cos(math.pi * (epoch - 2) / epochs))


def warm_epoch_then_cosine(peak: float, epoch: tuple[int, int], step: tuple[int, int]) -> float:
    """Return the learning rate of an epoch: 1e-5 in the first, from then on half a cosine that begins at `peak`.

    epoch: (epoch from 1, number of epochs). step: not used. CoOp, MaPLe, FAP and APT go by this rule.
    """
    del step
    return learning_rate(*epoch, peak)


def linear_then_cosine(warm_up: float) -> Schedule:
    """Return a rule for the learning rate: a linear rise to its peak, then half a cosine down to zero, step by step.

    warm_up: the share of the run's steps, in [0, 1], that the rise takes. The rule takes the peak, (epoch, epochs),
    which it does not use, and (steps of the whole run that are done, steps of the whole run), and returns the learning
    rate of the next step.
    """

    def rate(peak: float, epoch: tuple[int, int], step: tuple[int, int]) -> float:
        del epoch
        done, total = step
        rise = max(1, round(warm_up * total))
        if done < rise:
            return peak * (done + 1) / rise
        return peak / 2 * (1 + math.cos(math.pi * (done - rise) / max(1, total - rise)))

    return rate
