"""The sides of a comparison: one set of prompts of one run each, with what they share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from capt_engine.formatting import budget, norm_symbol
from capt_engine.reports.sections.context import ReportContext
from capt_engine.runs.counts import Seen
from capt_engine.runs.request_text import variant_name

Key = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """One model of the comparison: one set of prompts of one run. seen: by the picture's SHA-256 and its label."""

    name: str
    context: ReportContext
    prompts: str
    seen: dict[Key, Seen]


def side_of(number: int, context: ReportContext, prompts: str) -> Side:
    """Return the set of prompts called `prompts` of the run in `context` as a side; number: of the run in the report, from 1."""
    name = f"{number}: {variant_name(prompts)} on {context.names.text(context.run.request.options.model)}"
    known = context.counts.pictures[prompts].values()
    # Where nobody gave a label, each model is held to its own answer, and the picture alone says what is the same.
    return Side(name, context, prompts, {(one.sha256, one.label if context.is_labelled else ""): one for one in known})


def shared_budget(sides: Sequence[Side]) -> float | None:
    """Return the largest budget that all `sides` were attacked with, in the same norm; one that a run's verdict is about goes first.

    None where they share no budget, or were not all attacked.
    """
    if len({(side.context.norm, side.context.own) for side in sides}) > 1:
        return None
    if not all(side.context.is_attacked for side in sides):
        return None
    shared = set.intersection(*(set(side.context.run.request.budgets) for side in sides))
    asked_for = shared & {side.context.eps for side in sides}
    return max(asked_for or shared) if shared else None


def pairs_of(sides: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return every two of `sides` that can be held against each other: both with labels, or both without."""
    return [(a, b) for a, b in itertools.combinations(sides, 2) if a.context.is_labelled == b.context.is_labelled]


def under(sides: Sequence[Side], eps: float) -> str:
    """Return the budget `eps` that `sides` share as the beginning of a sentence, such as "At ε = 4/255 (L∞)"."""
    own, norm = sides[0].context.own, sides[0].context.norm
    return f"Under {own}" if own else f"At ε = {budget(eps, norm)} ({norm_symbol(norm)})"


def both_attacked(a: Side, b: Side, key: Key, eps: float) -> bool:
    """Return True if the picture `key` was attacked at the budget `eps` in both runs."""
    return eps in a.seen[key].robust and eps in b.seen[key].robust
