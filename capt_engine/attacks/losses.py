"""Losses that attacks ascend: of logits (n, k) and labels (n,), one number (n,) a picture, larger = further from the label."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]

DLR_CLASSES = 3
"""The DLR loss divides by the difference of the best and the third best logit: with fewer classes there is none."""

TARGETED_DLR_CLASSES = 4
"""The targeted DLR loss also looks at the fourth best class."""

# Where the best three logits are equal the ratio has no meaning; the numerator alone then gives the direction.
_LEVEL = 1e-12


def without_label(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits (n, k) with −∞ for the label of each picture, labels (n,), so that a maximum is of the other classes."""
    return logits.scatter(1, labels[:, None], -torch.inf)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy −log softmax(z)_y, as log(1 + Σ_{j≠y} exp(z_j − z_y)).

    Written so, its gradient stays exact for a confident model: the usual p − 1 is 0 in fp32 from a margin of 17 logits on.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        (n,), ≥ 0.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return F.softplus(without_label(logits, labels).logsumexp(dim=1) - label_logit)


def adversarial_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Adversarial margin max_{j≠y} z_j − z_y (Carlini & Wagner 2017, f₆, without the floor).

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        (n,), positive where the answer is not the label.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return without_label(logits, labels).amax(dim=1) - label_logit


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Difference-of-logits ratio (max_{j≠y} z_j − z_y) / (z_π1 − z_π3), π sorting z downwards (Croce & Hein 2020, eq. 6).

    No scale of the logits changes it. With fewer than DLR_CLASSES classes it is the adversarial margin itself.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        (n,), at least −1; positive where the answer is not the label.
    """
    if logits.shape[1] < DLR_CLASSES:
        return adversarial_margin(logits, labels)
    first, _, third = logits.topk(3, dim=1).values.unbind(dim=1)
    return adversarial_margin(logits, labels) / (first - third).clamp_min(_LEVEL)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Targeted DLR (z_t − z_y) / (z_π1 − (z_π3 + z_π4) / 2), π sorting z downwards (Croce & Hein 2020, eq. 7).

    With fewer than TARGETED_DLR_CLASSES classes it is the difference itself.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).
        targets: t, (n,).

    Returns:
        (n,), larger = nearer to the targets.
    """
    difference = logits.gather(1, targets[:, None]).squeeze(1) - logits.gather(1, labels[:, None]).squeeze(1)
    if logits.shape[1] < TARGETED_DLR_CLASSES:
        return difference
    first, _, third, fourth = logits.topk(4, dim=1).values.unbind(dim=1)
    return difference / (first - (third + fourth) / 2).clamp_min(_LEVEL)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "margin": adversarial_margin, "dlr": dlr}


def loss_notes(loss: str, classes: int) -> tuple[str, ...]:
    """Notes on an attack that ascends `loss` with this many classes."""
    if loss != "dlr" or classes >= DLR_CLASSES:
        return ()
    return (f"The DLR loss needs {DLR_CLASSES} classes; with {classes} the margin takes its place.",)
