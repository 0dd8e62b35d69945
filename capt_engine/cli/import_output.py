"""Options and output that `capt models import` and `capt prompts import` have in common."""

from __future__ import annotations

from capt_engine.formatting import p_equals
from capt_engine.records import SanityScore
from capt_engine.runs.options_table import Option

PICTURES = Option(
    "--pictures",
    "labelled pictures to try it on (class folders or a list; default: the demo pictures)",
    "pictures",
    metavar="DATA",
)


def scored(who: str, score: SanityScore) -> str:
    """Write the score of an imported model or prompts as a sentence that begins with `who`, and its warning as a second line."""
    if score.n == 0:
        return f"{who}: not scored. {score.warning}".strip()
    line = (
        f"{who}: {score.right} of {score.n} right on {score.pictures}, {score.n_classes} classes "
        f"(guessing gets as many with {p_equals(score.p_value)})."
    )
    return f"{line}\nWarning: {score.warning}" if score.warning else line
