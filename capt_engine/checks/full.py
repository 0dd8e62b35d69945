"""The checks that only the full level makes: several attacks more, on up to 100 pictures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import replace

import torch

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import PictureRngs, can_target
from capt_engine.attacks.losses import margin
from capt_engine.checks.context import CheckContext, cannot
from capt_engine.checks.planted_example import planted
from capt_engine.checks.subset import Subset, asked
from capt_engine.checks.table import CHECKS
from capt_engine.metrics.interval import wilson
from capt_engine.records import Check
from capt_engine.registry import build, describe
from capt_engine.wrappers.quantized import crafted

_HIDDEN = 8
_BLACK_BOX_QUERIES = 500
_LOUD = 0.5


def _monotone_budget(given: CheckContext) -> Check:
    doubt = CHECKS["monotone-budget"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    eps, standing = given.threat.eps, given.standing
    broken = []
    for factor in (0.5, 1.0, 2.0):
        threat = replace(given.threat, eps=min(factor * eps, given.threat.norm.high_eps))
        outcome = given.outcome if factor == 1.0 else standing.under(given.attack, threat)
        broken.append(int(outcome.broken.sum()))
    falls = max(0, broken[0] - broken[1], broken[1] - broken[2])
    return doubt.passed(
        falls == 0, falls, f"{broken[0]}, {broken[1]}, {broken[2]} broken at ε/2, ε, 2ε of {len(standing)}"
    )


def _huge_budget(given: CheckContext) -> Check:
    doubt = CHECKS["huge-budget"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    subset, norm = given.subset, given.threat.norm
    size = subset.images[0].numel()
    eps = _LOUD if norm.name == "linf" else min(norm.high_eps, _LOUD * math.sqrt(size))
    attack = replace(given.attack, step_size=0.0) if hasattr(given.attack, "step_size") else given.attack  # type: ignore[type-var]
    outcome = subset.under(attack, replace(given.threat, eps=eps))
    kept = len(subset) - int(outcome.broken.sum())
    chance = 1 / subset.clean.shape[1]
    low, _ = wilson(kept, len(subset))
    more = f"Chance is {chance * 100:.1f} %."
    return doubt.passed(low <= chance, kept / len(subset), f"{kept} of {len(subset)} left at ε = {eps:.3g}", more)


def _doubled_steps(given: CheckContext) -> Check:
    doubt = CHECKS["doubled-steps"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    known = {info.name for info in describe(type(given.attack))}
    names = [one for one in ("steps", "queries") if one in known][:1] + [one for one in ("restarts",) if one in known]
    if not names:
        return doubt.not_run("The attack has nothing to double.")
    values = {field.name: getattr(given.attack, field.name) for field in dataclasses.fields(given.attack)}  # type: ignore[arg-type]
    left, n = given.left, len(given.subset)
    most, told = 0, []
    for name in names:
        longer = build(type(given.attack), tuple((values | {name: 2 * values[name]}).items()))
        more = int(left.under(longer, given.threat).broken.sum()) if len(left) else 0
        most = max(most, more)
        told.append(f"{more} with {2 * values[name]} {name} instead of {values[name]}")
    return doubt.passed(most / n < 0.01 or most == 0, most / n, f"{most} more of {n}", f"{'; '.join(told)}.")


def _black_box_weaker(given: CheckContext) -> Check:
    doubt = CHECKS["black-box-weaker"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    standing, left = given.standing, given.left
    square = build(ATTACKS["square"], (("queries", _BLACK_BOX_QUERIES),))
    missed = int(left.under(square, given.threat).broken.sum()) if len(left) else 0
    shown = f"{missed} of {len(standing)}"
    more = f"Square with {_BLACK_BOX_QUERIES} queries broke so many that the attack had left standing."
    return doubt.passed(missed <= max(1, 0.01 * len(standing)), missed, shown, more)


def _transfer_weaker(given: CheckContext) -> Check:
    doubt = CHECKS["transfer-weaker"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    if given.elsewhere is None:
        return doubt.not_run(
            "The model is plain CLIP itself, and --source-model names no other to carry an attack over from."
        )
    assert given.attack is not None
    ours = int(given.outcome.broken.sum())
    theirs = int(given.standing.under(given.attack, given.threat, on=given.elsewhere).broken.sum())
    return doubt.passed(
        theirs <= ours, theirs, f"transfer broke {theirs}, the attack on itself {ours} of {len(given.standing)}"
    )


def _baseline_breaks(given: CheckContext) -> Check:
    doubt = CHECKS["baseline-breaks"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    if given.baseline is None:
        return doubt.not_run("The model is plain CLIP itself, and undefended.")
    assert given.attack is not None
    subset = given.subset
    plain = Subset.of(
        "", given.baseline, subset.images, subset.labels, subset.keys, subset.seed, subset.progress, subset.at_once
    )
    n, clean = len(plain), int(plain.right.sum())
    if not clean:
        return doubt.not_run("The undefended model is right on none of the pictures.")
    kept = int((~plain.under(given.attack, given.threat).broken).sum())
    return doubt.passed(wilson(kept, n)[1] < clean / n, kept / n, f"{kept} of {n} left, {clean} were right when clean")


def _hidden_flaw(given: CheckContext) -> Check:
    doubt, subset = CHECKS["hidden-flaw"], given.subset
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    tried = found = 0
    for i in range(min(_HIDDEN, len(subset))):
        image, rngs = subset.images[i : i + 1], PictureRngs.of(subset.seed, [f"flaw {subset.keys[i]}"])
        flawed = planted(subset.model, image, given.threat, rngs)
        if flawed is None:
            continue
        tried += 1
        subset.progress(0, 0, "checking: hidden flaw")
        label = torch.zeros(1, dtype=torch.long, device=image.device)
        again = PictureRngs.of(subset.seed, [subset.keys[i]])
        attacked = crafted(given.attack, flawed, image, label, given.threat, again, subset.progress)
        found += bool(margin(asked(flawed, attacked), label) > 0)
    if not tried:
        return doubt.passed(False, 0.0, "none could be planted", "Nothing inside the ball changes what the model says.")
    return doubt.passed(found >= 0.75 * tried, found / tried, f"{found} of {tried} found")


def _both_goals(given: CheckContext) -> Check:
    doubt = CHECKS["both-goals"]
    if (why := cannot(given, full=True)) is not None:
        return doubt.not_run(why)
    assert given.attack is not None
    attack = given.attack if can_target(type(given.attack)) else ATTACKS["pgd"]()
    subset = given.standing
    # The runner-up, so that there is a way.
    aims = subset.clean.topk(2).indices[:, 1]
    before = margin(subset.clean, aims)
    towards = subset.under(attack, replace(given.threat, targeted=True), aims)
    reached, away = int(towards.broken.sum()), int(given.outcome.broken.sum())
    ok = towards.lead < float(before.mean()) and given.outcome.lead < float(subset.leads.mean())
    shown = f"{reached} of {len(subset)} reached the runner-up, {away} left the label"
    return doubt.passed(ok, reached / len(subset), shown, f"Targeted: {attack.label}.")


FULL: tuple[Callable[[CheckContext], Check], ...] = (
    _monotone_budget,
    _huge_budget,
    _doubled_steps,
    _black_box_weaker,
    _transfer_weaker,
    _hidden_flaw,
    _both_goals,
    _baseline_breaks,
)
