"""What an attack climbs: losses of logits (n, k) and labels (n,), one number a picture, larger = further from the label."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """−log softmax(logits)[label], (n,)."""
    return F.cross_entropy(logits, labels, reduction="none")


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Best other logit − label's logit, (n,): positive exactly when the label has lost (Carlini & Wagner 2017, without the floor)."""
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.amax(dim=1) - label_logit


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "margin": margin}
