"""A table of named measurements: a row each, and those who were measured side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from capt_engine.formatting import better
from capt_engine.metrics.base import Metric
from capt_engine.metrics.figures import FigureInfo
from capt_engine.reports.document import Column, Grid, numbers, texts
from capt_engine.reports.sections.context import ReportContext

Found = Mapping[str, tuple[str, int]]  # by name: the value in words, and of how many pictures it is


def side_by_side(
    caption: str, title: str, infos: Iterable[Metric | FigureInfo], context: ReportContext, of: Callable[[str], Found]
) -> Grid | None:
    """Return a table with a row for each measurement in `infos`, in that order, and a column for each set of prompts.

    caption, title: of the table and of its first column. context: the run. of: takes the name of a set of prompts and
    returns, by the name of a measurement, its value in words and of how many pictures it is. Rows that nobody has are
    left out; None where no row is left.
    """
    found = {prompts: of(prompts) for prompts in context.prompts}
    alone = len(found) == 1
    rows = tuple(
        (
            info.label,
            *(f"{one[info.name][0]} ({one[info.name][1]:,})" if info.name in one else "–" for one in found.values()),
            better(info.higher_is_better),
            info.help,
        )
        for info in infos
        if any(info.name in one for one in found.values())
    )
    if not rows:
        return None
    values = numbers(*("Value (n)" if alone else f"{context.letter(one)} (n)" for one in found))
    return Grid(
        context.lettered(caption), (*texts(title), *values, *texts("Better"), Column("What it is", is_small=True)), rows
    )
