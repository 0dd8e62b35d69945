"""The margin of an answer, and the budgets around the one at which it flips."""

from __future__ import annotations

import math
from collections.abc import Mapping

from capt_engine.records import PictureRow, Verdict

TOLERANCE = 0.05
"""The flip is known once the smallest budget that flips the answer is at most this share above one that does not."""

_SMALLEST = 2.0**-8
"""Of the first budget: below it a picture counts as flipped by next to nothing."""


def margin(row: PictureRow, verdict: Verdict) -> float:
    """Return by how many logits the attacker's goal is missed in a verdict on the picture of `row`; negative where it is reached.

    That is the margin of the row's label or, where the attacker has a target, the best other logit minus the target's.
    """
    target = row.threat.target
    wanted = row.classes.index(row.label if target is None else target)
    others = max(z for i, z in enumerate(verdict.logits) if i != wanted)
    return (verdict.logits[wanted] - others) * (1 if target is None else -1)


def smallest_flip(margins: Mapping[float, float]) -> tuple[float, float] | None:
    """Return the largest budget below the flip that held, and the smallest one that flips the answer; None where none does.

    margins: by budget ε; a margin of 0 or less is a flip.
    """
    flips = [eps for eps, value in margins.items() if value <= 0]
    if not flips:
        return None
    high = min(flips)
    return max((eps for eps in margins if eps < high), default=0.0), high


def next_budget(margins: Mapping[float, float], most: float) -> float | None:
    """Return the budget to try next, halfway around the flip or twice the largest; None where the flip is known well enough.

    margins: by budget ε, of 0 (clean) and at least one above it. most: the largest budget that makes sense.
    """
    largest = max(margins, default=0.0)
    if margins.get(0.0, 0.0) <= 0 or largest <= 0:
        return None
    found = smallest_flip(margins)
    if found is None:
        return min(most, 2 * largest) if largest < most else None
    low, high = found
    if low == 0:
        return high / 2 if high > largest * _SMALLEST else None
    return None if high <= low * (1 + TOLERANCE) else math.sqrt(low * high)
