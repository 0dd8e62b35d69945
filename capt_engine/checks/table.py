"""Every check of an evaluation, one line each, with its reason (Carlini et al. 2019; Zimmermann et al. 2022; AutoAttack's flags).

Some need only the rows of a run (`checks.from_rows`), the others run the model again (`checks.quick`, `checks.full`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from capt_engine.records import Check
from capt_engine.registry import Table

FEWEST = 20
"""The smallest number of pictures (or steps) whose share is held against a threshold: below, one picture more or less decides."""

TOO_FEW = "too few"


class Finding(NamedTuple):
    """The outcome of a check that was made: passed or not, its number, the number as text, and a sentence more for the report.

    n: of a rate, the number of pictures (or steps) that it is a share of; None for a law.
    """

    passed: bool
    value: float
    shown: str
    more: str = ""
    n: int | None = None


Found: TypeAlias = Finding | str
"""The outcome of a check, or a sentence that says why it could not be made."""


@dataclass(frozen=True)
class CheckSpec:
    """A check before it is made. why: the sentence that stands in a report.

    is_rate: it holds a share of pictures against a threshold, so that it says nothing of fewer than FEWEST. The others are laws, which
    one picture can break, or count the pictures themselves.
    """

    name: str
    title: str
    why: str
    is_rate: bool = False

    def result(self, found: Found) -> Check:
        """Make the record of this check, as reports and the window show it, from what was found.

        found: a Finding, which holds the measured value and whether the check passed; or a sentence that says why the
        check could not be run, which makes a record "not_run" without a value, as does a share of too few pictures.
        """
        if isinstance(found, str):
            return Check(self.name, self.title, "not_run", None, "–", f"{self.why} {found}")
        if self.is_rate and (found.n is None or found.n < FEWEST):
            message = f"{self.why} {found.shown}: too few, a share needs at least {FEWEST}."
            return Check(self.name, self.title, "not_run", None, TOO_FEW, message)
        message = f"{self.why} {found.more}".rstrip()
        return Check(self.name, self.title, "pass" if found.passed else "fail", found.value, found.shown, message)


CHECKS: Table[CheckSpec] = Table(
    "check",
    CheckSpec("budget-kept", "The budget was kept", "No attacked picture may lie further from its original than ε."),
    CheckSpec(
        "zero-budget", "ε = 0 changes nothing", "With no budget every answer must be the clean one, bit for bit."
    ),
    CheckSpec("attacks-hurt", "Attacks do not help", "Robust accuracy may not be above clean accuracy at any budget."),
    CheckSpec(
        "monotone-budget",
        "More budget, no more accuracy",
        "Success may not fall as ε grows; where it does, the attack is too weak for the larger budget.",
    ),
    CheckSpec(
        "huge-budget",
        "A huge budget reaches chance",
        "At ε of one half any picture can be turned grey, and no more than chance may be left.",
        is_rate=True,
    ),
    CheckSpec("noise-weaker", "Random noise is weaker", "Noise of the same size must do less than the attack."),
    CheckSpec(
        "one-step-weaker", "One step is weaker than many", "A single step may not do better than the iterated attack."
    ),
    CheckSpec(
        "loss-rises",
        "Small steps raise the loss",
        "Along the gradient that the attack follows, its loss must rise in nearly every small step.",
        is_rate=True,
    ),
    CheckSpec(
        "doubled-steps",
        "Longer attacks find no more",
        "Twice the steps, or twice the restarts, may change the success by less than a point.",
        is_rate=True,
    ),
    CheckSpec(
        "black-box-weaker",
        "Black-box does not win",
        "An attack without gradients may not beat those that have them.",
        is_rate=True,
    ),
    CheckSpec(
        "transfer-weaker",
        "Transfer is weaker",
        "Pictures computed on another model must do less than those computed on the model itself.",
        is_rate=True,
    ),
    CheckSpec(
        "gradient-there",
        "Gradients are not zero",
        "The attack needs a gradient to follow from the first step on, for every picture.",
    ),
    CheckSpec(
        "gradient-signs",
        "Gradients keep their signs",
        "In a lower precision than fp32 an attack must still follow the gradient: nearly all signs must be those of fp32.",
    ),
    CheckSpec("deterministic", "Answers do not vary", "Two forward passes must give the same logits."),
    CheckSpec(
        "eval-mode",
        "The model is in evaluation mode",
        "In training mode dropout and batch statistics change the answers.",
    ),
    CheckSpec("batch-alone", "The batch does not matter", "A picture must get the same logits alone and among others."),
    CheckSpec("logits", "Logits, not probabilities", "The attack must see logits; probabilities flatten its gradient."),
    CheckSpec(
        "pixels", "Pixels are in [0, 1]", "What the model is shown must be pixels from 0 to 1, in which ε is measured."
    ),
    CheckSpec(
        "normalised",
        "Normalised once, as trained",
        "The image tower must get the pixels normalised by its own mean and deviation, once.",
    ),
    CheckSpec(
        "hidden-flaw",
        "A hidden flaw is found",
        "Where an adversarial picture is known to exist inside ε, the attack must find one (Zimmermann et al. 2022).",
        is_rate=True,
    ),
    CheckSpec("both-goals", "Targeted and untargeted", "Both kinds of attack must run and move the model their way."),
    CheckSpec(
        "baseline-breaks",
        "The undefended model gives way",
        "The same attack must clearly lower the accuracy of plain CLIP (or of what was tuned).",
        is_rate=True,
    ),
    CheckSpec(
        "survives-png",
        "Attacks survive saving",
        "At least 90 % of the pictures that fooled a model must still do so when read again from a PNG.",
        is_rate=True,
    ),
    CheckSpec(
        "labels-known",
        "Labels are known",
        "Somebody other than the model has to say what is right, or accuracy is only agreement with itself.",
    ),
    CheckSpec(
        "names-differ",
        "Class names differ",
        "Names that are the same tokens are one class to the model: only the first of them can ever be its answer.",
    ),
    CheckSpec(
        "above-chance",
        "Clean accuracy is above chance",
        "A model that does no better than guessing is asked about other names, or other pictures, than those that belong together.",
        is_rate=True,
    ),
    CheckSpec("enough-pictures", "Enough pictures", "The interval may reach at most 10 points to either side."),
)


NOT_TRIED = "This run did not try it."
"""The reason of a check that a run, such as one of an older version, says nothing of."""


def in_order(*some: Iterable[Check]) -> tuple[Check, ...]:
    """Merge several lists of checks into one check of each name, in the order of CHECKS.

    Of several of one name a failed one stands, else a passed one, else the last that was not made. A name that none of
    them has is added as "not_run"; names that CHECKS does not know are left out.
    """
    found: dict[str, Check] = {}
    rank = {"fail": 2, "pass": 1, "not_run": 0}
    for check in (check for checks in some for check in checks):
        old = found.get(check.name)
        # Of two that were not made the later reason stands: it is the one somebody can do something about.
        if old is None or rank[check.status] > rank[old.status] or check.status == old.status == "not_run":
            found[check.name] = check
    return tuple(found.get(one.name) or one.result(NOT_TRIED) for one in CHECKS)
