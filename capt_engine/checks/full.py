"""The checks of the full level: several attacks more, on up to 100 pictures."""

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
from capt_engine.checks.planted_example import plant
from capt_engine.checks.subset import Subset, logits_of
from capt_engine.checks.table import CHECKS
from capt_engine.formatting import number, percent
from capt_engine.metrics.interval import wilson
from capt_engine.records import Check
from capt_engine.registry import build, describe
from capt_engine.wrappers.quantized import run_attack

_HIDDEN = 8
_BLACK_BOX_QUERIES = 500
_HUGE = 0.5


def _monotone_budget(context: CheckContext) -> Check:
    spec = CHECKS["monotone-budget"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    assert context.attack is not None
    eps, correct = context.threat.eps, context.correct
    broken = []
    for factor in (0.5, 1.0, 2.0):
        threat = replace(context.threat, eps=min(factor * eps, context.threat.norm.high_eps))
        outcome = context.outcome if factor == 1.0 else correct.attack_with(context.attack, threat)
        broken.append(int(outcome.broken.sum()))
    falls = max(0, broken[0] - broken[1], broken[1] - broken[2])
    return spec.passed(
        falls == 0, falls, f"{broken[0]}, {broken[1]}, {broken[2]} broken at ε/2, ε, 2ε of {len(correct)}"
    )


def _huge_budget(context: CheckContext) -> Check:
    spec = CHECKS["huge-budget"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    assert context.attack is not None
    subset, norm = context.subset, context.threat.norm
    size = subset.images[0].numel()
    eps = _HUGE if norm.name == "linf" else min(norm.high_eps, _HUGE * math.sqrt(size))
    attack = replace(context.attack, step_size=0.0) if hasattr(context.attack, "step_size") else context.attack  # type: ignore[type-var]
    outcome = subset.attack_with(attack, replace(context.threat, eps=eps))
    kept = len(subset) - int(outcome.broken.sum())
    chance = 1 / subset.clean_logits.shape[1]
    low, _ = wilson(kept, len(subset))
    more = f"Chance is {percent(chance)}."
    return spec.passed(low <= chance, kept / len(subset), f"{kept} of {len(subset)} left at ε = {number(eps)}", more)


def _doubled_steps(context: CheckContext) -> Check:
    spec = CHECKS["doubled-steps"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    assert context.attack is not None
    known = {info.name for info in describe(type(context.attack))}
    names = [one for one in ("steps", "queries") if one in known][:1] + [one for one in ("restarts",) if one in known]
    if not names:
        return spec.not_run("The attack has nothing to double.")
    values = {field.name: getattr(context.attack, field.name) for field in dataclasses.fields(context.attack)}  # type: ignore[arg-type]
    unbroken, n = context.unbroken, len(context.subset)
    most, details = 0, []
    for name in names:
        longer = build(type(context.attack), tuple((values | {name: 2 * values[name]}).items()))
        more = int(unbroken.attack_with(longer, context.threat).broken.sum()) if len(unbroken) else 0
        most = max(most, more)
        details.append(f"{more} with {2 * values[name]} {name} instead of {values[name]}")
    return spec.passed(most / n < 0.01 or most == 0, most / n, f"{most} more of {n}", f"{'; '.join(details)}.")


def _black_box_weaker(context: CheckContext) -> Check:
    spec = CHECKS["black-box-weaker"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    correct, unbroken = context.correct, context.unbroken
    square = build(ATTACKS["square"], (("queries", _BLACK_BOX_QUERIES),))
    missed = int(unbroken.attack_with(square, context.threat).broken.sum()) if len(unbroken) else 0
    shown = f"{missed} of {len(correct)}"
    more = f"Square with {_BLACK_BOX_QUERIES} queries broke so many that the attack had not broken."
    return spec.passed(missed <= max(1, 0.01 * len(correct)), missed, shown, more)


def _transfer_weaker(context: CheckContext) -> Check:
    spec = CHECKS["transfer-weaker"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    if context.transfer_model is None:
        return spec.not_run(
            "The model is not a tuned one, and --source-model names no other to carry an attack over from."
        )
    assert context.attack is not None
    ours = int(context.outcome.broken.sum())
    theirs = int(
        context.correct.attack_with(context.attack, context.threat, source=context.transfer_model).broken.sum()
    )
    return spec.passed(
        theirs <= ours, theirs, f"transfer broke {theirs}, the attack on itself {ours} of {len(context.correct)}"
    )


def _baseline_breaks(context: CheckContext) -> Check:
    spec = CHECKS["baseline-breaks"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    if context.baseline is None:
        return spec.not_run("The model is not a tuned one, so there is no other without the defence.")
    assert context.attack is not None
    subset = context.subset
    plain = Subset.of(
        "", context.baseline, subset.images, subset.labels, subset.keys, subset.seed, subset.progress, subset.batch_size
    )
    n, clean = len(plain), int(plain.correct.sum())
    if not clean:
        return spec.not_run("The undefended model is right on none of the pictures.")
    kept = int((~plain.attack_with(context.attack, context.threat).broken).sum())
    return spec.passed(wilson(kept, n)[1] < clean / n, kept / n, f"{kept} of {n} left, {clean} were right when clean")


def _hidden_flaw(context: CheckContext) -> Check:
    spec, subset = CHECKS["hidden-flaw"], context.subset
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    assert context.attack is not None
    tried = found = 0
    for i in range(min(_HIDDEN, len(subset))):
        image, rngs = subset.images[i : i + 1], PictureRngs.of(subset.seed, [subset.keys[i]], "hidden flaw")
        model = plant(subset.model, image, context.threat, rngs)
        if model is None:
            continue
        tried += 1
        subset.progress(0, 0, "checking: hidden flaw")
        label = torch.zeros(1, dtype=torch.long, device=image.device)
        again = PictureRngs.of(subset.seed, [subset.keys[i]])
        attacked = run_attack(context.attack, model, image, label, context.threat, again, subset.progress)
        found += bool(margin(logits_of(model, attacked), label) > 0)
    if not tried:
        return spec.passed(False, 0.0, "none could be planted", "Nothing inside the ball changes what the model says.")
    return spec.passed(found >= 0.75 * tried, found / tried, f"{found} of {tried} found")


def _both_goals(context: CheckContext) -> Check:
    spec = CHECKS["both-goals"]
    if (why := cannot(context, full=True)) is not None:
        return spec.not_run(why)
    assert context.attack is not None
    attack = context.attack if can_target(type(context.attack)) else ATTACKS["pgd"]()
    subset = context.correct
    # The runner-up, so that there is a way.
    targets = subset.clean_logits.topk(2).indices[:, 1]
    before = margin(subset.clean_logits, targets)
    towards = subset.attack_with(attack, replace(context.threat, targeted=True), targets)
    reached, away = int(towards.broken.sum()), int(context.outcome.broken.sum())
    ok = towards.mean_margin < float(before.mean()) and context.outcome.mean_margin < float(subset.margins.mean())
    shown = f"{reached} of {len(subset)} reached the runner-up, {away} left the label"
    return spec.passed(ok, reached / len(subset), shown, f"Targeted: {attack.label}.")


FULL_CHECKS: tuple[Callable[[CheckContext], Check], ...] = (
    _monotone_budget,
    _huge_budget,
    _doubled_steps,
    _black_box_weaker,
    _transfer_weaker,
    _hidden_flaw,
    _both_goals,
    _baseline_breaks,
)
