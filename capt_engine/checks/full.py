"""The checks of the full level: several attacks more, on up to 100 pictures."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import torch

from capt_engine.attacks import ATTACKS
from capt_engine.attacks.base import Attack, PictureRngs
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.checks.context import CheckContext, LiveCheck, of_attack
from capt_engine.checks.planted_example import plant
from capt_engine.checks.subset import logits_of
from capt_engine.checks.table import FEWEST, Finding, Found
from capt_engine.formatting import number, percent
from capt_engine.metrics.interval import wilson
from capt_engine.registry import build, describe
from capt_engine.wrappers.quantized import run_attack

HIDDEN = FEWEST
BLACK_BOX_QUERIES = 500
_HUGE = 0.5


def _monotone_budget(context: CheckContext, attack: Attack) -> Found:
    eps, correct = context.threat.eps, context.correct
    broken = []
    for factor in (0.5, 1.0, 2.0):
        threat = replace(context.threat, eps=min(factor * eps, context.threat.norm.high_eps))
        outcome = context.outcome if factor == 1.0 else correct.attack_with(attack, threat)
        broken.append(outcome.n_broken)
    falls = max(0, broken[0] - broken[1], broken[1] - broken[2])
    return Finding(falls == 0, falls, f"{broken[0]}, {broken[1]}, {broken[2]} broken at ε/2, ε, 2ε of {len(correct)}")


def _huge_budget(context: CheckContext, attack: Attack) -> Found:
    subset, norm = context.subset, context.threat.norm
    size = subset.images[0].numel()
    eps = _HUGE if norm.name == "linf" else min(norm.high_eps, _HUGE * math.sqrt(size))
    attack = replace(attack, step_size=0.0) if hasattr(attack, "step_size") else attack  # type: ignore[type-var]
    outcome = subset.attack_with(attack, replace(context.threat, eps=eps))
    kept = len(subset) - outcome.n_broken
    chance = 1 / subset.clean_logits.shape[1]
    low, _ = wilson(kept, len(subset))
    more = f"Chance is {percent(chance)}."
    return Finding(
        low <= chance, kept / len(subset), f"{kept} of {len(subset)} left at ε = {number(eps)}", more, len(subset)
    )


def _doubled_steps(context: CheckContext, attack: Attack) -> Found:
    known = {info.name for info in describe(type(attack))}
    names = [one for one in ("steps", "queries") if one in known][:1] + [one for one in ("restarts",) if one in known]
    if not names:
        return "The attack has nothing to double."
    values = {field.name: getattr(attack, field.name) for field in dataclasses.fields(attack)}  # type: ignore[arg-type]
    unbroken, n = context.unbroken, len(context.subset)
    most, details = 0, []
    for name in names:
        longer = build(type(attack), tuple((values | {name: 2 * values[name]}).items()))
        more = unbroken.attack_with(longer, context.threat).n_broken if len(unbroken) else 0
        most = max(most, more)
        details.append(f"{more} with {2 * values[name]} {name} instead of {values[name]}")
    return Finding(most / n < 0.01 or most == 0, most / n, f"{most} more of {n}", f"{'; '.join(details)}.", n)


def _black_box_weaker(context: CheckContext, attack: Attack) -> Found:  # noqa: ARG001
    correct, unbroken = context.correct, context.unbroken
    square = build(ATTACKS["square"], (("queries", BLACK_BOX_QUERIES),))
    missed = unbroken.attack_with(square, context.threat).n_broken if len(unbroken) else 0
    shown = f"{missed} of {len(correct)}"
    more = f"Square with {BLACK_BOX_QUERIES} queries broke so many that the attack had not broken."
    return Finding(missed <= max(1, 0.01 * len(correct)), missed, shown, more, len(correct))


def _transfer_weaker(context: CheckContext, attack: Attack) -> Found:
    if context.transfer_model is None:
        return "The model is not a tuned one, and --source-model names no other to carry an attack over from."
    ours = context.outcome.n_broken
    theirs = context.correct.attack_with(attack, context.threat, source=context.transfer_model).n_broken
    n = len(context.correct)
    shown = f"transfer broke {theirs}, the attack on itself {ours} of {n}"
    return Finding(theirs <= ours, theirs, shown, n=n)


def _baseline_breaks(context: CheckContext, attack: Attack) -> Found:
    if context.baseline is None:
        return "The model is not a tuned one, so there is no other without the defence."
    subset = context.subset
    clean_logits = logits_of(context.baseline, subset.images, subset.batch_size)
    plain = replace(subset, model=context.baseline, clean_logits=clean_logits)
    n, clean = len(plain), int(plain.correct.sum())
    if not clean:
        return "The undefended model is right on none of the pictures."
    kept = int((~plain.attack_with(attack, context.threat).broken).sum())
    shown = f"{kept} of {n} left, {clean} were right when clean"
    return Finding(wilson(kept, n)[1] < clean / n, kept / n, shown, n=n)


def _hidden_flaw(context: CheckContext, attack: Attack) -> Found:
    subset = context.subset
    tried = found = 0
    for i in range(len(subset)):
        if tried == HIDDEN:
            break
        image, rngs = subset.images[i : i + 1], PictureRngs.of(subset.seed, [subset.keys[i]], "hidden flaw")
        model = plant(subset.model, image, context.threat, rngs)
        if model is None:
            continue
        tried += 1
        subset.progress(0, 0, "checking: hidden flaw")
        label = torch.zeros(1, dtype=torch.long, device=image.device)
        again = PictureRngs.of(subset.seed, [subset.keys[i]])
        attacked = run_attack(attack, model, image, label, context.threat, again, subset.progress)
        found += bool(adversarial_margin(logits_of(model, attacked), label) > 0)
    if not tried:
        more = "Nothing inside the ball changes what the model says."
        return Finding(False, 0.0, f"none could be planted in {len(subset)}", more, len(subset))
    return Finding(found >= 0.75 * tried, found / tried, f"{found} of {tried} found", n=tried)


def _both_goals(context: CheckContext, attack: Attack) -> Found:
    attack = ATTACKS["pgd"]() if attack.untargeted_only else attack
    subset = context.correct
    # The runner-up, so that there is a way.
    targets = subset.clean_logits.topk(2).indices[:, 1]
    before = adversarial_margin(subset.clean_logits, targets)
    towards = subset.attack_with(attack, replace(context.threat, targeted=True), targets)
    reached, away = towards.n_broken, context.outcome.n_broken
    ok = towards.mean_margin < float(before.mean()) and context.outcome.mean_margin < float(subset.margins.mean())
    shown = f"{reached} of {len(subset)} reached the runner-up, {away} left the label"
    return Finding(ok, reached / len(subset), shown, f"Targeted: {attack.label}.")


FULL_CHECKS: dict[str, LiveCheck] = {
    "monotone-budget": of_attack(_monotone_budget, full=True),
    "huge-budget": of_attack(_huge_budget, full=True),
    "doubled-steps": of_attack(_doubled_steps, full=True),
    "black-box-weaker": of_attack(_black_box_weaker, full=True),
    "transfer-weaker": of_attack(_transfer_weaker, full=True),
    "hidden-flaw": of_attack(_hidden_flaw, full=True),
    "both-goals": of_attack(_both_goals, full=True),
    "baseline-breaks": of_attack(_baseline_breaks, full=True),
}
