"""The context of a check that runs the model again: pictures, attack, threat model and other models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from capt_engine.attacks.base import Attack, LogitsFn, Threat
from capt_engine.checks.subset import AttackOutcome, Subset
from capt_engine.checks.table import Found

NO_ATTACK = "No attack of the run follows gradients."
NOT_ASKED = "It is made when the checks are full (--checks full)."


@dataclass(frozen=True)
class CheckContext:
    """The context of a check.

    Attributes:
        subset: the pictures and the model.
        attack: the first attack of the run that follows gradients; None where none does.
        threat: the threat model of the run.
        full: True at the level "full".
        transfer_model: the source of transfer attacks: the run's other model, or else the baseline.
        baseline: the undefended model: plain CLIP, or the image tower before it was tuned. Both are None where that is the model itself.
    """

    subset: Subset
    attack: Attack | None
    threat: Threat
    full: bool
    transfer_model: LogitsFn | None = None
    baseline: LogitsFn | None = None

    @cached_property
    def outcome(self) -> AttackOutcome:
        """Attack the pictures that are right when clean, once, and return the outcome; there must be an `attack`."""
        assert self.attack is not None
        return self.correct.attack_with(self.attack, self.threat)

    @property
    def unbroken(self) -> Subset:
        """Return the pictures that are right when clean and that the attack did not turn; there must be an `attack`."""
        return self.correct.only(~self.outcome.broken)

    @property
    def correct(self) -> Subset:
        """Return the pictures that the model classifies correctly when clean."""
        return self.subset.only(self.subset.correct)


LiveCheck: TypeAlias = Callable[[CheckContext], Found]
"""A check that runs the model again."""


def of_attack(check: Callable[[CheckContext, Attack], Found], *, full: bool = False) -> LiveCheck:
    """Make a live check from `check`, a function of the context and its attack.

    The result calls `check` only if there is an attack, a budget above zero and a correct picture, else it returns a
    sentence with the reason. With `full` it does so at the level "full" only.
    """

    def made(context: CheckContext) -> Found:
        if full and not context.full:
            return NOT_ASKED
        if context.attack is None:
            return NO_ATTACK
        if context.threat.eps == 0:
            return "The budget is zero."
        if not bool(context.subset.correct.any()):
            return "None of the pictures checked is right when clean."
        return check(context, context.attack)

    return made
