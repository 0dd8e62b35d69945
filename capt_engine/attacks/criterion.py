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
        """Return −1 if targeted, else 1.

        The attacker climbs this times a loss that grows as the label's probability falls.
        """
        return -1.0 if self.targeted else 1.0

    def adversarial_margin(self, logits: Tensor) -> Tensor:
        """Measure how far the attacker's goal is reached: max_{j≠y} z_j − z_y, negated if targeted.

        Args:
            logits: z, (n, k), one row for each of `labels`.

        Returns:
            Margins (n,) in logits; positive where the goal is reached.
        """
        return self.sign * adversarial_margin(logits, self.labels)

    def of(self, which: Which) -> Criterion:
        """Select the goal of some of the pictures.

        Args:
            which: indices (m,) of the pictures, or a slice.

        Returns:
            A criterion with their labels (m,), as targeted as this one.
        """
        return Criterion(self.labels[which], self.targeted)
