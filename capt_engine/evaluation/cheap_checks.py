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
from capt_engine.evaluation.doubt import Doubted, cannot
from capt_engine.evaluation.eight_bits import without_rounding
from capt_engine.evaluation.original_size import resized_by
from capt_engine.evaluation.probe import Probe, asked
from capt_engine.evaluation.survival import as_png
from capt_engine.metrics.check_table import CHECKS
from capt_engine.records import Check

# So many small steps, and the share of them that has to rise; on sound models (the demo, a CNN, a linear one) nearly all do.
_CLIMB, _RISING = 10, 0.75


def _deterministic(given: Doubted) -> Check:
    probe = given.probe
    again = asked(probe.model, probe.images, probe.at_once)
    most = float((again - probe.clean).abs().max())
    return CHECKS["deterministic"].passed(most == 0, most, f"at most {most:.3g} logits apart")


def _eval_mode(given: Doubted) -> Check:
    modules = [module for one in given.probe.modules() for module in one.modules()]
    if not modules:
        return CHECKS["eval-mode"].not_run("The model is no torch module.")
    training = sum(module.training for module in modules)
    return CHECKS["eval-mode"].passed(training == 0, training, f"{training} of {len(modules)} parts in training mode")


def _batch_alone(given: Doubted) -> Check:
    doubt, probe = CHECKS["batch-alone"], given.probe
    if len(probe) < 2:
        return doubt.not_run("There is only one picture.")
    alone = torch.cat([asked(probe.model, probe.images[i : i + 1]) for i in range(min(8, len(probe)))])
    among = probe.clean[: len(alone)]
    most = float((alone - among).abs().max())
    # Kernels sum in another order for another batch: a few units in the last place of fp32, or of bf16 where that was asked for.
    slack = (2e-2 if getattr(probe.model, "precision", "fp32") == "bf16" else 1e-4) * max(1.0, float(among.abs().max()))
    return doubt.passed(most <= slack, most, f"at most {most:.3g} logits apart (allowed {slack:.3g})")


def _logits(given: Doubted) -> Check:
    clean = given.probe.clean.double()
    off = float((clean.sum(dim=1) - 1).abs().max())
    is_probability = bool((clean >= -1e-6).all()) and off < 1e-3
    shown = "they lie in [0, 1] and add up to 1" if is_probability else f"from {clean.min():.3g} to {clean.max():.3g}"
    return CHECKS["logits"].passed(not is_probability, off, shown)


def _pixels(given: Doubted) -> Check:
    images = given.probe.images
    low, high = float(images.min()), float(images.max())
    # Pixels divided by 255 once too often are all nearly black.
    ok = low >= 0 and high <= 1 and (high > 2 / 255 or high == low)
    return CHECKS["pixels"].passed(ok, high, f"from {low:.3g} to {high:.3g}")


def _normalised(given: Doubted) -> Check:
    doubt, probe = CHECKS["normalised"], given.probe
    backbone = getattr(probe.model, "backbone", None)
    visual = getattr(getattr(backbone, "clip", None), "visual", None)
    config = getattr(visual, "preprocess_cfg", None)
    if visual is None or not isinstance(config, dict):
        return doubt.not_run("The model does not say how it was trained to be shown pictures.")
    seen: list[Tensor] = []
    first = getattr(visual, "conv1", visual)
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    try:
        asked(probe.model, probe.images[:1])
    finally:
        hook.remove()
    if not seen or seen[0].shape[-2:] != _model_size(probe):
        return doubt.not_run("The image tower could not be listened to.")
    mean, std = (torch.tensor(config[name], device=seen[0].device).view(3, 1, 1) for name in ("mean", "std"))
    pictures = resized_by(probe.model, probe.images[:1])
    off = float((seen[0].float() - (pictures - mean) / std).abs().max())
    return doubt.passed(off < 0.05, off, f"at most {off:.3g} standard deviations off")


def _model_size(probe: Probe) -> tuple[int, int]:
    size = int(getattr(probe.model, "size", probe.images.shape[-1]))
    return size, size


def _gradient_there(given: Doubted) -> Check:
    doubt = CHECKS["gradient-there"]
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    slopes = given.probe.slopes(LOSSES[_followed(given.attack)]).flatten(1)
    finite = slopes.isfinite().all(dim=1)
    flat = ~finite | (slopes.abs().amax(dim=1) < 1e-12)
    share = float(flat.float().mean())
    zeros = float((slopes == 0).float().mean())
    more = f"Of all single values {zeros * 100:.1f} % have a slope of exactly zero."
    return doubt.passed(share == 0, share, f"{int(flat.sum())} of {len(slopes)} pictures without a slope", more)


def _loss_rises(given: Doubted) -> Check:
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


def _zero_budget(given: Doubted) -> Check:
    doubt, probe = CHECKS["zero-budget"], given.probe
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    shot = probe.under(_brief(given.attack, 2), replace(given.threat, eps=0.0))
    changed = int((asked(probe.model, shot.pictures, probe.at_once) != probe.clean).any(dim=1).sum())
    return doubt.passed(changed == 0, changed, f"{changed} of {len(probe)} changed")


def _noise_weaker(given: Doubted) -> Check:
    doubt, standing = CHECKS["noise-weaker"], given.standing
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    noise, shot = standing.under(ATTACKS["noise"](), given.threat), given.shot
    ours, theirs = int(shot.broken.sum()), int(noise.broken.sum())
    more = f"Mean lead of the label: {standing.leads.mean():.2f} clean, {noise.lead:.2f} with noise, {shot.lead:.2f} attacked."
    ok = theirs <= ours and shot.lead < noise.lead
    return doubt.passed(ok, theirs, f"noise broke {theirs}, the attack {ours} of {len(standing)}", more)


def _one_step_weaker(given: Doubted) -> Check:
    doubt = CHECKS["one-step-weaker"]
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    standing, shot = given.standing, given.shot
    single = standing.under(ATTACKS["fgsm"](), given.threat)
    ours, theirs = int(shot.broken.sum()), int(single.broken.sum())
    more = f"Mean lead of the label: {single.lead:.2f} after one step, {shot.lead:.2f} after the attack."
    stops = bool(getattr(given.attack, "stop_early", False))
    # An attack that stops at success is content with a small lead.
    ok = theirs <= ours and (stops or shot.lead <= single.lead + 1e-3)
    return doubt.passed(ok, theirs, f"one step broke {theirs}, the attack {ours} of {len(standing)}", more)


def _survives(given: Doubted) -> Check:
    doubt = CHECKS["survives-png"]
    if (why := cannot(given)) is not None:
        return doubt.not_run(why)
    shot = given.shot
    flips = int(shot.broken.sum())
    if not flips:
        return doubt.not_run("No attack succeeded.")
    still = int((given.standing.shown(as_png(shot.pictures)).broken & shot.broken).sum())
    return doubt.passed(still / flips >= 0.9, still / flips, f"{still} of {flips}")


def _brief(attack: Attack, steps: int) -> Attack:
    return replace(attack, steps=steps) if hasattr(attack, "steps") else attack  # type: ignore[type-var]


CHEAP: tuple[Callable[[Doubted], Check], ...] = (
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
