"""The tensors that every metric is given, and the facts that it states about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from capt_engine.metrics.alpha import AlphaRule
from capt_engine.records import MetricInfo


@dataclass(frozen=True)
class Outcomes:
    """n pictures before and after an attack.

    Attributes:
        images: clean pixels (n, 3, h, w) in [0, 1].
        adversarial_images: attacked pixels, shaped like `images`.
        labels: (n,) the answers to be kept.
        clean_logits: (n, k), adversarial_logits: (n, k), of the model that is measured.
        features: unit image embeddings (n, d); adversarial_features: those of the attacked pictures.
        cosines: (n, k), of the embeddings with those of the class texts; adversarial_cosines: those of the attacked pictures.
        frozen: logits (n, k) of the frozen zero-shot model on the clean pictures, over the same classes.
        lpips: a function of two batches of pictures that gives their distances (n,); None where nobody brought its weights.
        alpha: the rule of α that the prompts were tuned with.
    """

    images: Tensor
    adversarial_images: Tensor
    labels: Tensor
    clean_logits: Tensor
    adversarial_logits: Tensor
    features: Tensor
    adversarial_features: Tensor
    cosines: Tensor
    adversarial_cosines: Tensor
    frozen: Tensor
    lpips: Callable[[Tensor, Tensor], Tensor] | None = field(default=None, kw_only=True)
    alpha: AlphaRule = field(default_factory=AlphaRule, kw_only=True)


@dataclass(frozen=True)
class Metric:
    """A named measurement: `measure` maps outcomes to one number a picture, (n,); NaN or infinity where it is undefined."""

    name: str
    label: str
    measure: Callable[[Outcomes], Tensor]
    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    higher_is_better: bool | None = None

    @property
    def info(self) -> MetricInfo:
        """Return the metric's name, label, unit, bounds, direction and help, for tables and tooltips."""
        return MetricInfo(self.name, self.label, self.unit, self.low, self.high, self.higher_is_better, self.help)
