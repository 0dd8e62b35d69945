"""What the model answers, how sure it is, and by how much the right answer leads."""

from __future__ import annotations

import torch
from torch import Tensor

from capt_engine.metrics.base import Metric, Outcomes


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """The label's logit minus the best other one, (n,); negative when the label has lost."""
    label_logit = logits.gather(1, labels[:, None]).squeeze(1)
    return label_logit - logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)


def entropy(logits: Tensor) -> Tensor:
    """−Σ p · log p of softmax(logits), (n,), in nats, from 0 to ln k."""
    log_p = logits.double().log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1).neg().clamp_min(0).float()


def _confidence(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.double().softmax(dim=1).gather(1, labels[:, None]).squeeze(1).float()


def _top_overlap(outcomes: Outcomes) -> Tensor:
    k = min(5, outcomes.clean_logits.shape[1])
    before, after = outcomes.clean_logits.topk(k).indices, outcomes.adversarial_logits.topk(k).indices
    return (before[:, :, None] == after[:, None, :]).any(dim=2).float().mean(dim=1)


def _among_five(logits: Tensor, labels: Tensor) -> Tensor:
    best = logits.topk(min(5, logits.shape[1])).indices
    return (best == labels[:, None]).any(dim=1).float()


MARGIN_CLEAN = Metric(
    "margin_clean",
    "Margin, clean",
    lambda o: margin(o.clean_logits, o.labels),
    "The label's logit minus the best other one, before the attack; negative means the label has lost.",
    unit="logits",
    higher_is_better=True,
)
MARGIN_ATTACKED = Metric(
    "margin_attacked",
    "Margin, attacked",
    lambda o: margin(o.adversarial_logits, o.labels),
    "The label's logit minus the best other one, after the attack; negative means the label has lost.",
    unit="logits",
    higher_is_better=True,
)
MARGIN_SHIFT = Metric(
    "margin_shift",
    "Margin shift",
    lambda o: margin(o.adversarial_logits, o.labels) - margin(o.clean_logits, o.labels),
    "By how many logits the label's lead grew under attack; below 0 the attack took lead away.",
    unit="logits",
    higher_is_better=True,
)
CONFIDENCE_CLEAN = Metric(
    "confidence_clean",
    "Confidence, clean",
    lambda o: _confidence(o.clean_logits, o.labels),
    "The probability of the label before the attack.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
CONFIDENCE_ATTACKED = Metric(
    "confidence_attacked",
    "Confidence, attacked",
    lambda o: _confidence(o.adversarial_logits, o.labels),
    "The probability that is left to the label after the attack.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
LOGIT_SHIFT = Metric(
    "logit_shift",
    "Mean logit shift",
    lambda o: (o.adversarial_logits - o.clean_logits).abs().mean(dim=1),
    "By how much the attack moved a class's logit, averaged over all classes.",
    unit="logits",
    low=0.0,
    higher_is_better=False,
)
TOP5_KEPT = Metric(
    "top5_kept",
    "Top 5 kept",
    _top_overlap,
    "The share of the five best classes (of all, if there are fewer) that are still among them after the attack.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
TOP5_CLEAN = Metric(
    "top5_clean",
    "Label in the top 5, clean",
    lambda o: _among_five(o.clean_logits, o.labels),
    "1 when the label is among the five best classes before the attack; averaged over pictures, the top-5 accuracy.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
TOP5_ATTACKED = Metric(
    "top5_attacked",
    "Label in the top 5, attacked",
    lambda o: _among_five(o.adversarial_logits, o.labels),
    "1 when the label is still among the five best classes after the attack; averaged over pictures, the robust top-5 accuracy.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
ENTROPY_CLEAN = Metric(
    "entropy_clean",
    "Entropy, clean",
    lambda o: entropy(o.clean_logits),
    "How undecided the model is before the attack: 0 when one class has it all, ln k when all k classes are equally likely.",
    unit="nats",
    low=0.0,
)
ENTROPY_ATTACKED = Metric(
    "entropy_attacked",
    "Entropy, attacked",
    lambda o: entropy(o.adversarial_logits),
    "How undecided the model is after the attack: 0 when one class has it all, ln k when all k classes are equally likely.",
    unit="nats",
    low=0.0,
)
