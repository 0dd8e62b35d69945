"""The metrics of one picture and its attacked double, one entry each, related ones together; the CSV has an order of its own."""

from __future__ import annotations

import math

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
from capt_engine.records.columns import COLUMNS, LATER
from capt_engine.registry import Table


def _saved_change(outcomes: Outcomes) -> Tensor:
    """The change between the two pictures as 8-bit files hold them, (n, 3 · h · w)."""
    return ((outcomes.adversarial_images * 255).round() - (outcomes.images * 255).round()).flatten(1) / 255


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
        x.double() for x in (outcomes.clean_logits, outcomes.frozen, outcomes.adversarial_logits)
    )
    given = AlphaInput(
        clean,
        frozen,
        outcomes.labels,
        divergence(clean, adversarial, rule.kl_direction),
        divergence(frozen, adversarial, rule.kl_direction),
    )
    return alpha(given, rule.name, rule.const).float()


def _fits(one: object) -> bool:
    """Accept a metric whose name is no column of a row; raises BadRequest where it is one."""
    if not isinstance(one, Metric) or not callable(one.measure):
        return False
    if one.name in (*COLUMNS, *LATER, "event"):
        raise BadRequest(f"A row has a column {one.name!r} already.")
    return all(isinstance(text, str) for text in (one.label, one.help, one.unit))


METRICS: Table[Metric] = Table(
    "metric",
    Metric(
        "margin_clean",
        "Margin, clean",
        lambda o: margin(o.clean_logits, o.labels),
        "The label's logit minus the best other one, before the attack; negative means the label has lost.",
        unit="logits",
        higher_is_better=True,
    ),
    Metric(
        "margin_attacked",
        "Margin, attacked",
        lambda o: margin(o.adversarial_logits, o.labels),
        "The label's logit minus the best other one, after the attack; negative means the label has lost.",
        unit="logits",
        higher_is_better=True,
    ),
    Metric(
        "margin_shift",
        "Margin shift",
        lambda o: margin(o.adversarial_logits, o.labels) - margin(o.clean_logits, o.labels),
        "By how many logits the label's lead grew under attack; below 0 the attack took lead away.",
        unit="logits",
        higher_is_better=True,
    ),
    Metric(
        "cosine_margin_clean",
        "Cosine margin, clean",
        lambda o: margin(o.cosines.clamp(-1, 1), o.labels),
        "The label's cosine minus the best other text's, before the attack: the margin without the model's logit scale.",
        low=-2.0,
        high=2.0,
        higher_is_better=True,
    ),
    Metric(
        "cosine_margin_attacked",
        "Cosine margin, attacked",
        lambda o: margin(o.adversarial_cosines.clamp(-1, 1), o.labels),
        "The label's cosine minus the best other text's, after the attack: the margin without the model's logit scale.",
        low=-2.0,
        high=2.0,
        higher_is_better=True,
    ),
    Metric(
        "confidence_clean",
        "Confidence, clean",
        lambda o: confidence(o.clean_logits, o.labels),
        "The probability of the label before the attack.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "confidence_attacked",
        "Confidence, attacked",
        lambda o: confidence(o.adversarial_logits, o.labels),
        "The probability that is left to the label after the attack.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "entropy_clean",
        "Entropy, clean",
        lambda o: entropy(o.clean_logits),
        "How undecided the model is before the attack: 0 when one class has it all, ln k when all k classes are equally likely.",
        unit="nats",
        low=0.0,
    ),
    Metric(
        "entropy_attacked",
        "Entropy, attacked",
        lambda o: entropy(o.adversarial_logits),
        "How undecided the model is after the attack: 0 when one class has it all, ln k when all k classes are equally likely.",
        unit="nats",
        low=0.0,
    ),
    Metric(
        "logit_shift",
        "Mean logit shift",
        lambda o: logit_shift(o.clean_logits, o.adversarial_logits),
        "By how much the attack moved a class's logit, averaged over all classes.",
        unit="logits",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "top5_kept",
        "Top 5 kept",
        lambda o: top_k_kept(o.clean_logits, o.adversarial_logits),
        "The share of the five best classes (of all, if there are fewer) that are still among them after the attack.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "agreement",
        "Same answer",
        lambda o: agreement(o.clean_logits, o.adversarial_logits),
        "1 when the attacked picture gets the same best class as the clean one; averaged over pictures, the agreement rate.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "kl",
        "KL clean ‖ attacked",
        lambda o: kl(o.clean_logits, o.adversarial_logits),
        "How badly the attacked prediction describes the clean one; 0 when they are the same.",
        unit="nats",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "js",
        "JS divergence",
        lambda o: js(o.clean_logits, o.adversarial_logits),
        "A symmetric distance of the two predictions: 0 when they are the same, 0.693 (ln 2) when they share nothing.",
        unit="nats",
        low=0.0,
        high=math.log(2),
        higher_is_better=False,
    ),
    Metric(
        "cosine",
        "Embedding cosine",
        lambda o: cosine(o.features, o.adversarial_features),
        "The cosine of the two image embeddings: 1 when the picture means the same to the model as before.",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "label_cosine_clean",
        "Cosine to label, clean",
        lambda o: label_cosine(o.cosines, o.labels),
        "The cosine of the picture's embedding and that of the label's text, before the attack: 1 when they point the same way.",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "label_cosine_attacked",
        "Cosine to label, attacked",
        lambda o: label_cosine(o.adversarial_cosines, o.labels),
        "The cosine of the picture's embedding and that of the label's text, after the attack: 1 when they point the same way.",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "frozen_agreement",
        "Same answer as zero-shot",
        lambda o: agreement(o.frozen, o.adversarial_logits),
        "1 when the attacked picture gets the answer that the frozen zero-shot model gave the clean one.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "frozen_kl",
        "KL zero-shot ‖ attacked",
        lambda o: kl(o.frozen, o.adversarial_logits),
        "How badly the attacked prediction describes the frozen zero-shot model's clean one.",
        unit="nats",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "frozen_js",
        "JS to zero-shot",
        lambda o: js(o.frozen, o.adversarial_logits),
        "The symmetric distance of the attacked prediction from the frozen zero-shot model's clean one.",
        unit="nats",
        low=0.0,
        high=math.log(2),
        higher_is_better=False,
    ),
    Metric(
        "linf",
        "L∞ distance",
        lambda o: linf(o.images, o.adversarial_images),
        "The largest change of any colour value of any pixel.",
        unit="/255",
        low=0.0,
        high=1.0,
        higher_is_better=False,
    ),
    Metric(
        "l2",
        "L2 distance",
        lambda o: l2(o.images, o.adversarial_images),
        "The Euclidean length of the whole change, with colour values in [0, 1].",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "linf_png",
        "L∞ distance, saved",
        lambda o: _saved_change(o).abs().amax(dim=1),
        "The largest change of any colour value between the two pictures as PNG files hold them, in whole steps of 1/255.",
        unit="/255",
        low=0.0,
        high=1.0,
        higher_is_better=False,
    ),
    Metric(
        "l2_png",
        "L2 distance, saved",
        lambda o: _saved_change(o).square().sum(dim=1).sqrt(),
        "The Euclidean length of the change between the two pictures as PNG files hold them, with colour values in [0, 1].",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "psnr",
        "PSNR",
        lambda o: psnr(o.images, o.adversarial_images),
        "Peak signal-to-noise ratio: above some 40 dB few people see a difference.",
        unit="dB",
        higher_is_better=True,
    ),
    Metric(
        "ssim",
        "SSIM",
        lambda o: ssim(o.images, o.adversarial_images),
        "Structural similarity to the clean picture as an eye would judge it; 1 is the same picture.",
        low=-1.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "top5_clean",
        "Label in the top 5, clean",
        lambda o: in_top_k(o.clean_logits, o.labels),
        "1 when the label is among the five best classes before the attack; averaged over pictures, the top-5 accuracy.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "top5_attacked",
        "Label in the top 5, attacked",
        lambda o: in_top_k(o.adversarial_logits, o.labels),
        "1 when the label is still among the five best classes after the attack; averaged over pictures, the robust top-5 accuracy.",
        low=0.0,
        high=1.0,
        higher_is_better=True,
    ),
    Metric(
        "nll_clean",
        "NLL, clean",
        lambda o: nll(o.clean_logits, o.labels),
        "Minus the log of the label's probability, before the attack; 0 when the model is sure and right.",
        unit="nats",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "nll_attacked",
        "NLL, attacked",
        lambda o: nll(o.adversarial_logits, o.labels),
        "Minus the log of the label's probability, after the attack; large when the model is sure and wrong.",
        unit="nats",
        low=0.0,
        higher_is_better=False,
    ),
    Metric(
        "brier_clean",
        "Brier score, clean",
        lambda o: brier(o.clean_logits, o.labels),
        "The squared distance of the probabilities from the truth, before the attack: 0 is perfect, 2 is sure of a wrong class.",
        low=0.0,
        high=2.0,
        higher_is_better=False,
    ),
    Metric(
        "brier_attacked",
        "Brier score, attacked",
        lambda o: brier(o.adversarial_logits, o.labels),
        "The squared distance of the probabilities from the truth, after the attack: 0 is perfect, 2 is sure of a wrong class.",
        low=0.0,
        high=2.0,
        higher_is_better=False,
    ),
    Metric(
        "alpha",
        "α (weight of zero-shot)",
        _alpha,
        "CAPT's weight of zero-shot's answer: 0 trusts the model, 1 zero-shot; by the rule the prompts were tuned with, else label_prob.",
        low=0.0,
        high=1.0,
    ),
    Metric(
        "l0",
        "Pixels changed",
        lambda o: l0(o.images, o.adversarial_images),
        "The share of pixels of which any colour value changed at all.",
        low=0.0,
        high=1.0,
        higher_is_better=False,
    ),
    Metric(
        "mean_change",
        "Mean change",
        lambda o: mean_change(o.images, o.adversarial_images),
        "By how much a colour value changed on average.",
        unit="/255",
        low=0.0,
        high=1.0,
        higher_is_better=False,
    ),
    Metric(
        "high_frequency",
        "Fine-grained change",
        lambda o: high_frequency(o.images, o.adversarial_images),
        "The share of the change's energy in patterns finer than four pixels, which eyes and JPEG drop first; white noise has 0.80.",
        low=0.0,
        high=1.0,
    ),
    Metric(
        "lpips",
        "LPIPS",
        _lpips,
        "Distance of both pictures to another network (Zhang et al. 2018); 0 for the same one. Measured where you brought its weights.",
        low=0.0,
        higher_is_better=False,
    ),
    plugins="capt.metrics",
    fits=_fits,
)
