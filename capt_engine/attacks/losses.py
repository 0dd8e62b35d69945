"""What an attack climbs: losses of logits (n, k) and labels (n,), one number a picture, larger = further from the label."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """−log softmax(logits)[label], (n,), as log(1 + Σ exp(other − label)).

    Written so, its slope stays exact for a label that leads by far: the usual p − 1 is 0 in fp32 from a lead of 17 logits on.
    """
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return F.softplus(_without(logits, labels).logsumexp(dim=1) - label_logit)


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Best other logit − label's logit, (n,): positive exactly when the label has lost (Carlini & Wagner 2017, without the floor)."""
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return _without(logits, labels).amax(dim=1) - label_logit


def _without(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.scatter(1, labels[:, None], -torch.inf)


LOSSES: dict[str, Loss] = {"cross-entropy": cross_entropy, "margin": margin}
