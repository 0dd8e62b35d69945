"""Do the clean and the attacked picture get the same answer, from this model and against the frozen zero-shot one?

Divergences are in nats and taken as KL(clean ‖ attacked): what is lost by believing the attacked prediction when the clean one holds.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.metrics.base import Metric, Outcomes


def kl_divergence(target: Tensor, other: Tensor) -> Tensor:
    """KL(softmax(target) ‖ softmax(other)), (n,), of logits (n, k); never negative."""
    # In double precision and rounded once: small divergences are differences of nearly equal numbers, and the last bits of exp and
    # log depend on where in a batch a picture stands.
    log_p, log_q = target.double().log_softmax(dim=1), other.double().log_softmax(dim=1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=1).clamp_min(0).float()


def js_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Jensen–Shannon divergence of softmax(one) and softmax(other), (n,), in [0, ln 2]."""
    log_p, log_q = one.double().log_softmax(dim=1), other.double().log_softmax(dim=1)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    half = 0.5 * ((log_p.exp() * (log_p - log_m)).sum(dim=1) + (log_q.exp() * (log_q - log_m)).sum(dim=1))
    return half.clamp(0, math.log(2)).float()


def _agreement(one: Tensor, other: Tensor) -> Tensor:
    return (one.argmax(dim=1) == other.argmax(dim=1)).float()


def _cosine(outcomes: Outcomes) -> Tensor:
    return (outcomes.features * outcomes.adversarial_features).sum(dim=1).clamp(-1, 1)


def _alpha(outcomes: Outcomes) -> Tensor:
    def loss(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits.double(), outcomes.labels, reduction="none")

    return torch.sigmoid(loss(outcomes.clean_logits) - loss(outcomes.frozen)).float()


AGREEMENT = Metric(
    "agreement",
    "Same answer",
    lambda o: _agreement(o.clean_logits, o.adversarial_logits),
    "1 when the attacked picture gets the same best class as the clean one; averaged over pictures, the agreement rate.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
KL = Metric(
    "kl",
    "KL clean ‖ attacked",
    lambda o: kl_divergence(o.clean_logits, o.adversarial_logits),
    "How badly the attacked prediction describes the clean one; 0 when they are the same.",
    unit="nats",
    low=0.0,
    higher_is_better=False,
)
JS = Metric(
    "js",
    "JS divergence",
    lambda o: js_divergence(o.clean_logits, o.adversarial_logits),
    "A symmetric distance of the two predictions: 0 when they are the same, 0.693 (ln 2) when they share nothing.",
    unit="nats",
    low=0.0,
    high=math.log(2),
    higher_is_better=False,
)
COSINE = Metric(
    "cosine",
    "Embedding cosine",
    _cosine,
    "The cosine of the two image embeddings: 1 when the picture means the same to the model as before.",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
)
FROZEN_AGREEMENT = Metric(
    "frozen_agreement",
    "Same answer as zero-shot",
    lambda o: _agreement(o.frozen, o.adversarial_logits),
    "1 when the attacked picture gets the answer that the frozen zero-shot model gave the clean one.",
    low=0.0,
    high=1.0,
    higher_is_better=True,
)
FROZEN_KL = Metric(
    "frozen_kl",
    "KL zero-shot ‖ attacked",
    lambda o: kl_divergence(o.frozen, o.adversarial_logits),
    "How badly the attacked prediction describes the frozen zero-shot model's clean one.",
    unit="nats",
    low=0.0,
    higher_is_better=False,
)
FROZEN_JS = Metric(
    "frozen_js",
    "JS to zero-shot",
    lambda o: js_divergence(o.frozen, o.adversarial_logits),
    "The symmetric distance of the attacked prediction from the frozen zero-shot model's clean one.",
    unit="nats",
    low=0.0,
    high=math.log(2),
    higher_is_better=False,
)
ALPHA = Metric(
    "alpha",
    "α (weight of zero-shot)",
    _alpha,
    "CAPT's adaptive weight on this clean picture: 0 where the model knows the label better than zero-shot, 1 the other way round.",
    low=0.0,
    high=1.0,
)
