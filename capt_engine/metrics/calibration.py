"""Does a model know when it is wrong? Confidence against correctness (Naeini et al. 2015; Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass, field

BINS = 15


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
