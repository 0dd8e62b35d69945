"""What tuning minimises: the CAPT loss (arXiv 2405.11154) and its relatives, each a function of the same logits.

    L = CE(clean) + λ · mean_i [ (1 − α_i) · KL(p_clean ‖ p_adv) + α_i · KL(p_frozen ‖ p_adv) ]

The paper writes KL(adv, frozen); every public relative computes KL(target ‖ adversarial), because that is what the framework's call does
with its arguments in that order. That is the default here, and the direction is a setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.errors import UnknownName
from capt_engine.tuning.alpha import ALPHAS, AlphaInput

KL_DIRECTIONS = ("target_first", "pred_first", "js")


@dataclass(frozen=True)
class Views:
    """One batch as the models see it; logits (n, k), features (n, d) of unit length, labels (n,).

    clean, adversarial: the tuned model. frozen, frozen_adversarial: the reference model, constants.
    """

    labels: Tensor
    clean: Tensor
    adversarial: Tensor
    frozen: Tensor
    frozen_adversarial: Tensor
    clean_features: Tensor
    adversarial_features: Tensor
    progress: float = 0.0


@dataclass(frozen=True)
class Settings:
    """lambda_: λ. alpha: a rule of ALPHAS, or "const" with `alpha_const`. detach_clean: no gradient into the clean target."""

    lambda_: float = 2.5
    alpha: str = "label_prob"
    alpha_const: float = 0.5
    kl_direction: str = "target_first"
    detach_clean: bool = False


@dataclass(frozen=True)
class Terms:
    """The loss (a scalar) and what it is made of: means over the batch as scalars, and α per picture (n,)."""

    loss: Tensor
    cross_entropy: Tensor
    train: Tensor
    reference: Tensor
    alpha: Tensor


def divergence(target: Tensor, prediction: Tensor, direction: str = "target_first") -> Tensor:
    """KL(target ‖ prediction), KL(prediction ‖ target) or Jensen–Shannon of logits (n, k), in nats, (n,); computed in fp32."""
    log_t, log_p = target.float().log_softmax(dim=1), prediction.float().log_softmax(dim=1)
    if direction == "target_first":
        return (log_t.exp() * (log_t - log_p)).sum(dim=1)
    if direction == "pred_first":
        return (log_p.exp() * (log_p - log_t)).sum(dim=1)
    if direction != "js":
        raise UnknownName("direction of KL", direction, KL_DIRECTIONS)
    log_m = torch.logaddexp(log_t, log_p) - math.log(2)
    return 0.5 * ((log_t.exp() * (log_t - log_m)).sum(dim=1) + (log_p.exp() * (log_p - log_m)).sum(dim=1))


def capt(views: Views, settings: Settings) -> Terms:
    """Clean cross-entropy and α-mixed consistency with the tuned and the frozen model's clean predictions."""
    own = views.clean.detach() if settings.detach_clean else views.clean
    train = divergence(own, views.adversarial, settings.kl_direction)
    reference = divergence(views.frozen.detach(), views.adversarial, settings.kl_direction)
    alpha = _alpha(views, settings, train, reference)
    loss = _ce(views.clean, views) + settings.lambda_ * ((1 - alpha) * train + alpha * reference).mean()
    return Terms(loss, _ce(views.clean, views), train.mean(), reference.mean(), alpha)


def clean_only(views: Views, settings: Settings) -> Terms:
    """CE(clean): CoOp, VPT, MaPLe."""
    del settings
    return _plain(views, _ce(views.clean, views), views.clean)


def adversarial_only(views: Views, settings: Settings) -> Terms:
    """CE(adversarial): APT, adversarial MaPLe, TeCoA."""
    del settings
    return _plain(views, _ce(views.adversarial, views), views.adversarial)


def trades(views: Views, settings: Settings) -> Terms:
    """CE(clean) + λ · KL(p_clean ‖ p_adv) (Zhang et al. 2019): CAPT with α = 0."""
    return capt(views, Settings(settings.lambda_, "const", 0.0, settings.kl_direction, settings.detach_clean))


def fap(views: Views, settings: Settings) -> Terms:
    """CE(clean) + λ · mean_i [ (cos_i + 1) · KL(p_clean ‖ p_adv) ], cos of the clean and the adversarial image features (NeurIPS 2024)."""
    train = divergence(views.clean, views.adversarial, settings.kl_direction)
    cosine = (views.clean_features * views.adversarial_features).sum(dim=1)
    ce = _ce(views.clean, views)
    loss = ce + settings.lambda_ * ((cosine + 1) * train).mean()
    return Terms(loss, ce, train.mean(), torch.zeros_like(ce), torch.zeros_like(train))


def pmg_aft(views: Views, settings: Settings) -> Terms:
    """CE(adv) + KL(p_clean ‖ p_adv) + KL(frozen model on the adversarial picture ‖ p_adv), unit weights (CVPR 2024)."""
    train = divergence(views.clean, views.adversarial, settings.kl_direction)
    reference = divergence(views.frozen_adversarial.detach(), views.adversarial, settings.kl_direction)
    ce = _ce(views.adversarial, views)
    return Terms(ce + train.mean() + reference.mean(), ce, train.mean(), reference.mean(), torch.full_like(train, 0.5))


Objective = Callable[[Views, Settings], Terms]

OBJECTIVES: dict[str, Objective] = {
    "capt": capt,
    "clean": clean_only,
    "adversarial": adversarial_only,
    "trades": trades,
    "fap": fap,
    "pmg-aft": pmg_aft,
}


# The reference model's view of attacked pictures costs one more forward pass a step.
NEEDS_REFERENCE_ON_ATTACKED = (pmg_aft,)


def _ce(logits: Tensor, views: Views) -> Tensor:
    return F.cross_entropy(logits.float(), views.labels)


def _plain(views: Views, loss: Tensor, logits: Tensor) -> Terms:
    nothing = torch.zeros_like(loss)
    return Terms(loss, loss, nothing, nothing, torch.zeros(len(views.labels), device=logits.device))


def _alpha(views: Views, settings: Settings, train: Tensor, reference: Tensor) -> Tensor:
    if settings.alpha == "const":
        return torch.full_like(train, settings.alpha_const).detach()
    if settings.alpha not in ALPHAS:
        raise UnknownName("rule for α", settings.alpha, [*ALPHAS, "const"])
    given = AlphaInput(views.clean, views.frozen, views.labels, train, reference, views.progress)
    with torch.no_grad():
        return ALPHAS[settings.alpha](given).clamp(0, 1)
