"""Agreement of two predictions: of the clean and the attacked picture, or of the frozen zero-shot model and the tuned one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.model.devices import exact

__all__ = ["agreement", "js", "kl"]

KL_DIRECTIONS = ("target_first", "pred_first", "js")


def kl(target: Tensor, other: Tensor) -> Tensor:
    """Compute the Kullback–Leibler divergence KL(softmax(target) ‖ softmax(other)): how badly `other` describes `target`.

    Args:
        target: logits (n, k).
        other: logits (n, k).

    Returns:
        Divergences (n,) in nats, never negative.

    Example:
        >>> kl(torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3), 0.0]]))
        tensor([0.1438])
    """
    # In double precision and rounded once: small divergences are differences of nearly equal numbers, and the last bits of exp and
    # log depend on where in a batch a picture stands.
    return divergence(exact(target), exact(other)).clamp_min(0).float()


def js(one: Tensor, other: Tensor) -> Tensor:
    """Compute the Jensen–Shannon divergence of softmax(one) and softmax(other): the mean KL of both from their mean.

    Args:
        one: logits (n, k).
        other: logits (n, k).

    Returns:
        Divergences (n,) in nats, from 0 (the same) to ln 2 (nothing shared).

    Example:
        >>> js(torch.tensor([[40.0, 0.0]]), torch.tensor([[0.0, 40.0]]))
        tensor([0.6931])
    """
    return divergence(exact(one), exact(other), "js").clamp(0, math.log(2)).float()


def divergence(target: Tensor, prediction: Tensor, direction: str = "target_first") -> Tensor:
    """Compute a differentiable divergence of two predictions, for training: unclamped, in fp32, or fp64 for fp64 logits.

    Args:
        target: logits (n, k).
        prediction: logits (n, k).
        direction: "target_first" for KL(target ‖ prediction), "pred_first" for KL(prediction ‖ target), "js" for
            Jensen–Shannon.

    Returns:
        Divergences (n,) in nats.

    Raises:
        UnknownName: `direction` is none of KL_DIRECTIONS.

    Example:
        >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3), 0.0]]), "pred_first")
        tensor([0.1308])
    """
    log_t, log_p = log_probabilities(target), log_probabilities(prediction)
    if direction == "target_first":
        return (log_t.exp() * (log_t - log_p)).sum(dim=1)
    if direction == "pred_first":
        return (log_p.exp() * (log_p - log_t)).sum(dim=1)
    if direction != "js":
        raise UnknownName("direction of KL", direction, KL_DIRECTIONS)
    log_m = torch.logaddexp(log_t, log_p) - math.log(2)
    return 0.5 * ((log_t.exp() * (log_t - log_m)).sum(dim=1) + (log_p.exp() * (log_p - log_m)).sum(dim=1))


def log_probabilities(logits: Tensor) -> Tensor:
    """Logarithms of softmax(logits), in double precision where the logits are, else in fp32.

    Args:
        logits: scores (n, k).

    Returns:
        Log-probabilities (n, k).

    Example:
        >>> log_probabilities(torch.zeros(1, 2))
        tensor([[-0.6931, -0.6931]])
    """
    return (logits if logits.dtype == torch.float64 else logits.float()).log_softmax(dim=1)


def agreement(one: Tensor, other: Tensor) -> Tensor:
    """Return 1 where both predictions have the same best class, else 0; the mean is the agreement rate.

    Args:
        one: logits (n, k).
        other: logits (n, k).

    Returns:
        Zeros and ones (n,), as floating-point numbers.

    Example:
        >>> agreement(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[5.0, 4.0], [0.0, 1.0]]))
        tensor([1., 0.])
    """
    return (one.argmax(dim=1) == other.argmax(dim=1)).float()
