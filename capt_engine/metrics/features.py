"""Where the picture lies among the class texts, in cosines: comparable between models, whatever the scale of their logits."""

from __future__ import annotations

from torch import Tensor

from capt_engine.metrics.base import Metric
from capt_engine.metrics.prediction import margin


def text_drift(tuned: Tensor, hand: Tensor) -> float:
    """Mean over the classes of 1 − cosine of two sets of unit text embeddings (k, d); from 0, the same, to 2, the opposite."""
    # On the CPU, as Apple's GPUs have no double precision.
    return float(1 - (tuned.cpu().double() * hand.cpu().double()).sum(dim=1).clamp(-1, 1).mean())


def _of_label(cosines: Tensor, labels: Tensor) -> Tensor:
    return cosines.gather(1, labels[:, None]).squeeze(1).clamp(-1, 1)


def _lead(cosines: Tensor, labels: Tensor) -> Tensor:
    return margin(cosines.clamp(-1, 1), labels)


LABEL_COSINE_CLEAN = Metric(
    "label_cosine_clean",
    "Cosine to label, clean",
    lambda o: _of_label(o.cosines, o.labels),
    "The cosine of the picture's embedding and that of the label's text, before the attack: 1 when they point the same way.",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
)
LABEL_COSINE_ATTACKED = Metric(
    "label_cosine_attacked",
    "Cosine to label, attacked",
    lambda o: _of_label(o.adversarial_cosines, o.labels),
    "The cosine of the picture's embedding and that of the label's text, after the attack: 1 when they point the same way.",
    low=-1.0,
    high=1.0,
    higher_is_better=True,
)
COSINE_MARGIN_CLEAN = Metric(
    "cosine_margin_clean",
    "Cosine margin, clean",
    lambda o: _lead(o.cosines, o.labels),
    "The label's cosine minus the best other text's, before the attack: the margin without the model's logit scale.",
    low=-2.0,
    high=2.0,
    higher_is_better=True,
)
COSINE_MARGIN_ATTACKED = Metric(
    "cosine_margin_attacked",
    "Cosine margin, attacked",
    lambda o: _lead(o.adversarial_cosines, o.labels),
    "The label's cosine minus the best other text's, after the attack: the margin without the model's logit scale.",
    low=-2.0,
    high=2.0,
    higher_is_better=True,
)
