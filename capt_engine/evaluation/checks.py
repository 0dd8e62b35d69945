"""The evaluation that doubts itself: checks for which the model is asked again, on some of the run's pictures.

Sources: Carlini et al. 2019 (arXiv 1902.06705), Athalye et al. 2018, the flags of AutoAttack, Zimmermann et al. 2022 (arXiv 2206.13991).
What the rows alone can answer is in `metrics.row_checks`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import Attack, Draws, Logits, Step, Threat, can_target
from capt_engine.attacks.losses import LOSSES, cross_entropy, margin
from capt_engine.data.labelled import Item
from capt_engine.errors import BadImage
from capt_engine.evaluation.original_size import seen_by
from capt_engine.evaluation.plan import Plan
from capt_engine.evaluation.probe import AT_ONCE, Probe, Shot, asked
from capt_engine.evaluation.survival import as_png
from capt_engine.evaluation.unit_test import planted
from capt_engine.metrics.check_table import CHECKS, in_order
from capt_engine.metrics.interval import wilson
from capt_engine.records import Check
from capt_engine.registry import build, describe

PICTURES = {"off": 0, "cheap": 8, "full": 100}
"""On how many pictures each level of checks looks."""

_HIDDEN = 8
_BLACK_BOX_QUERIES = 500
_LOUD = 0.5
_NOT_ASKED = "It is made when the checks are full (--checks full)."


@dataclass(frozen=True)
class Doubted:
    """What a check may look at. attack: the first that follows gradients, None where none does. frozen: plain CLIP, None where the
    model is plain CLIP itself. full: is the level "full"?"""

    probe: Probe
    attack: Attack | None
    threat: Threat
    frozen: Logits | None
    full: bool

    @cached_property
    def shot(self) -> Shot:
        """What the attack does to the right pictures, computed once."""
        assert self.attack is not None
        return self.standing.under(self.attack, self.threat)

    @property
    def left(self) -> Probe:
        """The right pictures that the attack did not break."""
        return self.standing.only(~self.shot.broken)

    @property
    def standing(self) -> Probe:
        """The pictures that are right when clean."""
        return self.probe.only(self.probe.right)


def live_checks(work: Plan, items: Sequence[Item], tick: Step) -> tuple[Check, ...]:
    """The checks of the plan's level, on every contestant; of several answers to one the worst. Raises Cancelled through `tick`."""
    wanted = PICTURES[work.checks]
    if not wanted or not items:
        return ()
    tick(0, 0, "checking the evaluation")
    found = _pictures(work, items, wanted)
    if not found:
        return ()
    for at_once in AT_ONCE:
        try:
            return in_order(*_of_contestants(work, found, tick, at_once))
        except torch.OutOfMemoryError:
            # The rows are there already; a check is not worth losing them.
            torch.cuda.empty_cache()
    return tuple(one.not_run("The device has no room for it.") for one in CHECKS)


def _of_contestants(
    work: Plan, found: Sequence[tuple[Tensor, int, str]], tick: Step, at_once: int
) -> list[tuple[Check, ...]]:
    images = torch.stack([seen for seen, _, _ in found]).to(work.classifier.device)
    labels = torch.tensor([label for _, label, _ in found], device=images.device)
    keys = [key for _, _, key in found]
    told = []
    for contestant in work.contestants:
        model = contestant.classifier
        who = contestant.id if len(work.contestants) > 1 else ""
        probe = Probe.of(who, model, images, labels, keys, work.seed, tick, at_once)
        frozen = None if model is work.frozen else work.frozen
        told.append(doubted(probe, work.leading, _threat(work), frozen, full=work.checks == "full"))
    return told


def doubted(
    probe: Probe, attack: Attack | None, threat: Threat, frozen: Logits | None, *, full: bool
) -> tuple[Check, ...]:
    """Every check that can be made on these pictures; each names the model where there are several."""
    given = Doubted(probe, attack, threat, frozen, full)
    checks = [check(given) for check in LIVE]
    if not probe.who:
        return tuple(checks)
    return tuple(
        replace(one, message=f"{one.message} Measured: {probe.who}.") if one.status != "not_run" else one
        for one in checks
    )


def _pictures(work: Plan, items: Sequence[Item], wanted: int) -> list[tuple[Tensor, int, str]]:
    """(pixels, label, SHA-256) of pictures spread over the whole list; those that cannot be read are passed over."""
    step = max(1, len(items) // wanted)
    found: list[tuple[Tensor, int, str]] = []
    for item in items[::step][:wanted]:
        try:
            photo, seen = seen_by(work.classifier, item.path)
        except BadImage:
            continue
        # At their own sizes only those of one size can be looked at together.
        if not found or found[0][0].shape == seen.shape:
            found.append((seen, item.label, photo.sha256))
    return found


def _threat(work: Plan) -> Threat:
    at = [one.threat for one in work.assaults if one.threat.eps == work.threat.eps]
    return replace(at[0], targeted=False) if at else Threat()


# What every level makes -------------------------------------------------------------------------------------------------------------


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
    pictures = getattr(probe.model, "resized", lambda images: images)(probe.images[:1])
    off = float((seen[0].float() - (pictures - mean) / std).abs().max())
    return doubt.passed(off < 0.05, off, f"at most {off:.3g} standard deviations off")


def _model_size(probe: Probe) -> tuple[int, int]:
    size = int(getattr(probe.model, "size", probe.images.shape[-1]))
    return size, size


def _gradient_there(given: Doubted) -> Check:
    doubt = CHECKS["gradient-there"]
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    loss = LOSSES.get(str(getattr(given.attack, "loss", "")), cross_entropy)
    slopes = given.probe.slopes(loss).flatten(1)
    finite = slopes.isfinite().all(dim=1)
    flat = ~finite | (slopes.abs().amax(dim=1) < 1e-12)
    share = float(flat.float().mean())
    zeros = float((slopes == 0).float().mean())
    more = f"Of all single values {zeros * 100:.1f} % have a slope of exactly zero."
    return doubt.passed(share == 0, share, f"{int(flat.sum())} of {len(slopes)} pictures without a slope", more)


def _zero_budget(given: Doubted) -> Check:
    doubt, probe = CHECKS["zero-budget"], given.probe
    if given.attack is None:
        return doubt.not_run("No attack of the run follows gradients.")
    shot = probe.under(_brief(given.attack, 2), replace(given.threat, eps=0.0))
    changed = int((asked(probe.model, shot.pictures, probe.at_once) != probe.clean).any(dim=1).sum())
    return doubt.passed(changed == 0, changed, f"{changed} of {len(probe)} changed")


def _noise_weaker(given: Doubted) -> Check:
    doubt, standing = CHECKS["noise-weaker"], given.standing
    if (why := _cannot(given)) is not None:
        return doubt.not_run(why)
    noise, shot = standing.under(ATTACKS["noise"](), given.threat), given.shot
    ours, theirs = int(shot.broken.sum()), int(noise.broken.sum())
    more = f"Mean lead of the label: {standing.leads.mean():.2f} clean, {noise.lead:.2f} with noise, {shot.lead:.2f} attacked."
    ok = theirs <= ours and shot.lead < noise.lead
    return doubt.passed(ok, theirs, f"noise broke {theirs}, the attack {ours} of {len(standing)}", more)


def _one_step_weaker(given: Doubted) -> Check:
    doubt = CHECKS["one-step-weaker"]
    if (why := _cannot(given)) is not None:
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
    if (why := _cannot(given)) is not None:
        return doubt.not_run(why)
    shot = given.shot
    flips = int(shot.broken.sum())
    if not flips:
        return doubt.not_run("No attack succeeded.")
    still = int((given.standing.shown(as_png(shot.pictures)).broken & shot.broken).sum())
    return doubt.passed(still / flips >= 0.9, still / flips, f"{still} of {flips}")


# What only the full level makes -----------------------------------------------------------------------------------------------------


def _monotone_budget(given: Doubted) -> Check:
    doubt = CHECKS["monotone-budget"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    eps, standing = given.threat.eps, given.standing
    broken = []
    for factor in (0.5, 1.0, 2.0):
        threat = replace(given.threat, eps=min(factor * eps, given.threat.norm.high_eps))
        shot = given.shot if factor == 1.0 else standing.under(given.attack, threat)
        broken.append(int(shot.broken.sum()))
    falls = max(0, broken[0] - broken[1], broken[1] - broken[2])
    return doubt.passed(
        falls == 0, falls, f"{broken[0]}, {broken[1]}, {broken[2]} broken at ε/2, ε, 2ε of {len(standing)}"
    )


def _huge_budget(given: Doubted) -> Check:
    doubt = CHECKS["huge-budget"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    probe, norm = given.probe, given.threat.norm
    size = probe.images[0].numel()
    eps = _LOUD if norm.name == "linf" else min(norm.high_eps, _LOUD * math.sqrt(size))
    attack = replace(given.attack, step_size=0.0) if hasattr(given.attack, "step_size") else given.attack  # type: ignore[type-var]
    shot = probe.under(attack, replace(given.threat, eps=eps))
    kept = len(probe) - int(shot.broken.sum())
    chance = 1 / probe.clean.shape[1]
    low, _ = wilson(kept, len(probe))
    more = f"Chance is {chance * 100:.1f} %."
    return doubt.passed(low <= chance, kept / len(probe), f"{kept} of {len(probe)} left at ε = {eps:.3g}", more)


def _doubled_steps(given: Doubted) -> Check:
    doubt = CHECKS["doubled-steps"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    known = {info.name for info in describe(type(given.attack))}
    name = next((one for one in ("steps", "queries", "restarts") if one in known), "")
    if not name:
        return doubt.not_run("The attack has nothing to double.")
    values = {field.name: getattr(given.attack, field.name) for field in dataclasses.fields(given.attack)}  # type: ignore[arg-type]
    longer = build(type(given.attack), tuple((values | {name: 2 * values[name]}).items()))
    left, n = given.left, len(given.probe)
    more = int(left.under(longer, given.threat).broken.sum()) if len(left) else 0
    shown = f"{more} more of {n} with {2 * values[name]} {name} instead of {values[name]}"
    return doubt.passed(more / n < 0.01 or more == 0, more / n, shown)


def _black_box_weaker(given: Doubted) -> Check:
    doubt = CHECKS["black-box-weaker"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    standing, left = given.standing, given.left
    square = build(ATTACKS["square"], (("queries", _BLACK_BOX_QUERIES),))
    missed = int(left.under(square, given.threat).broken.sum()) if len(left) else 0
    shown = f"{missed} of {len(standing)}"
    more = f"Square with {_BLACK_BOX_QUERIES} queries broke so many that the attack had left standing."
    return doubt.passed(missed <= max(1, 0.01 * len(standing)), missed, shown, more)


def _transfer_weaker(given: Doubted) -> Check:
    doubt = CHECKS["transfer-weaker"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    if given.frozen is None:
        return doubt.not_run("The model is plain CLIP itself.")
    assert given.attack is not None
    ours = int(given.shot.broken.sum())
    theirs = int(given.standing.under(given.attack, given.threat, on=given.frozen).broken.sum())
    return doubt.passed(
        theirs <= ours, theirs, f"transfer broke {theirs}, the attack on itself {ours} of {len(given.standing)}"
    )


def _baseline_breaks(given: Doubted) -> Check:
    doubt = CHECKS["baseline-breaks"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    if given.frozen is None:
        return doubt.not_run("The model is plain CLIP itself, and undefended.")
    assert given.attack is not None
    probe = given.probe
    plain = Probe.of("", given.frozen, probe.images, probe.labels, probe.keys, probe.seed, probe.tick, probe.at_once)
    n, clean = len(plain), int(plain.right.sum())
    if not clean:
        return doubt.not_run("Plain CLIP is right on none of the pictures.")
    kept = int((~plain.under(given.attack, given.threat).broken).sum())
    return doubt.passed(wilson(kept, n)[1] < clean / n, kept / n, f"{kept} of {n} left, {clean} were right when clean")


def _hidden_flaw(given: Doubted) -> Check:
    doubt, probe = CHECKS["hidden-flaw"], given.probe
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    tried = found = 0
    for i in range(min(_HIDDEN, len(probe))):
        image, draws = probe.images[i : i + 1], Draws.of(probe.seed, [f"flaw {probe.keys[i]}"])
        flawed = planted(probe.model, image, given.threat, draws)
        if flawed is None:
            continue
        tried += 1
        probe.tick(0, 0, "checking: hidden flaw")
        label = torch.zeros(1, dtype=torch.long, device=image.device)
        again = Draws.of(probe.seed, [probe.keys[i]])
        attacked = given.attack.run(flawed, image, label, given.threat, again, probe.tick)
        found += bool(margin(asked(flawed, attacked), label) > 0)
    if not tried:
        return doubt.passed(False, 0.0, "none could be planted", "Nothing inside the ball changes what the model says.")
    return doubt.passed(found >= 0.75 * tried, found / tried, f"{found} of {tried} found")


def _both_goals(given: Doubted) -> Check:
    doubt = CHECKS["both-goals"]
    if (why := _cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    attack = given.attack if can_target(type(given.attack)) else ATTACKS["pgd"]()
    probe = given.standing
    # The runner-up, so that there is a way.
    aims = probe.clean.topk(2).indices[:, 1]
    before = margin(probe.clean, aims)
    towards = probe.under(attack, replace(given.threat, targeted=True), aims)
    reached, away = int(towards.broken.sum()), int(given.shot.broken.sum())
    ok = towards.lead < float(before.mean()) and given.shot.lead < float(probe.leads.mean())
    shown = f"{reached} of {len(probe)} reached the runner-up, {away} left the label"
    return doubt.passed(ok, reached / len(probe), shown, f"Targeted: {attack.label}.")


def _cannot(given: Doubted, *, full: bool = False) -> str | None:
    """Why a check of the attack cannot be made; None where it can."""
    if full and not given.full:
        return _NOT_ASKED
    if given.attack is None:
        return "No attack of the run follows gradients."
    if given.threat.eps == 0:
        return "The budget is zero."
    return None if bool(given.probe.right.any()) else "None of the pictures looked at is right when clean."


def _brief(attack: Attack, steps: int) -> Attack:
    return replace(attack, steps=steps) if hasattr(attack, "steps") else attack  # type: ignore[type-var]


LIVE: tuple[Callable[[Doubted], Check], ...] = (
    _zero_budget,
    _monotone_budget,
    _huge_budget,
    _noise_weaker,
    _one_step_weaker,
    _doubled_steps,
    _black_box_weaker,
    _transfer_weaker,
    _gradient_there,
    _deterministic,
    _eval_mode,
    _batch_alone,
    _logits,
    _pixels,
    _normalised,
    _hidden_flaw,
    _both_goals,
    _baseline_breaks,
    _survives,
)
