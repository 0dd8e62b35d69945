"""The number that a saliency map explains: one value (n,) a picture, larger = more in favour of the class."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from capt_engine.attacks.losses import adversarial_margin
from capt_engine.errors import UnknownName

LogitsFn = Callable[[Tensor], Tensor]  # pixels (n, 3, h, w) in [0, 1] → logits (n, k)
Score = Callable[[Tensor, Tensor], Tensor]


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the margin z_y − max_{j≠y} z_j.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,), class indices.

    Returns:
        Margins (n,) in logits; negative where another class wins.
    """
    return -adversarial_margin(logits, labels)


def logit(logits: Tensor, labels: Tensor) -> Tensor:
    """Pick the logit z_y of one class a picture.

    Args:
        logits: z, (n, k).
        labels: y, (n,), class indices.

    Returns:
        Logits (n,).
    """
    return logits.gather(1, labels[:, None]).squeeze(1)


SCORES: dict[str, Score] = {"margin": margin, "logit": logit}


def score_named(name: str) -> Score:
    """Return the score called `name`, "margin" or "logit"; raises UnknownName for another."""
    if name not in SCORES:
        raise UnknownName("score of a saliency map", name, tuple(SCORES))
    return SCORES[name]
