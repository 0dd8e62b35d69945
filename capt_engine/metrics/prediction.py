"""A model's answers, how sure it is, and by how much the label leads: functions of logits."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.model.devices import exact

__all__ = ["confidence", "entropy", "in_top_k", "logit_shift", "margin", "top_k_kept"]


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the label's logit minus the best other one, z_y − max_{j≠y} z_j: the negative of the adversarial margin.

    Args:
        logits: scores z, (n, k).
        labels: class indices y, (n,).

    Returns:
        Margins (n,) in logits; negative where the answer is not the label, infinite for a single class.

    Example:
        >>> margin(torch.tensor([[2.0, 0.5], [2.0, 0.5]]), torch.tensor([0, 1]))
        tensor([ 1.5000, -1.5000])
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return label_logit - logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)


def confidence(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the probability of the label, softmax(z)_y.

    Args:
        logits: scores z, (n, k).
        labels: class indices y, (n,).

    Returns:
        Probabilities (n,) in [0, 1].

    Example:
        >>> confidence(torch.zeros(1, 4), torch.tensor([2]))
        tensor([0.2500])
    """
    scores = exact(logits)
    return scores.softmax(dim=1).gather(1, labels[:, None].to(scores.device)).squeeze(1).float()


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the prediction, −Σ p log p with p = softmax(z).

    Args:
        logits: scores (n, k).

    Returns:
        Entropies (n,) in nats, from 0 (one class has it all) to ln k (all are equally likely).

    Example:
        >>> entropy(torch.zeros(1, 2))
        tensor([0.6931])
    """
    log_p = exact(logits).log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1).neg().clamp_min(0).float()


def in_top_k(logits: Tensor, labels: Tensor, k: int = 5) -> Tensor:
    """Return 1 where the label is among the k best classes, else 0; the mean is the top-k accuracy.

    Args:
        logits: scores (n, c).
        labels: class indices (n,).
        k: how many classes count, all of them where there are fewer.

    Returns:
        Zeros and ones (n,), as floating-point numbers.

    Example:
        >>> in_top_k(torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([1]), k=2)
        tensor([1.])
    """
    best = logits.topk(min(k, logits.shape[1])).indices
    return (best == labels[:, None]).any(dim=1).float()


def top_k_kept(clean: Tensor, adversarial: Tensor, k: int = 5) -> Tensor:
    """Compute the share of the k best classes of the clean picture that are among the k best of the attacked one.

    Args:
        clean: logits (n, c) of the clean pictures.
        adversarial: logits (n, c) of the attacked pictures.
        k: how many classes count, all of them where there are fewer.

    Returns:
        Shares (n,) in [0, 1].

    Example:
        >>> top_k_kept(torch.tensor([[3.0, 2.0, 1.0]]), torch.tensor([[1.0, 2.0, 3.0]]), k=2)
        tensor([0.5000])
    """
    k = min(k, clean.shape[1])
    before, after = clean.topk(k).indices, adversarial.topk(k).indices
    return (before[:, :, None] == after[:, None, :]).any(dim=2).float().mean(dim=1)


def logit_shift(clean: Tensor, adversarial: Tensor) -> Tensor:
    """Compute the mean absolute change of a logit between the clean and the attacked picture, mean_j |z′_j − z_j|.

    Args:
        clean: logits (n, k) of the clean pictures.
        adversarial: logits (n, k) of the attacked pictures.

    Returns:
        Mean changes (n,), in logits.

    Example:
        >>> logit_shift(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
        tensor([1.5000])
    """
    return (adversarial - clean).abs().mean(dim=1)
