"""The checks that every level makes: a few forward passes and brief attacks on a few pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import Attack
from capt_engine.attacks.losses import LOSSES
from capt_engine.attacks.pgd import PGD
from capt_engine.checks.context import CheckContext, cannot
from capt_engine.checks.subset import Subset, asked
from capt_engine.checks.table import CHECKS
from capt_engine.records import Check
from capt_engine.wrappers.quantized import without_rounding
from capt_engine.wrappers.reencoding import as_png
from capt_engine.wrappers.resizing import resized_by

# So many small steps, and the share of them that has to rise; on sound models (the demo, a CNN, a linear one) nearly all do.
_CLIMB, _RISING = 10, 0.75


def _deterministic(given: CheckContext) -> Check:
    subset = given.subset
    again = asked(subset.model, subset.images, subset.at_once)
    most = float((again - subset.clean).abs().max())
    return CHECKS["deterministic"].passed(most == 0, most, f"at most {most:.3g} logits apart")


def _eval_mode(given: CheckContext) -> Check:
    modules = [module for one in given.subset.modules() for module in one.modules()]
    if not modules:
        return CHECKS["eval-mode"].not_run("The model is no torch module.")
    training = sum(module.training for module in modules)
    return CHECKS["eval-mode"].passed(training == 0, training, f"{training} of {len(modules)} parts in training mode")


def _batch_alone(given: CheckContext) -> Check:
    doubt, subset = CHECKS["batch-alone"], given.subset
    if len(subset) < 2:
        return doubt.not_run("There is only one picture.")
    alone = torch.cat([asked(subset.model, subset.images[i : i + 1]) for i in range(min(8, len(subset)))])
    among = subset.clean[: len(alone)]
    most = float((alone - among).abs().max())
    # Kernels sum in another order for another batch: a few units in the last place of fp32, or of bf16 where that was asked for.
    slack = (2e-2 if getattr(subset.model, "precision", "fp32") == "bf16" else 1e-4) * max(
        1.0, float(among.abs().max())
    )
    return doubt.passed(most <= slack, most, f"at most {most:.3g} logits apart (allowed {slack:.3g})")


def _logits(given: CheckContext) -> Check:
    clean = given.subset.clean.double()
    off = float((clean.sum(dim=1) - 1).abs().max())
    is_probability = bool((clean >= -1e-6).all()) and off < 1e-3
    shown = "they lie in [0, 1] and add up to 1" if is_probability else f"from {clean.min():.3g} to {clean.max():.3g}"
    return CHECKS["logits"].passed(not is_probability, off, shown)


def _pixels(given: CheckContext) -> Check:
    images = given.subset.images
    low, high = float(images.min()), float(images.max())
    # Pixels divided by 255 once too often are all nearly black.
    ok = low >= 0 and high <= 1 and (high > 2 / 255 or high == low)
    return CHECKS["pixels"].passed(ok, high, f"from {low:.3g} to {high:.3g}")


def _normalised(given: CheckContext) -> Check:
    doubt, subset = CHECKS["normalised"], given.subset
    backbone = getattr(subset.model, "backbone", None)
    visual = getattr(getattr(backbone, "clip", None), "visual", None)
    config = getattr(visual, "preprocess_cfg", None)
    if visual is None or not isinstance(config, dict):
        return doubt.not_run("The model does not say how it was trained to be shown pictures.")
    seen: list[Tensor] = []
    first = getattr(visual, "conv1", visual)
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        asked(subset.model, subset.images[:1])
    finally:
        hook.remove()
    if not seen or seen[0].shape[-2:] != _model_size(subset):
        return doubt.not_run("The image tower could not be listened to.")
    mean, std = (torch.tensor(config[name], device=seen[0].device).view(3, 1, 1) for name in ("mean", "std"))
    pictures = resized_by(subset.model, subset.images[:1])
    off = float((seen[0].float() - (pictures - mean) / std).abs().max())
    return doubt.passed(off < 0.05, off, f"at most {off:.3g} standard deviations off")


def _model_size(subset: Subset) -> tuple[int, int]:
    size = int(getattr(subset.model, "size", subset.images.shape[-1]))
    return size, size


def _gradient_there(given: CheckContext) -> Check:
    doubt = CHECKS["gradient-there"]
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    gradients = given.subset.gradients(LOSSES[_followed(given.attack)]).flatten(1)
    finite = gradients.isfinite().all(dim=1)
    flat = ~finite | (gradients.abs().amax(dim=1) < 1e-12)
    share = float(flat.float().mean())
    zeros = float((gradients == 0).float().mean())
    more = f"Of all single values {zeros * 100:.1f} % have a slope of exactly zero."
    return doubt.passed(share == 0, share, f"{int(flat.sum())} of {len(gradients)} pictures without a slope", more)


def _loss_rises(given: CheckContext) -> Check:
    doubt, standing = CHECKS["loss-rises"], given.standing
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    # Steps of the attack's own length may jump to and fro in the ball and be no worse for it: small ones may not.
    climb = PGD(steps=_CLIMB, step_size=given.threat.eps / _CLIMB, random_start=False)
    # Small ones that are rounded away again would say nothing of the slope.
    smooth = replace(standing, model=without_rounding(standing.model))
    losses = smooth.climbed(climb, _followed(given.attack), given.threat)
    rising = (losses[1:] > losses[:-1]).float()
    share, mean = float(rising.mean()), losses.mean(dim=1)
    more = f"Mean loss: {float(mean[0]):.3g} at first, {float(mean[-1]):.3g} after {_CLIMB} steps of ε/{_CLIMB}."
    return doubt.passed(share >= _RISING, share, f"{share * 100:.0f} % of {rising.numel()} steps", more)


def _followed(attack: Attack | None) -> str:
    """The name of the loss that an attack climbs; where it climbs none of the usual ones, the cross-entropy."""
    name = str(getattr(attack, "loss", ""))
    return name if name in LOSSES else "cross-entropy"


def _zero_budget(given: CheckContext) -> Check:
    doubt, subset = CHECKS["zero-budget"], given.subset
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    outcome = subset.under(_brief(given.attack, 2), replace(given.threat, eps=0.0))
    changed = int((asked(subset.model, outcome.pictures, subset.at_once) != subset.clean).any(dim=1).sum())
    return doubt.passed(changed == 0, changed, f"{changed} of {len(subset)} changed")


def _noise_weaker(given: CheckContext) -> Check:
    doubt, standing = CHECKS["noise-weaker"], given.standing
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    noise, outcome = standing.under(ATTACKS["noise"](), given.threat), given.outcome
    ours, theirs = int(outcome.broken.sum()), int(noise.broken.sum())
    more = f"Mean lead of the label: {standing.leads.mean():.2f} clean, {noise.lead:.2f} with noise, {outcome.lead:.2f} attacked."
    ok = theirs <= ours and outcome.lead < noise.lead
    return doubt.passed(ok, theirs, f"noise broke {theirs}, the attack {ours} of {len(standing)}", more)


def _one_step_weaker(given: CheckContext) -> Check:
    doubt = CHECKS["one-step-weaker"]
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    standing, outcome = given.standing, given.outcome
    single = standing.under(ATTACKS["fgsm"](), given.threat)
    ours, theirs = int(outcome.broken.sum()), int(single.broken.sum())
    more = f"Mean lead of the label: {single.lead:.2f} after one step, {outcome.lead:.2f} after the attack."
    stops = bool(getattr(given.attack, "stop_early", False))
    # An attack that stops at success is content with a small lead.
    ok = theirs <= ours and (stops or outcome.lead <= single.lead + 1e-3)
    return doubt.passed(ok, theirs, f"one step broke {theirs}, the attack {ours} of {len(standing)}", more)


def _survives(given: CheckContext) -> Check:
    doubt = CHECKS["survives-png"]
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    outcome = given.outcome
    flips = int(outcome.broken.sum())
    if not flips:
        return doubt.not_run("No attack succeeded.")
    still = int((given.standing.shown(as_png(outcome.pictures)).broken & outcome.broken).sum())
    return doubt.passed(still / flips >= 0.9, still / flips, f"{still} of {flips}")


def _brief(attack: Attack, steps: int) -> Attack:
    return replace(attack, steps=steps) if hasattr(attack, "steps") else attack  # type: ignore[type-var]


CHEAP: tuple[Callable[[CheckContext], Check], ...] = (
    _zero_budget,
    _noise_weaker,
    _one_step_weaker,
    _loss_rises,
    _gradient_there,
    _deterministic,
    _eval_mode,
    _batch_alone,
    _logits,
    _pixels,
    _normalised,
    _survives,
)
