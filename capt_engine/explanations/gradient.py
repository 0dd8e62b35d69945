"""The input gradient (Simonyan et al. 2014, arXiv 1312.6034): how fast a class's score changes with each value of the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.explanations.scores import LogitsFn, score_named


def input_gradient(model: LogitsFn, images: Tensor, labels: Tensor, of: str = "margin") -> Tensor:
    """Compute the gradient of a class's score in the pixels, each picture's own.

    Args:
        model: pixels (n, 3, h, w) in [0, 1] → logits (n, k), differentiable.
        images: pixels (n, 3, h, w) in [0, 1].
        labels: (n,), the class of each picture whose score is meant.
        of: the score, "margin" (the class's logit minus the best other one) or "logit".

    Returns:
        Gradients (n, 3, h, w), in logits per unit of pixel.

    Raises:
        BadRequest: the model lets no gradient through.
        UnknownName: another score.
    """
    score = score_named(of)
    with torch.inference_mode(False), torch.enable_grad():
        at = images.detach().clone().requires_grad_()
        total = score(model(at), labels).sum()
        found = torch.autograd.grad(total, at, allow_unused=True)[0] if total.requires_grad else None
    if found is None:
        raise BadRequest(
            "The model lets no gradient through, so there is none to show.", "Occlusion needs no gradient: choose that."
        )
    return found.detach()


def gradient_size(gradient: Tensor) -> Tensor:
    """Sum the absolute gradient over the colours: how much a pixel matters, whichever way.

    Args:
        gradient: (n, 3, h, w).

    Returns:
        |∂/∂red| + |∂/∂green| + |∂/∂blue|, (n, h, w), ≥ 0: the gain of the steepest step of size 1 under L∞.
    """
    return gradient.abs().sum(dim=1)


def gradient_sum(gradient: Tensor) -> Tensor:
    """Sum the gradient over the colours with its sign: the effect of making a pixel brighter.

    Args:
        gradient: (n, 3, h, w).

    Returns:
        ∂/∂red + ∂/∂green + ∂/∂blue, (n, h, w); positive where brighter speaks for the class.
    """
    return gradient.sum(dim=1)
