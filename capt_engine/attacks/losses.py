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


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """−log softmax(logits)[label], (n,), as log(1 + Σ exp(other − label)).

    Written so, its gradient stays exact for a confident model: the usual p − 1 is 0 in fp32 from a margin of 17 logits on.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return F.softplus(_without(logits, labels).logsumexp(dim=1) - label_logit)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Margin max_{j≠y} z_j − z_y, (n,): positive where the answer is not the label (Carlini & Wagner 2017, without the floor)."""
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return _without(logits, labels).amax(dim=1) - label_logit


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """Difference-of-logits ratio (max_{j≠y} z_j − z_y) / (z_π1 − z_π3), (n,): no scale of the logits changes it (Croce & Hein 2020, eq. 6).

    With fewer than DLR_CLASSES classes it is the margin itself.
    """
    if logits.shape[1] < DLR_CLASSES:
        return margin(logits, labels)
    first, _, third = logits.topk(3, dim=1).values.unbind(dim=1)
    return margin(logits, labels) / (first - third).clamp_min(_LEVEL)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Targeted DLR (z_t − z_y) / (z_π1 − (z_π3 + z_π4) / 2), (n,): larger = nearer to `targets` (Croce & Hein 2020, eq. 7).

    With fewer than TARGETED_DLR_CLASSES classes it is the difference itself.
    """
    difference = logits.gather(1, targets[:, None]).squeeze(1) - logits.gather(1, labels[:, None]).squeeze(1)
    if logits.shape[1] < TARGETED_DLR_CLASSES:
        return difference
    first, _, third, fourth = logits.topk(4, dim=1).values.unbind(dim=1)
    return difference / (first - (third + fourth) / 2).clamp_min(_LEVEL)


def _without(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.scatter(1, labels[:, None], -torch.inf)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "margin": margin, "dlr": dlr}


def loss_notes(loss: str, classes: int) -> tuple[str, ...]:
    """Notes on an attack that ascends `loss` with this many classes."""
    if loss != "dlr" or classes >= DLR_CLASSES:
        return ()
    return (f"The DLR loss needs {DLR_CLASSES} classes; with {classes} the margin takes its place.",)
