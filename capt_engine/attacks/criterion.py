"""The attacker's goal: misclassification, or a target class."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from capt_engine.attacks.losses import adversarial_margin

Which = Tensor | slice  # some of the pictures: their indices (m,), or slice(None), which copies nothing


@dataclass(frozen=True)
class Criterion:
    """The attacker's goal: misclassification, away from `labels` (n,); or targeted, towards them.

    Attributes:
        labels: (n,), the classes to leave, or to reach.
        targeted: True for the second.
    """

    labels: Tensor
    targeted: bool = False

    @property
    def sign(self) -> float:
        """The factor for a loss that grows as the label's probability falls, so that the attacker always ascends: 1, or −1 if targeted."""
        return -1.0 if self.targeted else 1.0

    def adversarial_margin(self, logits: Tensor) -> Tensor:
        """Adversarial margin max_{j≠y} z_j − z_y, negated if targeted, (n,); positive where the goal is reached."""
        return self.sign * adversarial_margin(logits, self.labels)

    def of(self, which: Which) -> Criterion:
        """The criterion of some of the pictures."""
        return Criterion(self.labels[which], self.targeted)
