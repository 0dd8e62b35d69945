"""A unit test for attacks (Zimmermann et al. 2022, arXiv 2206.13991): a classifier in which an adversarial picture certainly exists.

A linear read-out is planted on the model's logits at points of the ball. It gives the clean picture and its near neighbours one class,
and at least one known point of the ball another. An attack that finds no such point does not work on this model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from capt_engine.attacks.base import LogitsFn, PictureRngs, Threat
from capt_engine.checks.subset import logits_of
from capt_engine.model.devices import exact, finest

# Points on the edge of the ball, and near neighbours of the clean picture at this share of the way.
_EDGE, _NEAR, _INNER = 24, 8, 0.25


@dataclass(frozen=True)
class PlantedModel:
    """Two classes: 0 for what is like the clean picture, 1 beyond a threshold along a direction of the model's own logits.

    direction (k,): of centred logits. threshold, scale: class 1's margin is (projection − threshold) / scale.
    """

    model: LogitsFn
    direction: Tensor
    threshold: float
    scale: float

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (n, 2) of pixels (n, 3, h, w)."""
        margin = (_centred(self.model(images)) @ self.direction - self.threshold) / self.scale
        logits = torch.stack([-margin / 2, margin / 2], dim=1)
        # Back from the processor, where the pictures' device knows no float64.
        return logits.to(finest(images.device)).to(images.device)


def plant(model: LogitsFn, image: Tensor, threat: Threat, rngs: PictureRngs) -> PlantedModel | None:
    """Build a two-class model on top of `model` that surely has an adversarial example in the ball around one picture.

    The test is that of Zimmermann et al. (2022, arXiv 2206.13991).

    Args:
        model: pixels (n, 3, h, w) in [0, 1] → logits (n, k).
        image: one picture, (1, 3, h, w) in [0, 1].
        threat: norm and budget of the ball.
        rngs: the random stream of this picture.

    Returns:
        A model of two classes that gives `image` class 0 and some point of the ball class 1; None where no point tried
        could be set apart from the picture and its near neighbours by the logits.
    """
    norm, eps = threat.norm, threat.eps
    # Corners of the ball: as far as it goes in every value.
    edge = [norm.project(norm.normalize(rngs.normal(image)) * eps, eps) for _ in range(_EDGE)]
    far = (image + torch.cat(edge)).clamp(0, 1)
    near = (image + _INNER * (far[:_NEAR] - image)).clamp(0, 1)
    inner, outer = _centred(logits_of(model, torch.cat([image, near]))), _centred(logits_of(model, far))
    # Of the directions to the points on the edge, the one that sets its point apart most; one of length 0, or not finite, gives NaN.
    directions = outer - inner[:1]
    directions = directions / torch.linalg.vector_norm(directions, dim=1, keepdim=True)
    highest_inner = (inner @ directions.T).amax(dim=0)
    gaps = ((outer * directions).sum(dim=1) - highest_inner).nan_to_num(nan=0.0)
    best = int(gaps.argmax())
    gap = float(gaps[best])
    if gap <= 0:
        return None
    # As hard as can be with certainty: just below the one point that is known to lie beyond.
    return PlantedModel(model, directions[best], float(highest_inner[best]) + 0.95 * gap, max(gap, 1e-9))


def _centred(logits: Tensor) -> Tensor:
    """Logits less their mean, which no softmax sees; in double precision, as small differences matter here."""
    logits = exact(logits)
    return logits - logits.mean(dim=1, keepdim=True)
