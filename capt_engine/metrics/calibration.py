"""Does a model know when it is wrong? Confidence against correctness (Naeini et al. 2015; Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from capt_engine.metrics.base import Metric

BINS = 15


def nll(logits: Tensor, labels: Tensor) -> Tensor:
    """−log of the label's probability, (n,), in nats, of logits (n, k)."""
    return F.cross_entropy(logits.double(), labels, reduction="none").float()


def brier(logits: Tensor, labels: Tensor) -> Tensor:
    """Σ over the classes of (probability − 1 for the label, 0 for the others)², (n,), in [0, 2] (Brier 1950)."""
    wanted = F.one_hot(labels, logits.shape[1])
    return (logits.double().softmax(dim=1) - wanted).square().sum(dim=1).clamp(0, 2).float()


NLL_CLEAN = Metric(
    "nll_clean",
    "NLL, clean",
    lambda o: nll(o.clean_logits, o.labels),
    "Minus the log of the label's probability, before the attack; 0 when the model is sure and right.",
    unit="nats",
    low=0.0,
    higher_is_better=False,
)
NLL_ATTACKED = Metric(
    "nll_attacked",
    "NLL, attacked",
    lambda o: nll(o.adversarial_logits, o.labels),
    "Minus the log of the label's probability, after the attack; large when the model is sure and wrong.",
    unit="nats",
    low=0.0,
    higher_is_better=False,
)
BRIER_CLEAN = Metric(
    "brier_clean",
    "Brier score, clean",
    lambda o: brier(o.clean_logits, o.labels),
    "The squared distance of the probabilities from the truth, before the attack: 0 is perfect, 2 is sure of a wrong class.",
    low=0.0,
    high=2.0,
    higher_is_better=False,
)
BRIER_ATTACKED = Metric(
    "brier_attacked",
    "Brier score, attacked",
    lambda o: brier(o.adversarial_logits, o.labels),
    "The squared distance of the probabilities from the truth, after the attack: 0 is perfect, 2 is sure of a wrong class.",
    low=0.0,
    high=2.0,
    higher_is_better=False,
)


@dataclass
class Calibration:
    """Confidence against correctness, in 15 bins of equal width: pictures, sum of confidences, right answers.

    wrong: sum of the confidences of wrong answers.
    """

    bins: list[list[float]] = field(default_factory=lambda: [[0, 0.0, 0] for _ in range(BINS)])
    wrong: float = 0.0

    def add(self, confidence: float, *, right: bool) -> None:
        """One more answer."""
        one = self.bins[min(BINS - 1, int(confidence * BINS))]
        one[0] += 1
        one[1] += confidence
        one[2] += right
        self.wrong += 0.0 if right else confidence

    @property
    def n(self) -> int:
        """Answers in all."""
        return int(sum(one[0] for one in self.bins))

    @property
    def n_wrong(self) -> int:
        """Wrong answers."""
        return int(sum(one[0] - one[2] for one in self.bins))

    @property
    def error(self) -> float:
        """The expected calibration error, in [0, 1]."""
        return sum(abs(one[1] - one[2]) for one in self.bins) / self.n

    @property
    def over(self) -> float:
        """Mean confidence minus accuracy: above 0 the model trusts itself too much."""
        return sum(one[1] - one[2] for one in self.bins) / self.n
