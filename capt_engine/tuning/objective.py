"""Objectives of tuning: the CAPT loss (arXiv 2405.11154) and its relatives, each a function of the same logits.

    L = CE(clean) + λ · mean_i [ (1 − α_i) · KL(p_clean ‖ p_adv) + α_i · KL(p_frozen ‖ p_adv) ]

The paper writes KL(adv, frozen); every public relative computes KL(target ‖ adversarial), because that is what the framework's call does
with its arguments in that order. That is the default here, and the direction is a setting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.metrics.alpha import AlphaInput, alpha
from capt_engine.metrics.consistency import divergence


@dataclass(frozen=True)
class Views:
    """One batch as the models see it.

    Attributes:
        labels: class indices (n,).
        clean: logits (n, k) of the tuned model on the clean pictures; adversarial: on the attacked ones.
        frozen: logits (n, k) of the reference model on the clean pictures; frozen_adversarial: on the attacked ones. Constants.
        clean_features: unit embeddings (n, d) of the clean pictures by the tuned model; adversarial_features: of the attacked ones.
        progress: the share of the run that is done, in [0, 1].
        has_clean: False where no clean picture was shown, and the attacked ones stand in the place of the clean ones.
    """

    labels: Tensor
    clean: Tensor
    adversarial: Tensor
    frozen: Tensor
    frozen_adversarial: Tensor
    clean_features: Tensor
    adversarial_features: Tensor
    progress: float = 0.0
    has_clean: bool = True


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
    """A loss and its parts.

    Attributes:
        loss: the scalar to be minimised.
        cross_entropy: its cross-entropy, a scalar in nats.
        train: the mean consistency term with the tuned model's clean prediction, a scalar in nats; 0 where the loss has none.
        reference: the mean consistency term with the reference model's prediction, a scalar in nats; 0 where the loss has none.
        alpha: the weights α (n,) in [0, 1].
    """

    loss: Tensor
    cross_entropy: Tensor
    train: Tensor
    reference: Tensor
    alpha: Tensor


def capt(views: Views, settings: Settings) -> Terms:
    """Compute CAPT's loss: CE(clean) + λ · mean_i [(1 − α_i) · KL(p_clean ‖ p_adv) + α_i · KL(p_frozen ‖ p_adv)].

    See arXiv 2405.11154 and docs/method.md.

    Args:
        views: logits, labels and features of one batch.
        settings: the weight λ, the rule for α, and the direction of KL.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
    own = views.clean.detach() if settings.detach_clean else views.clean
    train = divergence(own, views.adversarial, settings.kl_direction)
    reference = divergence(views.frozen.detach(), views.adversarial, settings.kl_direction)
    given = AlphaInput(views.clean, views.frozen, views.labels, train, reference, views.progress)
    share = alpha(given, settings.alpha, settings.alpha_const)
    loss = _ce(views.clean, views) + settings.lambda_ * ((1 - share) * train + share * reference).mean()
    return Terms(loss, _ce(views.clean, views), train.mean(), reference.mean(), share)


def clean_only(views: Views, settings: Settings) -> Terms:
    """Compute the loss of CoOp (IJCV 2022), VPT (ECCV 2022) and MaPLe (CVPR 2023): CE(clean), without any attack.

    Args:
        views: logits, labels and features of one batch.
        settings: nothing of them is used.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
    del settings
    return _plain(views, views.clean)


def adversarial_only(views: Views, settings: Settings) -> Terms:
    """Compute the loss of APT (CVPR 2024), adversarial MaPLe and TeCoA (ICLR 2023, arXiv 2212.07016): CE(adversarial).

    Args:
        views: logits, labels and features of one batch.
        settings: nothing of them is used.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
    del settings
    return _plain(views, views.adversarial)


def trades(views: Views, settings: Settings) -> Terms:
    """Compute the loss of TRADES (Zhang et al. 2019, eq. 5): CE(clean) + λ · KL(p_clean ‖ p_adv), CAPT with α = 0.

    Args:
        views: logits, labels and features of one batch.
        settings: the weight λ and the direction of KL; the rule for α is not used.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
    return capt(views, Settings(settings.lambda_, "const", 0.0, settings.kl_direction, settings.detach_clean))


def fap(views: Views, settings: Settings) -> Terms:
    """Compute the loss of FAP (NeurIPS 2024): CE(clean) + λ · mean_i [(cos_i + 1) · KL(p_clean ‖ p_adv)].

    cos_i is the cosine of the clean and the attacked image features of picture i.

    Args:
        views: logits, labels and features of one batch.
        settings: the weight λ and the direction of KL; the rule for α is not used.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
    train = divergence(views.clean, views.adversarial, settings.kl_direction)
    cosine = (views.clean_features * views.adversarial_features).sum(dim=1)
    ce = _ce(views.clean, views)
    loss = ce + settings.lambda_ * ((cosine + 1) * train).mean()
    return Terms(loss, ce, train.mean(), torch.zeros_like(ce), torch.zeros_like(train))


def pmg_aft(views: Views, settings: Settings) -> Terms:
    """Compute the loss of PMG-AFT (CVPR 2024): CE(adv) + KL(p_clean ‖ p_adv) + KL(p_frozen on attacked ‖ p_adv).

    All three weights are 1; the frozen model's prediction is that for the attacked picture.

    Args:
        views: logits, labels and features of one batch.
        settings: the direction of KL; λ and the rule for α are not used.

    Returns:
        The loss, a scalar in nats to be minimised, and its parts.
    """
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


def _plain(views: Views, logits: Tensor) -> Terms:
    loss = _ce(logits, views)
    nothing = torch.zeros_like(loss)
    return Terms(loss, loss, nothing, nothing, torch.zeros(len(views.labels), device=logits.device))
