"""Checks of the evaluation itself: those that the rows can answer, and those that were not run."""

from __future__ import annotations

from collections.abc import Callable

from capt_engine.metrics.interval import wilson
from capt_engine.records import NO_PROMPTS
from capt_engine.reports.document import Light, Lights
from capt_engine.reports.material import Material
from capt_engine.reports.words import counted, percent, share

NARROW = 0.10
SURVIVING = 0.9
NOT_RUN = (
    ("Random noise is weaker", "Noise of the same size should do less than the attack."),
    ("One step is weaker than many", "A single step should not do better than the iterated attack."),
    ("A huge budget reaches chance", "At ε of one half any picture can be turned grey, and nothing may be left."),
    ("Longer attacks find no more", "Twice the steps or restarts should change the success by less than a point."),
    ("Black-box does not win", "An attack without gradients should not beat the one with them."),
    ("Transfer is weaker", "Attacks computed on plain CLIP should do less than those computed on the model itself."),
    ("Gradients are not zero", "The attack needs a slope to follow from the first step on, for every picture."),
    ("Answers do not vary", "Two passes, and any batch size, should give the same logits, in evaluation mode."),
    ("Logits, not probabilities", "The attack should see logits, whose gradients do not vanish."),
    ("A hidden flaw is found", "Where an adversarial picture is known to exist, the attack should find one."),
    ("Targeted and untargeted", "Both kinds of attack should be tried."),
)


def checks(material: Material) -> Lights:
    """All lights, and in one sentence how many passed."""
    lights = [check(material) for check in CHECKS]
    lights += [Light(name, "not run", "–", f"{why} This run did not try it.") for name, why in NOT_RUN]
    made = [light for light in lights if light.status != "not run"]
    passed = sum(light.status == "pass" for light in made)
    summary = f"{passed} of {counted(len(made), 'check')} passed; {len(lights) - len(made)} were not run."
    return Lights(summary, tuple(lights))


def _status(passed: bool) -> str:
    return "pass" if passed else "fail"


def _budget_kept(material: Material) -> Light:
    name, counts = "The budget was kept", material.counts
    if not material.is_attacked:
        return Light(name, "not run", "–", "There was no attack.")
    message = (
        f"No attacked picture may lie further from its original than ε; the furthest lay at {counts.furthest:.4f} × ε."
    )
    return Light(name, _status(counts.beyond == 0), f"{counts.beyond} beyond ε", message)


def _zero_is_clean(material: Material) -> Light:
    name, changed = "ε = 0 changes nothing", material.counts.zero_changed
    if changed is None:
        return Light(name, "not run", "–", "The curve has no ε = 0.")
    return Light(
        name, _status(changed == 0), f"{changed} changed", "With no budget every answer must be the clean one."
    )


def _robust_below_clean(material: Material) -> Light:
    name = "Attacks do not help"
    if not material.is_attacked or material.run.request.threat.target is not None:
        return Light(name, "not run", "–", "There was no untargeted attack.")
    worst = max(
        material.counts.robust(one, eps)[0] - material.counts.clean(one)[0]
        for one in material.prompts
        for eps in material.run.budgets
    )
    message = "Robust accuracy may not be above clean accuracy at any budget."
    return Light(name, _status(worst <= 0), f"{max(0, worst)} more right", message)


def _falls_with_budget(material: Material) -> Light:
    name = "More budget, no more accuracy"
    if not material.is_attacked or len(material.run.budgets) < 2:
        return Light(name, "not run", "–", "Only one budget was tried.")
    rises = [
        material.counts.robust(one, b)[0] - material.counts.robust(one, a)[0]
        for one in material.prompts
        for a, b in zip(material.run.budgets, material.run.budgets[1:], strict=False)
    ]
    largest = max(rises)
    message = "Along the curve robust accuracy should never rise; where it does, the attack is too weak for the larger budget."
    return Light(name, _status(largest <= 0), f"rises by {max(0, largest)}", message)


def _labels_known(material: Material) -> Light:
    message = "Somebody other than the model has to say what is right, or accuracy is only agreement with itself."
    known = material.counts.n - material.counts.label_sources["model"]
    return Light("Labels are known", _status(material.is_labelled), f"{known} of {material.counts.n}", message)


def _enough_pictures(material: Material) -> Light:
    name = "Enough pictures"
    if not material.counts.n:
        return Light(name, "fail", "0", "There are none.")
    halves = []
    for one in material.prompts:
        k, n = material.counts.robust(one, material.eps) if material.is_attacked else material.counts.clean(one)
        low, high = wilson(k, n)
        halves.append((high - low) / 2)
    value = f"± {max(halves) * 100:.1f} points"
    return Light(
        name, _status(max(halves) <= NARROW), value, "The interval may reach at most 10 points to either side."
    )


def _survives(material: Material) -> Light:
    name = "Attacks survive saving"
    flips = sum(one.flips for one in material.counts.fared.values())
    if not flips:
        return Light(name, "not run", "–", "No attack succeeded.")
    png = sum(one.png for one in material.counts.fared.values())
    message = (
        f"At least {percent(SURVIVING)} of the pictures that fooled a model should still do so after saving as PNG."
    )
    return Light(name, _status(png / flips >= SURVIVING), share(png, flips), message)


def _baseline_breaks(material: Material) -> Light:
    name = "The undefended model gives way"
    others = [one for one in material.prompts if one != NO_PROMPTS]
    if not material.is_attacked or NO_PROMPTS not in material.prompts or not others:
        return Light(name, "not run", "–", "Plain CLIP was not measured beside tuned prompts.")
    k, n = material.counts.robust(NO_PROMPTS, material.eps)
    clean, _ = material.counts.clean(NO_PROMPTS)
    gone = wilson(k, n)[1] < clean / n
    return Light(name, _status(gone), share(k, n), "The same attack should clearly lower plain CLIP's accuracy.")


CHECKS: tuple[Callable[[Material], Light], ...] = (
    _budget_kept,
    _zero_is_clean,
    _robust_below_clean,
    _falls_with_budget,
    _labels_known,
    _enough_pictures,
    _survives,
    _baseline_breaks,
)
