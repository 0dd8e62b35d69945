"""Confidence against correctness: how well a model knows when it is wrong (Naeini et al. 2015; Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from capt_engine.model.devices import exact

__all__ = ["brier", "ece", "nll"]

BINS = 15


def nll(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the negative log-likelihood of the label, −log softmax(z)_y.

    Args:
        logits: scores z, (n, k).
        labels: class indices y, (n,).

    Returns:
        Losses (n,) in nats, 0 where the model is sure and right.

    Example:
        >>> import torch
        >>> nll(torch.zeros(1, 2), torch.tensor([0]))
        tensor([0.6931])
    """
    scores = exact(logits)
    return F.cross_entropy(scores, labels.to(scores.device), reduction="none").float()


def brier(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the Brier score Σ_j (p_j − [j = y])² over the classes, with p = softmax(z) (Brier 1950).

    Args:
        logits: scores z, (n, k).
        labels: class indices y, (n,).

    Returns:
        Scores (n,) from 0 (sure and right) to 2 (sure of one wrong class).

    Example:
        >>> import torch
        >>> brier(torch.zeros(1, 2), torch.tensor([0]))
        tensor([0.5000])
    """
    scores = exact(logits)
    wanted = F.one_hot(labels.to(scores.device), logits.shape[1])
    return (scores.softmax(dim=1) - wanted).square().sum(dim=1).clamp(0, 2).float()


def ece(logits: Tensor, labels: Tensor) -> float:
    """Expected calibration error: mean |confidence − accuracy| over 15 bins of equal width, weighted by their pictures.

    Confidence is the probability of the answer.

    Args:
        logits: scores (n, k).
        labels: class indices (n,).

    Returns:
        The error, in [0, 1].

    Raises:
        ValueError: there are no pictures.

    Example:
        >>> import torch
        >>> ece(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]))
        0.25
    """
    if not len(labels):
        raise ValueError("no calibration error of no pictures")
    counted = Calibration()
    confidences, answers = exact(logits).softmax(dim=1).max(dim=1)
    for one, right in zip(confidences.tolist(), (answers == labels.to(answers.device)).tolist(), strict=True):
        counted.add(one, right=right)
    return counted.error


@dataclass
class Calibration:
    """Confidence against correctness, in 15 bins of equal width: pictures, sum of confidences, right answers.

    wrong: sum of the confidences of wrong answers.
    """

    bins: list[list[float]] = field(default_factory=lambda: [[0, 0.0, 0] for _ in range(BINS)])
    wrong: float = 0.0

    def add(self, confidence: float, *, right: bool) -> None:
        """Count one answer: `confidence`, its probability in [0, 1], and `right`, True for a correct answer."""
        one = self.bins[min(BINS - 1, int(confidence * BINS))]
        one[0] += 1
        one[1] += confidence
        one[2] += right
        self.wrong += 0.0 if right else confidence

    @property
    def n(self) -> int:
        """Return the number of answers counted."""
        return int(sum(one[0] for one in self.bins))

    @property
    def n_wrong(self) -> int:
        """Return the number of wrong answers counted."""
        return int(sum(one[0] - one[2] for one in self.bins))

    @property
    def error(self) -> float:
        """Return the expected calibration error, in [0, 1]; raise ZeroDivisionError if no answer was counted."""
        return sum(abs(one[1] - one[2]) for one in self.bins) / self.n

    @property
    def over(self) -> float:
        """Return mean confidence minus accuracy, in [−1, 1]; above 0 is overconfident.

        Raises ZeroDivisionError if no answer was counted.
        """
        return sum(one[1] - one[2] for one in self.bins) / self.n
