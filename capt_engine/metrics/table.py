"""The metrics of one picture and its attacked double, one entry each, related ones together; the CSV has an order of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from operator import attrgetter

import torch
from torch import Tensor

from capt_engine.errors import BadRequest
from capt_engine.metrics.alpha import AlphaInput, alpha
from capt_engine.metrics.base import Metric, Outcomes
from capt_engine.metrics.calibration import brier, nll
from capt_engine.metrics.consistency import agreement, divergence, js, kl
from capt_engine.metrics.distortion import high_frequency, l0, l2, linf, mean_change, psnr, ssim
from capt_engine.metrics.features import cosine, label_cosine
from capt_engine.metrics.prediction import confidence, entropy, in_top_k, logit_shift, margin, top_k_kept
from capt_engine.model.devices import exact
from capt_engine.records.columns import COLUMNS
from capt_engine.registry import Table


def _saved(images: Tensor) -> Tensor:
    """The 8-bit values, 0 to 255, that a PNG file holds of pixels (n, 3, h, w)."""
    return (images * 255).round()


def _lpips(outcomes: Outcomes) -> Tensor:
    if outcomes.lpips is None:
        return torch.full((len(outcomes.images),), math.nan)
    return outcomes.lpips(outcomes.images, outcomes.adversarial_images)


def _alpha(outcomes: Outcomes) -> Tensor:
    """α by the rule that the prompts were tuned with; NaN where that rule says nothing of a single picture."""
    rule = outcomes.alpha
    if not rule.is_per_picture:
        return torch.full((len(outcomes.images),), math.nan)
    clean, frozen, adversarial = (
        exact(x) for x in (outcomes.clean_logits, outcomes.frozen, outcomes.adversarial_logits)
    )
    train, reference = (divergence(target, adversarial, rule.kl_direction) for target in (clean, frozen))
    given = AlphaInput(clean, frozen, outcomes.labels.to(clean.device), train, reference)
    return alpha(given, rule.name, rule.const).float()


def _fits(one: object) -> bool:
    """Accept a metric whose name is no column of a row; raises BadRequest where it is one."""
    if not isinstance(one, Metric) or not callable(one.measure):
        return False
    if one.name in (*COLUMNS, "event"):
        raise BadRequest(f"A row has a column {one.name!r} already.")
    return all(isinstance(text, str) for text in (one.label, one.help, one.unit))


# The kinds of metrics: what values they have, and which are better.
_logits = partial(Metric, unit="logits", higher_is_better=True)
_share = partial(Metric, low=0.0, high=1.0, higher_is_better=True)
_cosine = partial(Metric, low=-1.0, high=1.0, higher_is_better=True)
_distance = partial(Metric, low=0.0, higher_is_better=False)
_divergence = partial(_distance, unit="nats")
_colour_change = partial(_distance, unit="/255", high=1.0)

_LOGITS = (attrgetter("clean_logits"), attrgetter("adversarial_logits"))
_COSINES = (attrgetter("cosines"), attrgetter("adversarial_cosines"))


def _before_and_after(
    kind: Callable[..., Metric],
    name: str,
    label: str,
    measure: Callable[[Tensor, Tensor], Tensor],
    help: str,
    of: tuple[Callable[[Outcomes], Tensor], Callable[[Outcomes], Tensor]] = _LOGITS,
) -> tuple[Metric, Metric]:
    """A function of scores (n, k) and labels (n,) as two metrics, of the clean and of the attacked pictures; {} in `help` says which."""

    def metric(side: str, when: str, scores: Callable[[Outcomes], Tensor]) -> Metric:
        return kind(f"{name}_{side}", f"{label}, {side}", lambda o: measure(scores(o), o.labels), help.format(when))

    return metric("clean", "before", of[0]), metric("attacked", "after", of[1])


METRICS: Table[Metric] = Table(
    "metric",
    *_before_and_after(
        _logits,
        "margin",
        "Margin",
        margin,
        "The label's logit minus the best other one, {} the attack; negative means the label has lost.",
    ),
    _logits(
        "margin_shift",
        "Margin shift",
        lambda o: margin(o.adversarial_logits, o.labels) - margin(o.clean_logits, o.labels),
        "By how many logits the label's margin grew under attack; below 0 the attack took some of it away.",
    ),
    *_before_and_after(
        partial(_cosine, low=-2.0, high=2.0),
        "cosine_margin",
        "Cosine margin",
        lambda cosines, labels: margin(cosines.clamp(-1, 1), labels),
        "The label's cosine minus the best other text's, {} the attack: the margin without the model's logit scale.",
        _COSINES,
    ),
    *_before_and_after(_share, "confidence", "Confidence", confidence, "The probability of the label {} the attack."),
    *_before_and_after(
        partial(Metric, unit="nats", low=0.0),
        "entropy",
        "Entropy",
        lambda logits, _: entropy(logits),
        "How undecided the model is {} the attack: 0 when one class has it all, ln k when all k classes are equally likely.",
    ),
    _distance(
        "logit_shift",
        "Mean logit shift",
        lambda o: logit_shift(o.clean_logits, o.adversarial_logits),
        "By how much the attack moved a class's logit, averaged over all classes.",
        unit="logits",
    ),
    _share(
        "top5_kept",
        "Top 5 kept",
        lambda o: top_k_kept(o.clean_logits, o.adversarial_logits),
        "The share of the five best classes (of all, if there are fewer) that are still among them after the attack.",
    ),
    _share(
        "agreement",
        "Same answer",
        lambda o: agreement(o.clean_logits, o.adversarial_logits),
        "1 when the attacked picture gets the same best class as the clean one; averaged over pictures, the agreement rate.",
    ),
    _divergence(
        "kl",
        "KL clean ‖ attacked",
        lambda o: kl(o.clean_logits, o.adversarial_logits),
        "How badly the attacked prediction describes the clean one; 0 when they are the same.",
    ),
    _divergence(
        "js",
        "JS divergence",
        lambda o: js(o.clean_logits, o.adversarial_logits),
        "A symmetric distance of the two predictions: 0 when they are the same, 0.693 (ln 2) when they share nothing.",
        high=math.log(2),
    ),
    _cosine(
        "cosine",
        "Embedding cosine",
        lambda o: cosine(o.features, o.adversarial_features),
        "The cosine of the two image embeddings: 1 when the picture means the same to the model as before.",
    ),
    *_before_and_after(
        _cosine,
        "label_cosine",
        "Cosine to label",
        label_cosine,
        "The cosine of the picture's embedding and that of the label's text, {} the attack: 1 when they point the same way.",
        _COSINES,
    ),
    _share(
        "frozen_agreement",
        "Same answer as zero-shot",
        lambda o: agreement(o.frozen, o.adversarial_logits),
        "1 when the attacked picture gets the answer that the frozen zero-shot model gave the clean one.",
    ),
    _divergence(
        "frozen_kl",
        "KL zero-shot ‖ attacked",
        lambda o: kl(o.frozen, o.adversarial_logits),
        "How badly the attacked prediction describes the frozen zero-shot model's clean one.",
    ),
    _divergence(
        "frozen_js",
        "JS to zero-shot",
        lambda o: js(o.frozen, o.adversarial_logits),
        "The symmetric distance of the attacked prediction from the frozen zero-shot model's clean one.",
        high=math.log(2),
    ),
    _colour_change(
        "linf",
        "L∞ distance",
        lambda o: linf(o.images, o.adversarial_images),
        "The largest change of any colour value of any pixel.",
    ),
    _distance(
        "l2",
        "L2 distance",
        lambda o: l2(o.images, o.adversarial_images),
        "The Euclidean length of the whole change, with colour values in [0, 1].",
    ),
    _colour_change(
        "linf_png",
        "L∞ distance, saved",
        lambda o: linf(_saved(o.images), _saved(o.adversarial_images)) / 255,
        "The largest change of any colour value between the two pictures as PNG files hold them, in whole steps of 1/255.",
    ),
    _distance(
        "l2_png",
        "L2 distance, saved",
        lambda o: l2(_saved(o.images), _saved(o.adversarial_images)) / 255,
        "The Euclidean length of the change between the two pictures as PNG files hold them, with colour values in [0, 1].",
    ),
    Metric(
        "psnr",
        "PSNR",
        lambda o: psnr(o.images, o.adversarial_images),
        "Peak signal-to-noise ratio: above some 40 dB few people see a difference.",
        unit="dB",
        higher_is_better=True,
    ),
    _cosine(
        "ssim",
        "SSIM",
        lambda o: ssim(o.images, o.adversarial_images),
        "Structural similarity to the clean picture as an eye would judge it; 1 is the same picture.",
    ),
    *_before_and_after(
        _share,
        "top5",
        "Label in the top 5",
        in_top_k,
        "1 when the label is among the five best classes {} the attack; averaged over pictures, the top-5 accuracy.",
    ),
    *_before_and_after(
        _divergence,
        "nll",
        "NLL",
        nll,
        "Minus the log of the label's probability, {} the attack; 0 when the model is sure and right, large when it is sure and wrong.",
    ),
    *_before_and_after(
        partial(_distance, high=2.0),
        "brier",
        "Brier score",
        brier,
        "The squared distance of the probabilities from the truth, {} the attack: 0 is perfect, 2 is sure of a wrong class.",
    ),
    Metric(
        "alpha",
        "α (weight of zero-shot)",
        _alpha,
        "CAPT's weight of zero-shot's answer: 0 trusts the model, 1 zero-shot; by the rule the prompts were tuned with, else label_prob.",
        low=0.0,
        high=1.0,
    ),
    _distance(
        "l0",
        "Pixels changed",
        lambda o: l0(o.images, o.adversarial_images),
        "The share of pixels of which any colour value changed at all.",
        high=1.0,
    ),
    _colour_change(
        "mean_change",
        "Mean change",
        lambda o: mean_change(o.images, o.adversarial_images),
        "By how much a colour value changed on average.",
    ),
    Metric(
        "high_frequency",
        "Fine-grained change",
        lambda o: high_frequency(o.images, o.adversarial_images),
        "The share of the change's energy in patterns finer than four pixels, which eyes and JPEG drop first; white noise has 0.80.",
        low=0.0,
        high=1.0,
    ),
    _distance(
        "lpips",
        "LPIPS",
        _lpips,
        "Distance of both pictures to another network (Zhang et al. 2018); 0 for the same one. Measured where you brought its weights.",
    ),
    plugins="capt.metrics",
    fits=_fits,
)
