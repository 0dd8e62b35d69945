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
    """Replace the label's logit of each picture by −∞, so that a maximum is of the other classes.

    Args:
        logits: z, (n, k).
        labels: y, (n,).

    Returns:
        A new tensor of logits (n, k).
    """
    return logits.scatter(1, labels[:, None], -torch.inf)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the cross-entropy −log softmax(z)_y, as log(1 + Σ_{j≠y} exp(z_j − z_y)).

    Written so, its gradient stays exact for a confident model: the usual p − 1 is 0 in fp32 from a margin of 17 logits
    on.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        Losses (n,) in nats, ≥ 0.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return F.softplus(without_label(logits, labels).logsumexp(dim=1) - label_logit)


def adversarial_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the adversarial margin max_{j≠y} z_j − z_y (Carlini & Wagner 2017, f₆, without the floor).

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        Margins (n,) in logits, positive where the answer is not the label.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return without_label(logits, labels).amax(dim=1) - label_logit


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the difference-of-logits ratio (max_{j≠y} z_j − z_y) / (z_π1 − z_π3), π sorting z downwards.

    It is equation 6 of Croce & Hein (2020). No scale of the logits changes the ratio. With fewer than DLR_CLASSES
    classes the adversarial margin is returned instead.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).

    Returns:
        Ratios (n,), positive where the answer is not the label; from −1 up for k ≥ 3.
    """
    if logits.shape[1] < DLR_CLASSES:
        return adversarial_margin(logits, labels)
    first, _, third = logits.topk(3, dim=1).values.unbind(dim=1)
    return adversarial_margin(logits, labels) / (first - third).clamp_min(_LEVEL)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Compute the targeted DLR (z_t − z_y) / (z_π1 − (z_π3 + z_π4) / 2), π sorting z downwards.

    It is equation 7 of Croce & Hein (2020). With fewer than TARGETED_DLR_CLASSES classes the difference z_t − z_y is
    returned instead.

    Args:
        logits: z, (n, k), k ≥ 2.
        labels: y, (n,).
        targets: t, (n,), the classes to reach.

    Returns:
        Ratios (n,), larger = nearer to the targets.
    """
    difference = logits.gather(1, targets[:, None]).squeeze(1) - logits.gather(1, labels[:, None]).squeeze(1)
    if logits.shape[1] < TARGETED_DLR_CLASSES:
        return difference
    first, _, third, fourth = logits.topk(4, dim=1).values.unbind(dim=1)
    return difference / (first - (third + fourth) / 2).clamp_min(_LEVEL)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "margin": adversarial_margin, "dlr": dlr}


def loss_notes(loss: str, classes: int) -> tuple[str, ...]:
    """Return a sentence for the report if `loss` is "dlr" and `classes` under 3, so the margin is used; else nothing."""
    if loss != "dlr" or classes >= DLR_CLASSES:
        return ()
    return (f"The DLR loss needs {DLR_CLASSES} classes; with {classes} the margin takes its place.",)
