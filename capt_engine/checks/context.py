"""What a check may look at, and why it cannot be made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from capt_engine.attacks.base import Attack, Logits, Threat
from capt_engine.checks.subset import AttackOutcome, Subset

_NOT_ASKED = "It is made when the checks are full (--checks full)."


@dataclass(frozen=True)
class CheckContext:
    """What a check may look at.

    attack: the first that follows gradients, None where none does. full: is the level "full"? elsewhere: what transfer is tried from,
    the run's other model or else the baseline. baseline: the undefended model, plain CLIP or what the image tower was before it was
    tuned. Both are None where that is the model itself.
    """

    subset: Subset
    attack: Attack | None
    threat: Threat
    full: bool
    elsewhere: Logits | None = None
    baseline: Logits | None = None

    @cached_property
    def outcome(self) -> AttackOutcome:
        """What the attack does to the right pictures, computed once."""
        assert self.attack is not None
        return self.standing.under(self.attack, self.threat)

    @property
    def left(self) -> Subset:
        """The right pictures that the attack did not break."""
        return self.standing.only(~self.outcome.broken)

    @property
    def standing(self) -> Subset:
        """The pictures that are right when clean."""
        return self.subset.only(self.subset.right)


def cannot(given: CheckContext, *, full: bool = False) -> str | None:
    """Why a check of the attack cannot be made; None where it can."""
    if full and not given.full:
        return _NOT_ASKED
    if given.attack is None:
        return "No attack of the run follows gradients."
    if given.threat.eps == 0:
        return "The budget is zero."
    return None if bool(given.subset.right.any()) else "None of the pictures looked at is right when clean."
