"""A table of named measurements: a row each, and those who were measured side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from capt_engine.formatting import better
from capt_engine.reports.document import Column, Grid
from capt_engine.reports.sections.context import ReportContext


class Described(Protocol):
    """The description that a metric or a figure has of itself."""

    @property
    def name(self) -> str:
        """By which it is found."""

    @property
    def label(self) -> str:
        """Its name for people."""

    @property
    def help(self) -> str:
        """One sentence about it."""

    @property
    def higher_is_better(self) -> bool | None:
        """Which way is better; None for neither."""


Found = Mapping[str, tuple[str, int]]  # by name: the value in words, and of how many pictures it is


def side_by_side(
    caption: str, title: str, infos: Iterable[Described], context: ReportContext, of: Callable[[str], Found]
) -> Grid | None:
    """One row for everything that was measured of anybody, in the order of `infos`; None where nothing was. of: what was found of one."""
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
    values = (Column("Value (n)" if alone else f"{context.who(one)} (n)", "right", "number") for one in found)
    return Grid(caption, (Column(title), *values, Column("Better"), Column("What it is")), rows)
