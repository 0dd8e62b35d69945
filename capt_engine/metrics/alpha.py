"""The adaptive weight α of CAPT: how far to trust the frozen model's clean prediction rather than the tuned model's own.

The paper says that α is adaptive and what it balances, not how it is computed. These are our constructions; `label_prob` is the default.
Every rule gives values in [0, 1] that carry no gradient: otherwise the optimiser could lower the loss by moving α.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.metrics.consistency import KL_DIRECTIONS, log_probabilities

CONST = "const"
# These speak of a batch or of the run's progress, so of a single picture they say nothing.
_NOT_PER_PICTURE = ("batch", "schedule", "ramped")
_TINY = 1e-8
_TEMPERATURE = 2.0


@dataclass(frozen=True)
class AlphaInput:
    """Inputs of a rule.

    Attributes:
        tuned: clean logits (n, k) of the tuned model.
        frozen: clean logits (n, k) of the frozen reference model.
        labels: class indices (n,).
        train: consistency terms (n,) with the tuned model's clean prediction, in nats.
        reference: consistency terms (n,) with the reference model's, in nats.
        progress: the share of the run that is done, in [0, 1].
    """

    tuned: Tensor
    frozen: Tensor
    labels: Tensor
    train: Tensor
    reference: Tensor
    progress: float = 0.0


@dataclass(frozen=True)
class AlphaRule:
    """A rule by its name, with the settings that it was tuned with; `const` is for the rule "const" alone."""

    name: str = "label_prob"
    const: float = 0.5
    kl_direction: str = "target_first"

    @classmethod
    def of(cls, method: str, settings: Mapping[str, object]) -> AlphaRule:
        """Read the rule of α from `settings`, those that prompts were tuned with by `method`, such as "capt".

        The default rule is returned for any other method, and if the settings name no known rule or direction of KL.
        """
        name, const, direction = (settings.get(key) for key in ("alpha", "alpha_const", "kl_direction"))
        if method != "capt" or name not in (*ALPHAS, CONST) or direction not in KL_DIRECTIONS:
            return cls()
        return cls(str(name), float(const) if isinstance(const, float) else 0.5, str(direction))

    @property
    def is_per_picture(self) -> bool:
        """Return True if the rule gives a value for a single picture after training: all but "batch" and "schedule"."""
        return self.name not in _NOT_PER_PICTURE


def alpha(given: AlphaInput, rule: str = "label_prob", const: float = 0.5) -> Tensor:
    """Compute by a rule the weight α of the reference model's term in the CAPT loss (docs/method.md, "The loss").

    Args:
        given: the predictions of both models and the terms that α mixes.
        rule: a name of ALPHAS, or "const".
        const: the value for the rule "const", which is returned as it is.

    Returns:
        Weights (n,) without a gradient, in [0, 1] for every rule of ALPHAS.

    Raises:
        UnknownName: there is no such rule.

    Example:
        >>> same, nothing = torch.zeros(1, 3), torch.zeros(1)
        >>> alpha(AlphaInput(same, same, torch.tensor([0]), nothing, nothing))
        tensor([0.5000])
    """
    if rule == CONST:
        return torch.full_like(given.train, const).detach()
    if rule not in ALPHAS:
        raise UnknownName("rule for α", rule, [*ALPHAS, CONST])
    with torch.no_grad():
        return ALPHAS[rule](given).clamp(0, 1)


def label_prob(given: AlphaInput) -> Tensor:
    """Compute α as p_F / (p_T + p_F), of the label's probabilities under the frozen (F) and the tuned (T) model.

    It is written as sigmoid(CE tuned − CE frozen), which cannot underflow.

    Args:
        given: the logits of both models, (n, k), and the labels (n,).

    Returns:
        Weights (n,) in [0, 1].
    """
    return torch.sigmoid(_label_loss(given.tuned, given) - _label_loss(given.frozen, given))


def batch(given: AlphaInput) -> Tensor:
    """Compute one α for the whole batch: sigmoid of its mean cross-entropy, tuned minus frozen model.

    Args:
        given: the logits of both models, (n, k), and the labels (n,).

    Returns:
        Weights (n,) in [0, 1], all the same.
    """
    mean = (_label_loss(given.tuned, given) - _label_loss(given.frozen, given)).mean()
    return torch.sigmoid(mean).expand(len(given.labels))


def confidence(given: AlphaInput) -> Tensor:
    """Compute α as max p_F / (max p_T + max p_F), of the frozen (F) and the tuned (T) model; needs no label.

    Args:
        given: the logits of both models, (n, k).

    Returns:
        Weights (n,) in [0, 1].
    """
    frozen, tuned = (logits.softmax(dim=1).amax(dim=1) for logits in (given.frozen, given.tuned))
    return frozen / (tuned + frozen + _TINY)


def entropy(given: AlphaInput) -> Tensor:
    """Compute α as c_F / (c_T + c_F), of the certainties of the frozen (F) and the tuned (T) model; needs no label.

    A certainty is c = 1 − H / ln k, with the entropy H of the prediction among k classes.

    Args:
        given: the logits of both models, (n, k).

    Returns:
        Weights (n,) in [0, 1]; 0.5 where neither model is certain of anything.
    """
    frozen, tuned = _certainty(given.frozen), _certainty(given.tuned)
    return (frozen + _TINY / 2) / (frozen + tuned + _TINY)


def loss_balance(given: AlphaInput) -> Tensor:
    """Compute α as L_train / (L_train + L_reference): the consistency term that is smaller gets the larger weight.

    Args:
        given: the consistency terms `train` and `reference`, (n,), in nats.

    Returns:
        Weights (n,) in [0, 1]; 0.5 where both terms vanish.
    """
    return (given.train + _TINY / 2) / (given.train + given.reference + _TINY)


def schedule(given: AlphaInput) -> Tensor:
    """Return as α the share of the run that is done, so that it grows from 0 to 1 during training.

    Args:
        given: that share, as `progress`; `train` (n,) for the number of pictures.

    Returns:
        Weights (n,) in [0, 1], all the same.
    """
    return torch.full_like(given.train, given.progress)


def ramped(given: AlphaInput) -> Tensor:
    """Compute α as `label_prob` times the share of the run that is done: the reference is trusted later, not at once.

    Args:
        given: the logits of both models, (n, k), the labels (n,), and that share, as `progress`.

    Returns:
        Weights (n,) in [0, 1].
    """
    return given.progress * label_prob(given)


def clipped(given: AlphaInput) -> Tensor:
    """Compute α as `label_prob`, at most 1/2: the reference never weighs more than the tuned model's own prediction.

    Args:
        given: the logits of both models, (n, k), and the labels (n,).

    Returns:
        Weights (n,) in [0, 0.5].
    """
    return label_prob(given).clamp(max=0.5)


def tempered(given: AlphaInput) -> Tensor:
    """Compute α as p_F / (p_T + p_F) with the frozen model's (F) prediction at temperature 2, which trusts its certainty less.

    Args:
        given: the logits of both models, (n, k), and the labels (n,).

    Returns:
        Weights (n,) in [0, 1].
    """
    return torch.sigmoid(_label_loss(given.tuned, given) - _label_loss(given.frozen / _TEMPERATURE, given))


def _label_loss(logits: Tensor, given: AlphaInput) -> Tensor:
    return F.cross_entropy(logits if logits.dtype == torch.float64 else logits.float(), given.labels, reduction="none")


def _certainty(logits: Tensor) -> Tensor:
    log_p = log_probabilities(logits)
    return (1 + (log_p.exp() * log_p).sum(dim=1) / math.log(logits.shape[1])).clamp(0, 1)


ALPHAS: dict[str, Callable[[AlphaInput], Tensor]] = {
    "label_prob": label_prob,
    "batch": batch,
    "confidence": confidence,
    "entropy": entropy,
    "loss_balance": loss_balance,
    "schedule": schedule,
    "ramped": ramped,
    "clipped": clipped,
    "tempered": tempered,
}
