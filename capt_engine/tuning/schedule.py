"""The learning-rate rule that the whole public family shares: one constant epoch to warm up, then half a cosine."""

from __future__ import annotations

import math

WARM_UP = 1e-5


def learning_rate(epoch: int, epochs: int, peak: float) -> float:
    """The rate of epoch 1, 2, … of `epochs`: 1e-5 first, then peak/2 · (1 + cos(π (epoch − 2) / epochs)).

    It starts at `peak` in epoch 2 and does not reach zero, in the public code as here (CoOp, MaPLe, FAP, APT).
    """
    if not 1 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} of {epochs}")
    return WARM_UP if epoch == 1 else peak / 2 * (1 + math.cos(math.pi * (epoch - 2) / epochs))
