"""The checks that the rows of a run answer by themselves, from their counts; they cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from capt_engine.checks.table import CHECKS, TOO_FEW, Finding, Found, in_order
from capt_engine.formatting import percent, percent_number, signed_points
from capt_engine.metrics.interval import wilson
from capt_engine.metrics.tally import Tally
from capt_engine.records import NO_PROMPTS, AnalyzeResult, Check

NARROW = 0.10
SURVIVING = 0.9
# How many pictures an attack without gradients may find that those with them missed, as a share: AutoAttack warns at any.
_MISSED = 0.01


@dataclass(frozen=True)
class Counted:
    """A run's rows, counted. eps: the budget the verdict is about. classes: answers were chosen among so many, 0 where nobody knows."""

    tally: Tally
    eps: float | None
    labelled: bool
    targeted: bool
    classes: int = 0

    @property
    def prompts(self) -> list[str]:
        """List the ids of the prompts that were evaluated, in the order in which the rows brought them."""
        return list(self.tally.pictures)


def row_checks(
    tally: Tally, wanted_eps: float, *, labelled: bool, targeted: bool, classes: int = 0
) -> tuple[Check, ...]:
    """Make all checks of ROW_CHECKS on counted rows; one that the rows cannot answer has the status "not_run".

    `wanted_eps` is the budget that the checks are about, or the largest one tried if no row has it. `labelled`: the
    labels do not come from the model itself. `targeted`: the attacks had a target class. `classes`: the number of
    classes that answers were chosen among, 0 where it is not known.
    """
    first = next(iter(tally.pictures), "")
    counts = Counted(tally, tally.headline(first, wanted_eps) if first else None, labelled, targeted, classes)
    return tuple(CHECKS[name].result(check(counts)) for name, check in ROW_CHECKS.items())


def checked(tally: Tally, result: AnalyzeResult) -> AnalyzeResult:
    """Return a copy of `result` with the checks of its counted rows, `tally`, merged with those that it holds already."""
    threat = result.threat_model
    labelled = result.label_source != "model"
    of_rows = row_checks(tally, threat.eps, labelled=labelled, targeted=threat.targeted, classes=result.classes)
    return replace(result, checks=rows_first(of_rows, result.checks))


def rows_first(of_rows: Iterable[Check], *others: Iterable[Check]) -> tuple[Check, ...]:
    """Merge the checks that a run's rows answer with `others`: those asked of the model again, and those of parts of the run.

    All rows know more than a few pictures attacked anew, and more than a part of the rows: their answer stands, also
    that there are too few. The others say what the rows cannot. Only ε = 0 is asked both ways, as the model answers to the last bit.
    """
    of_rows = tuple(of_rows)
    answered = {one.name for one in of_rows if one.status != "not_run" or one.shown == TOO_FEW} - {"zero-budget"}
    return in_order(of_rows, *([one for one in some if one.name not in answered] for some in others))


def _budget_kept(counts: Counted) -> Found:
    tally = counts.tally
    if counts.eps is None:
        return "There was no attack."
    if not tally.within:
        return "No attack of the run keeps to an ε; each has a budget of its own."
    more = f"The furthest lay at {tally.furthest:.4f} × ε."
    return Finding(tally.beyond == 0, tally.beyond, f"{tally.beyond} beyond ε", more)


def _zero_budget(counts: Counted) -> Found:
    changed = counts.tally.zero_changed
    if not counts.tally.zero_seen:
        return "The curve has no ε = 0."
    return Finding(changed == 0, changed, f"{changed} changed")


def _attacks_hurt(counts: Counted) -> Found:
    tally = counts.tally
    if counts.eps is None or counts.targeted:
        return "There was no untargeted attack."
    worst = max(tally.robust(one, eps)[0] - tally.clean(one)[0] for one in counts.prompts for eps in tally.budgets(one))
    return Finding(worst <= 0, max(0, worst), f"{max(0, worst)} more right")


def _monotone_budget(counts: Counted) -> Found:
    tally = counts.tally
    if counts.eps is None or len(tally.budgets(counts.prompts[0])) < 2:
        return "Only one budget was tried."
    if tally.carried:
        return "Pictures broken at one budget were not attacked at larger ones, so it holds by itself."
    rises = [
        (tally.robust(one, large)[0] - tally.robust(one, small)[0]) / max(1, tally.robust(one, small)[1])
        for one in counts.prompts
        for small, large in zip(tally.budgets(one), tally.budgets(one)[1:], strict=False)
    ]
    most = max(0.0, *rises)
    return Finding(most == 0, most, f"accuracy rises by {signed_points(most)} points")


def _black_box_weaker(counts: Counted) -> Found:
    missed, n = 0, 0
    for prompts in counts.prompts:
        for one in counts.tally.pictures[prompts].values():
            if counts.eps in one.gradients and one.clean:
                n += 1
                missed += one.gradients[counts.eps] and not one.others.get(counts.eps, True)
    if not any(one.others for prompts in counts.prompts for one in counts.tally.pictures[prompts].values()) or not n:
        return "The run had no attack with gradients beside one without."
    more = f"It broke {missed} of {n} pictures that the attacks with gradients had not broken."
    return Finding(missed <= max(1, _MISSED * n), missed, f"{missed} of {n}", more, n)


def _transfer_weaker(counts: Counted) -> Found:
    worst, details, fewest = -2.0, "", 0
    for prompts in counts.prompts:
        sources = counts.tally.aims(prompts)
        if counts.eps is None or prompts not in sources:
            continue
        own, n = counts.tally.robust(prompts, counts.eps, prompts)
        for on in sources:
            kept, of = counts.tally.robust(prompts, counts.eps, on)
            if on != prompts and n and of:
                gain = own / n - kept / of
                if gain > worst:
                    worst, fewest = gain, min(n, of)
                    details = f"{kept} of {of} kept under transfer, {own} of {n} under its own attack"
    if not details:
        return "Nobody was shown both kinds of pictures."
    return Finding(worst <= 0, max(0.0, worst), details, n=fewest)


def _baseline_breaks(counts: Counted) -> Found:
    if counts.eps is None or NO_PROMPTS not in counts.prompts or len(counts.prompts) < 2:
        return "Plain CLIP was not measured beside tuned prompts."
    if NO_PROMPTS not in counts.tally.aims(NO_PROMPTS):
        return "What plain CLIP was shown was computed on another model."
    kept, n = counts.tally.robust(NO_PROMPTS, counts.eps)
    clean, _ = counts.tally.clean(NO_PROMPTS)
    if not n:
        return "Plain CLIP was not attacked at this budget."
    shown = f"{kept} of {n} left, of {clean} that were right when clean"
    return Finding(wilson(kept, n)[1] < clean / n, kept / n, shown, n=n)


def _survives(counts: Counted) -> Found:
    outcomes = counts.tally.attacks.values()
    flips = sum(one.saved for one in outcomes)
    if not flips:
        return "No adversarial picture was saved."
    png = sum(one.png for one in outcomes)
    return Finding(png / flips >= SURVIVING, png / flips, f"{png} of {flips}", n=flips)


def _labels_known(counts: Counted) -> Found:
    n = len(counts.tally.pictures[counts.prompts[0]]) if counts.prompts else 0
    known = n if counts.labelled else 0
    return Finding(counts.labelled, known, f"{known} of {n}")


def _above_chance(counts: Counted) -> Found:
    if not counts.labelled or counts.classes < 2 or not counts.prompts:
        return "Labels, or the number of classes, are not known."
    right, n = min((counts.tally.clean(one) for one in counts.prompts), key=lambda one: one[0] / max(1, one[1]))
    chance = 1 / counts.classes
    more = "Look at the pairing of folders and class names, and at the model that is asked."
    shown = f"{right} of {n} right, chance {percent(chance)}"
    passed = wilson(right, n)[0] > chance
    return Finding(passed, right / max(1, n), shown, "" if passed else more, n)


def _enough_pictures(counts: Counted) -> Found:
    if not counts.prompts:
        return Finding(False, 0, "0", "There are none.")
    halves = []
    for one in counts.prompts:
        k, n = counts.tally.clean(one) if counts.eps is None else counts.tally.robust(one, counts.eps)
        low, high = wilson(k, n) if n else (0.0, 1.0)
        halves.append((high - low) / 2)
    return Finding(max(halves) <= NARROW, max(halves), f"± {percent_number(max(halves))} points")


ROW_CHECKS: dict[str, Callable[[Counted], Found]] = {
    "budget-kept": _budget_kept,
    "zero-budget": _zero_budget,
    "attacks-hurt": _attacks_hurt,
    "monotone-budget": _monotone_budget,
    "black-box-weaker": _black_box_weaker,
    "transfer-weaker": _transfer_weaker,
    "baseline-breaks": _baseline_breaks,
    "survives-png": _survives,
    "labels-known": _labels_known,
    "above-chance": _above_chance,
    "enough-pictures": _enough_pictures,
}
