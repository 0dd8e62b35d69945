"""The checks that the rows of a run can answer by themselves, from what was counted; they cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from capt_engine.checks.table import CHECKS, in_order
from capt_engine.metrics.interval import wilson
from capt_engine.metrics.tally import Tally
from capt_engine.records import NO_PROMPTS, AnalyzeResult, Check

NARROW = 0.10
SURVIVING = 0.9
# How many pictures an attack without gradients may find that those with them missed, as a share: AutoAttack warns at any.
_MISSED = 0.01


@dataclass(frozen=True)
class Counted:
    """A run's rows, counted. eps: the budget the verdict is about."""

    tally: Tally
    eps: float | None
    labelled: bool
    targeted: bool

    @property
    def prompts(self) -> list[str]:
        """Who was asked."""
        return list(self.tally.pictures)


def row_checks(tally: Tally, wanted_eps: float, *, labelled: bool, targeted: bool) -> tuple[Check, ...]:
    """Each check with its number, not run where the rows cannot answer it."""
    first = next(iter(tally.pictures), "")
    given = Counted(tally, tally.headline(first, wanted_eps) if first else None, labelled, targeted)
    return tuple(check(given) for check in ROW_CHECKS)


def checked(tally: Tally, result: AnalyzeResult) -> AnalyzeResult:
    """The result with what its rows say of the evaluation, beside the checks it holds already."""
    threat = result.threat_model
    of_rows = row_checks(tally, threat.eps, labelled=result.label_source != "model", targeted=threat.target is not None)
    return replace(result, checks=in_order(of_rows, result.checks))


def _budget_kept(given: Counted) -> Check:
    doubt, tally = CHECKS["budget-kept"], given.tally
    if given.eps is None:
        return doubt.not_run("There was no attack.")
    if not tally.within:
        return doubt.not_run("No attack of the run keeps to an ε; each has a budget of its own.")
    more = f"The furthest lay at {tally.furthest:.4f} × ε."
    return doubt.passed(tally.beyond == 0, tally.beyond, f"{tally.beyond} beyond ε", more)


def _zero_budget(given: Counted) -> Check:
    doubt, changed = CHECKS["zero-budget"], given.tally.zero_changed
    if not given.tally.zero_seen:
        return doubt.not_run("The curve has no ε = 0.")
    return doubt.passed(changed == 0, changed, f"{changed} changed")


def _attacks_hurt(given: Counted) -> Check:
    doubt, tally = CHECKS["attacks-hurt"], given.tally
    if given.eps is None or given.targeted:
        return doubt.not_run("There was no untargeted attack.")
    worst = max(tally.robust(one, eps)[0] - tally.clean(one)[0] for one in given.prompts for eps in tally.budgets(one))
    return doubt.passed(worst <= 0, max(0, worst), f"{max(0, worst)} more right")


def _monotone_budget(given: Counted) -> Check:
    doubt, tally = CHECKS["monotone-budget"], given.tally
    if given.eps is None or len(tally.budgets(given.prompts[0])) < 2:
        return doubt.not_run("Only one budget was tried.")
    if tally.carried:
        return doubt.not_run("Pictures broken at one budget were not attacked at larger ones, so it holds by itself.")
    rises = [
        (tally.robust(one, large)[0] - tally.robust(one, small)[0]) / max(1, tally.robust(one, small)[1])
        for one in given.prompts
        for small, large in zip(tally.budgets(one), tally.budgets(one)[1:], strict=False)
    ]
    most = max(0.0, *rises)
    return doubt.passed(most == 0, most, f"accuracy rises by {most * 100:.1f} points")


def _black_box_weaker(given: Counted) -> Check:
    doubt, missed, n = CHECKS["black-box-weaker"], 0, 0
    for prompts in given.prompts:
        for one in given.tally.pictures[prompts].values():
            if given.eps in one.gradients and one.clean:
                n += 1
                missed += one.gradients[given.eps] and not one.others.get(given.eps, True)
    if not any(one.others for prompts in given.prompts for one in given.tally.pictures[prompts].values()) or not n:
        return doubt.not_run("The run had no attack with gradients beside one without.")
    more = f"It broke {missed} of {n} pictures that the attacks with gradients had left standing."
    return doubt.passed(missed <= max(1, _MISSED * n), missed, f"{missed} of {n}", more)


def _transfer_weaker(given: Counted) -> Check:
    doubt, worst, told = CHECKS["transfer-weaker"], -2.0, ""
    for prompts in given.prompts:
        aims = given.tally.aims(prompts)
        if given.eps is None or prompts not in aims:
            continue
        own, n = given.tally.robust(prompts, given.eps, prompts)
        for on in aims:
            if on != prompts:
                kept, of = given.tally.robust(prompts, given.eps, on)
                gain = own / n - kept / of
                if gain > worst:
                    worst, told = gain, f"{kept} of {of} kept under transfer, {own} of {n} under its own attack"
    if not told:
        return doubt.not_run("Nobody was shown both kinds of pictures.")
    return doubt.passed(worst <= 0, max(0.0, worst), told)


def _baseline_breaks(given: Counted) -> Check:
    doubt = CHECKS["baseline-breaks"]
    if given.eps is None or NO_PROMPTS not in given.prompts or len(given.prompts) < 2:
        return doubt.not_run("Plain CLIP was not measured beside tuned prompts.")
    if NO_PROMPTS not in given.tally.aims(NO_PROMPTS):
        return doubt.not_run("What plain CLIP was shown was computed on another model.")
    kept, n = given.tally.robust(NO_PROMPTS, given.eps)
    clean, _ = given.tally.clean(NO_PROMPTS)
    return doubt.passed(
        wilson(kept, n)[1] < clean / n, kept / n, f"{kept} of {n} left, of {clean} that were right when clean"
    )


def _survives(given: Counted) -> Check:
    doubt, fared = CHECKS["survives-png"], given.tally.attacks.values()
    flips = sum(one.flips for one in fared)
    if not flips:
        return doubt.not_run("No attack succeeded.")
    png = sum(one.png for one in fared)
    return doubt.passed(png / flips >= SURVIVING, png / flips, f"{png} of {flips}")


def _labels_known(given: Counted) -> Check:
    n = len(given.tally.pictures[given.prompts[0]]) if given.prompts else 0
    return CHECKS["labels-known"].passed(
        given.labelled, n if given.labelled else 0, f"{n if given.labelled else 0} of {n}"
    )


def _enough_pictures(given: Counted) -> Check:
    doubt = CHECKS["enough-pictures"]
    if not given.prompts:
        return doubt.passed(False, 0, "0", "There are none.")
    halves = []
    for one in given.prompts:
        k, n = given.tally.clean(one) if given.eps is None else given.tally.robust(one, given.eps)
        low, high = wilson(k, n)
        halves.append((high - low) / 2)
    return doubt.passed(max(halves) <= NARROW, max(halves), f"± {max(halves) * 100:.1f} points")


ROW_CHECKS: tuple[Callable[[Counted], Check], ...] = (
    _budget_kept,
    _zero_budget,
    _attacks_hurt,
    _monotone_budget,
    _black_box_weaker,
    _transfer_weaker,
    _baseline_breaks,
    _survives,
    _labels_known,
    _enough_pictures,
)
