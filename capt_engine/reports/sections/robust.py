"""Sections on robustness beyond one accuracy: every figure with its denominator, who fools whom, the smallest budgets."""

from __future__ import annotations

from capt_engine.formatting import exact_percent, measured_budget, norm_symbol, number, percent, signed_points
from capt_engine.metrics.figures import FIGURES
from capt_engine.metrics.interval import share
from capt_engine.records import Figure
from capt_engine.reports.document import Block, Grid, Paragraph, numbers, texts
from capt_engine.reports.sections.context import ReportContext
from capt_engine.reports.sections.measured import Found, side_by_side


def figures(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Figures": a table of all figures of the run in `context`, with their number of pictures.

    It says which way is better, and is empty where there are no pictures or no labels.
    """
    if not context.counts.n or not context.is_labelled:
        return ()
    eps = context.eps if context.is_attacked else None

    def of(prompts: str) -> Found:
        return {one.name: (_shown(one), one.n) for one in context.counts.tally.figures(prompts, eps)}

    at = f" {context.at}" if context.is_attacked else ", without any attack"
    table = side_by_side(f"Figures{at}", "Figure", FIGURES, context, of)
    return (table,) if table is not None else ()


def _shown(one: Figure) -> str:
    unit = FIGURES[one.name].unit
    if unit == "%":
        return percent(one.value)
    return f"{signed_points(one.value)} points" if unit == "points" else number(one.value)


def matrix(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Who fools whom": accuracies of sets of prompts on pictures attacked on each of them.

    A row is the set that an attack was computed on, a column the set that was asked. It is empty where the run in
    `context` has no matrix.
    """
    cells = context.counts.tally.matrix(context.eps)
    if not cells:
        return ()
    judges = list(dict.fromkeys(one.prompts for one in cells))
    columns = (*texts("Pictures computed on"), *numbers(*(f"Asked: {context.who(one)}" for one in judges)))
    by = {(one.aimed_at, one.prompts): share(one.kept, one.n) for one in cells}
    rows = tuple(
        (context.who(on) if on else "nobody (clean)", *(by.get((on, one), "–") for one in judges))
        for on in dict.fromkeys(one.aimed_at for one in cells)
    )
    note = (
        "Where both are the same the attack knew the model it was shown to (white-box, adaptive); everywhere else it was carried over "
        "from another model (transfer)."
    )
    return (Grid(f"Accuracy {context.at} (95 % interval)", columns, rows), Paragraph(note, "note"))


def smallest(context: ReportContext) -> tuple[Block, ...]:
    """Return the section "Smallest budgets": a table of quartiles of the minimal ε for each set of prompts.

    The minimal ε is the smallest budget found that fools the model on a picture. It is empty where the run in `context`
    did not search it.
    """
    request = context.run.request
    tolerance = request.minimal_eps
    found = {prompts: context.counts.tally.smallest(prompts, tolerance) for prompts in context.prompts}

    def budget_text(eps: float | None) -> str:
        return "beyond any" if eps is None else measured_budget(eps, context.norm)

    rows = tuple(
        (
            context.who(prompts),
            f"{one.n:,}",
            *map(budget_text, (one.lower, one.median, one.upper)),
            f"{one.unbroken:,}",
        )
        for prompts, one in found.items()
        if one is not None
    )
    if not rows:
        return ()
    columns = (*texts("Measured"), *numbers("n", "Lower quartile", "Median", "Upper quartile", "Never broken"))
    note = (
        f"The smallest ε at which the attack broke each picture that was right when clean, by bisection to "
        f"{exact_percent(tolerance)} of it. "
        "A better attack may find smaller ones."
    )
    return (Grid(f"Smallest ε ({norm_symbol(context.norm)})", columns, rows), Paragraph(note, "note"))
