"""The checks of every level: a few forward passes and brief attacks on a few pictures."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import Attack
from capt_engine.attacks.losses import LOSSES
from capt_engine.attacks.pgd import PGD
from capt_engine.checks.context import NO_ATTACK, CheckContext, LiveCheck, of_attack
from capt_engine.checks.subset import logits_of
from capt_engine.checks.table import Finding, Found
from capt_engine.formatting import number, percent
from capt_engine.model.classifier import Classifier
from capt_engine.model.devices import exact
from capt_engine.wrappers.quantized import unquantized
from capt_engine.wrappers.resizing import resized_for

# The number of small steps, and the share that has to raise the loss; on sound models (the demo, a CNN, a linear one) nearly all do.
STEPS, _RISING = 5, 0.75
# The share of gradient signs that a lower precision has to keep: measured in docs/determinism.md.
_SAME_SIGNS = 0.9
# So many pictures are enough for a check that costs many gradients, unless the checks are full.
FEW = 4
# A law that one picture breaks is asked of so many.
TWO = 2
# So many pictures are classified one by one, too.
ALONE = 8


def _deterministic(context: CheckContext) -> Found:
    subset = context.subset
    again = logits_of(subset.model, subset.images, subset.batch_size)
    most = float((again - subset.clean_logits).abs().max())
    return Finding(most == 0, most, f"at most {most:.3g} logits apart")


def _eval_mode(context: CheckContext) -> Found:
    modules = [module for one in context.subset.modules() for module in one.modules()]
    if not modules:
        return "The model is no torch module."
    training = sum(module.training for module in modules)
    return Finding(training == 0, training, f"{training} of {len(modules)} parts in training mode")


def _batch_alone(context: CheckContext) -> Found:
    subset = context.subset
    if len(subset) < 2:
        return "There is only one picture."
    alone = torch.cat([logits_of(subset.model, subset.images[i : i + 1]) for i in range(min(ALONE, len(subset)))])
    among = subset.clean_logits[: len(alone)]
    most = float((alone - among).abs().max())
    # Kernels sum in another order for another batch: a few units in the last place of fp32, or of the lower precision that was asked for.
    share = 2e-2 if getattr(subset.model, "precision", "fp32") != "fp32" else 1e-4
    slack = share * max(1.0, float(among.abs().max()))
    return Finding(most <= slack, most, f"at most {most:.3g} logits apart (allowed {slack:.3g})")


def _logits(context: CheckContext) -> Found:
    clean = exact(context.subset.clean_logits)
    off = float((clean.sum(dim=1) - 1).abs().max())
    is_probability = bool((clean >= -1e-6).all()) and off < 1e-3
    shown = (
        "they lie in [0, 1] and add up to 1"
        if is_probability
        else f"from {number(float(clean.min()))} to {number(float(clean.max()))}"
    )
    return Finding(not is_probability, off, shown)


def _pixels(context: CheckContext) -> Found:
    images = context.subset.images
    low, high = float(images.min()), float(images.max())
    # Pixels divided by 255 once too often are all nearly black.
    ok = low >= 0 and high <= 1 and (high > 2 / 255 or high == low)
    return Finding(ok, high, f"from {low:.3g} to {high:.3g}")


def _normalised(context: CheckContext) -> Found:
    subset = context.subset
    backbone = getattr(subset.model, "backbone", None)
    visual = getattr(getattr(backbone, "clip", None), "visual", None)
    config = getattr(visual, "preprocess_cfg", None)
    if visual is None or not isinstance(config, dict):
        return "The model does not say how it was trained to be shown pictures."
    seen: list[Tensor] = []
    first = getattr(visual, "conv1", visual)
    hook = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        logits_of(subset.model, subset.images[:1])
    finally:
        hook.remove()
    size = int(getattr(subset.model, "size", subset.images.shape[-1]))
    if not seen or seen[0].shape[-2:] != (size, size):
        return "The image tower could not be listened to."
    mean, std = (torch.tensor(config[name], device=seen[0].device).view(3, 1, 1) for name in ("mean", "std"))
    pictures = resized_for(subset.model, subset.images[:1])
    off = float((seen[0].float() - (pictures - mean) / std).abs().max())
    return Finding(off < 0.05, off, f"at most {off:.3g} standard deviations off")


def _gradient_there(context: CheckContext) -> Found:
    if context.attack is None:
        return NO_ATTACK
    gradients = context.subset.gradients(_loss_of(context.attack)).flatten(1)
    finite = gradients.isfinite().all(dim=1)
    flat = ~finite | (gradients.abs().amax(dim=1) < 1e-12)
    share = float(flat.float().mean())
    zeros = float((gradients == 0).float().mean())
    more = f"Of all single values {percent(zeros)} have a gradient of exactly zero."
    return Finding(share == 0, share, f"{int(flat.sum())} of {len(gradients)} pictures without a gradient", more)


def _gradient_signs(context: CheckContext) -> Found:
    subset = context.subset
    if getattr(subset.model, "precision", "fp32") == "fp32":
        return "The run is in fp32."
    few = subset if context.full else subset.only(torch.arange(min(FEW, len(subset))))
    model = unquantized(few.model)
    if not isinstance(model, Classifier):
        return "The model has no fp32 form."
    loss = "cross-entropy" if context.attack is None else _loss_of(context.attack)
    lower, exact_ones = (replace(few, model=one).gradients(loss) for one in (model, model.in_precision("fp32")))
    share = float((lower.sign() == exact_ones.sign()).float().mean())
    return Finding(share >= _SAME_SIGNS, share, f"{percent(share)} of the signs")


def _loss_rises(context: CheckContext, attack: Attack) -> Found:
    correct = context.correct
    if not context.full:
        correct = correct.only(torch.arange(min(FEW, len(correct))))
    # Steps of the attack's own length may jump to and fro in the ball and be no worse for it: small ones may not.
    ascent = PGD(steps=STEPS, step_size=context.threat.eps / STEPS, random_start=False)
    # Small ones that are rounded away again would say nothing of the gradient.
    smooth = replace(correct, model=unquantized(correct.model))
    losses = smooth.losses_along(ascent, _loss_of(attack), context.threat)
    rising = (losses[1:] > losses[:-1]).float()
    share, mean = float(rising.mean()), losses.mean(dim=1)
    more = f"Mean loss: {float(mean[0]):.3g} at first, {float(mean[-1]):.3g} after {STEPS} steps of ε/{STEPS}."
    return Finding(share >= _RISING, share, f"{percent(share)} of {rising.numel()} steps", more, rising.numel())


def _loss_of(attack: Attack) -> str:
    """The name of the loss that an attack ascends; the cross-entropy where it is none of LOSSES."""
    name = str(getattr(attack, "loss", ""))
    return name if name in LOSSES else "cross-entropy"


def _zero_budget(context: CheckContext) -> Found:
    if context.attack is None:
        return NO_ATTACK
    # One picture that changes breaks this law, so that two are enough.
    subset = context.subset if context.full else context.subset.only(torch.arange(min(TWO, len(context.subset))))
    attack = context.attack
    brief = replace(attack, steps=2) if hasattr(attack, "steps") else attack  # type: ignore[type-var]
    outcome = subset.attack_with(brief, replace(context.threat, eps=0.0))
    attacked = logits_of(subset.model, outcome.pictures, subset.batch_size)
    changed = int((attacked != subset.clean_logits).any(dim=1).sum())
    return Finding(changed == 0, changed, f"{changed} of {len(subset)} changed")


def _noise_weaker(context: CheckContext, attack: Attack) -> Found:  # noqa: ARG001
    correct = context.correct
    noise, outcome = correct.attack_with(ATTACKS["noise"](), context.threat), context.outcome
    ours, theirs = outcome.n_broken, noise.n_broken
    clean, noisy, attacked = float(correct.margins.mean()), noise.mean_margin, outcome.mean_margin
    more = f"Mean margin of the label: {number(clean)} clean, {number(noisy)} with noise, {number(attacked)} attacked."
    ok = theirs <= ours and attacked < noisy
    return Finding(ok, theirs, f"noise broke {theirs}, the attack {ours} of {len(correct)}", more)


def _one_step_weaker(context: CheckContext, attack: Attack) -> Found:
    correct, outcome = context.correct, context.outcome
    single = correct.attack_with(ATTACKS["fgsm"](), context.threat)
    ours, theirs = outcome.n_broken, single.n_broken
    more = f"Mean margin of the label: {number(single.mean_margin)} after one step, {number(outcome.mean_margin)} after the attack."
    stops = bool(getattr(attack, "stop_early", False))
    # An attack that stops at success is content with a small margin.
    ok = theirs <= ours and (stops or outcome.mean_margin <= single.mean_margin + 1e-3)
    return Finding(ok, theirs, f"one step broke {theirs}, the attack {ours} of {len(correct)}", more)


QUICK_CHECKS: dict[str, LiveCheck] = {
    "zero-budget": _zero_budget,
    "noise-weaker": of_attack(_noise_weaker),
    "one-step-weaker": of_attack(_one_step_weaker),
    "loss-rises": of_attack(_loss_rises),
    "gradient-there": _gradient_there,
    "gradient-signs": _gradient_signs,
    "deterministic": _deterministic,
    "eval-mode": _eval_mode,
    "batch-alone": _batch_alone,
    "logits": _logits,
    "pixels": _pixels,
    "normalised": _normalised,
}
