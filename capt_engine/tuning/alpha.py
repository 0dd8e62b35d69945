"""The adaptive weight α of CAPT: how far to trust the frozen model's clean prediction rather than the tuned model's own.

The paper says that α is adaptive and what it balances, not how it is computed. These are our constructions; `label_prob` is the default.
Every rule gives values in [0, 1] that carry no gradient: otherwise the optimiser could lower the loss by moving α.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_TINY = 1e-8


@dataclass(frozen=True)
class AlphaInput:
    """What a rule may look at: clean logits (n, k) of the tuned and the frozen model, labels (n,), both consistency terms (n,), and
    the share of the run that is done, in [0, 1]."""

    tuned: Tensor
    frozen: Tensor
    labels: Tensor
    train: Tensor
    reference: Tensor
    progress: float


def _ratio(frozen: Tensor, tuned: Tensor) -> Tensor:
    return frozen / (tuned + frozen + _TINY)


def label_prob(given: AlphaInput) -> Tensor:
    """pF / (pT + pF) of the label's probabilities, which is sigmoid(CE tuned − CE frozen); written so, it cannot underflow."""
    return torch.sigmoid(_label_loss(given.tuned, given) - _label_loss(given.frozen, given))


def batch(given: AlphaInput) -> Tensor:
    """The same for the batch's mean losses: one value for all, the smoothest."""
    mean = (_label_loss(given.tuned, given) - _label_loss(given.frozen, given)).mean()
    return torch.sigmoid(mean).expand(len(given.labels))


def confidence(given: AlphaInput) -> Tensor:
    """Ratio of the largest probabilities; needs no label."""
    return _ratio(given.frozen.softmax(dim=1).amax(dim=1), given.tuned.softmax(dim=1).amax(dim=1))


def entropy(given: AlphaInput) -> Tensor:
    """Ratio of certainties 1 − H / ln k; needs no label. 0.5 where neither is certain of anything."""
    frozen, tuned = _certainty(given.frozen), _certainty(given.tuned)
    return (frozen + _TINY / 2) / (frozen + tuned + _TINY)


def loss_balance(given: AlphaInput) -> Tensor:
    """L_train / (L_train + L_frozen): the term that is smaller gets the larger weight. 0.5 where both vanish."""
    return (given.train + _TINY / 2) / (given.train + given.reference + _TINY)


def schedule(given: AlphaInput) -> Tensor:
    """From 0 to 1 over the run."""
    return torch.full_like(given.train, given.progress)


def _label_loss(logits: Tensor, given: AlphaInput) -> Tensor:
    return F.cross_entropy(logits.float(), given.labels, reduction="none")


def _certainty(logits: Tensor) -> Tensor:
    log_p = logits.float().log_softmax(dim=1)
    return (1 + (log_p.exp() * log_p).sum(dim=1) / math.log(logits.shape[1])).clamp(0, 1)


ALPHAS: dict[str, Callable[[AlphaInput], Tensor]] = {
    "label_prob": label_prob,
    "batch": batch,
    "confidence": confidence,
    "entropy": entropy,
    "loss_balance": loss_balance,
    "schedule": schedule,
}
