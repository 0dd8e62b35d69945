"""Sections on robustness beyond one accuracy: every figure with its denominator, who fools whom, the smallest budgets."""

from __future__ import annotations

from capt_engine.formatting import budget, percent
from capt_engine.metrics.figures import FIGURES
from capt_engine.metrics.interval import share
from capt_engine.records import Figure
from capt_engine.reports.document import Block, Column, Grid, Paragraph
from capt_engine.reports.sections.context import Material
from capt_engine.reports.sections.measured import Found, side_by_side

_RIGHT = ("right", "number")


def figures(material: Material) -> tuple[Block, ...]:
    """Every figure of the run, of how many pictures it speaks, and which way is better."""
    if not material.counts.n or not material.is_labelled:
        return ()
    eps = material.eps if material.is_attacked else None

    def of(prompts: str) -> Found:
        return {one.name: (_shown(one), one.n) for one in material.counts.tally.figures(prompts, eps)}

    at = f" {material.at}" if material.is_attacked else ", without any attack"
    table = side_by_side(f"Figures{at}", "Figure", FIGURES, material, of)
    return (table,) if table is not None else ()


def _shown(one: Figure) -> str:
    unit = FIGURES[one.name].unit
    if unit == "%":
        return percent(one.value)
    return f"{one.value * 100:+.1f} points" if unit == "points" else f"{one.value:.3f}"


def matrix(material: Material) -> tuple[Block, ...]:
    """Crafted on one, judged by another."""
    cells = material.counts.tally.matrix(material.eps)
    if not cells:
        return ()
    asked = list(dict.fromkeys(one.prompts for one in cells))
    columns = (Column("Pictures computed on"), *(Column(f"Asked: {material.who(one)}", *_RIGHT) for one in asked))
    by = {(one.aimed_at, one.prompts): share(one.kept, one.n) for one in cells}
    rows = tuple(
        (material.who(on) if on else "nobody (clean)", *(by.get((on, one), "–") for one in asked))
        for on in dict.fromkeys(one.aimed_at for one in cells)
    )
    note = (
        "Where both are the same the attack knew the model it was shown to (white-box, adaptive); everywhere else it was carried over "
        "from another model (transfer)."
    )
    return (Grid(f"Accuracy {material.at} (95 % interval)", columns, rows), Paragraph(note, "note"))


def smallest(material: Material) -> tuple[Block, ...]:
    """How far a picture must be changed to break."""
    request = material.run.request
    tolerance = request.minimal_eps
    found = {prompts: material.counts.tally.smallest(prompts, tolerance) for prompts in material.prompts}

    def said(eps: float | None) -> str:
        return "beyond any" if eps is None else budget(eps, material.norm)

    rows = tuple(
        (material.who(prompts), f"{one.n:,}", said(one.lower), said(one.median), said(one.upper), f"{one.unbroken:,}")
        for prompts, one in found.items()
        if one is not None
    )
    if not rows:
        return ()
    columns = (
        Column("Measured"),
        Column("n", *_RIGHT),
        Column("Lower quartile", *_RIGHT),
        Column("Median", *_RIGHT),
        Column("Upper quartile", *_RIGHT),
        Column("Never broken", *_RIGHT),
    )
    note = (
        f"The smallest ε at which the attack broke each picture that was right when clean, by bisection to {tolerance:.0%} of it. "
        "A better attack may find smaller ones."
    )
    return (Grid(f"Smallest ε ({material.norm})", columns, rows), Paragraph(note, "note"))
