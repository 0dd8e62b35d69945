"""The tables of metrics and figures in the documents."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Metric
from capt_engine.metrics.figures import FIGURES, FigureInfo

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
BETTER = {True: "higher", False: "lower", None: "–"}


def lines(table: Iterable[Metric | FigureInfo]) -> list[str]:
    """A table's rows as the page has them."""
    return [
        f"| `{one.name}` | {one.label} | {one.unit or '–'} | {_end(one.low)} | {_end(one.high)} | "
        f"{BETTER[one.higher_is_better]} | {one.help} |"
        for one in table
    ]


def _end(bound: float | None) -> str:
    if bound is None:
        return "–"
    return "ln 2" if bound == math.log(2) else f"{bound:g}".replace("-", "−")


def test_the_page_says_what_the_tables_say() -> None:
    """Every metric and every figure has its row.

    Rows stand in the tables' order, with the unit, the bounds, the direction and the sentence of the code; where this fails, the rows it
    expected can be copied.
    """
    found = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert found == [*lines(METRICS), *lines(FIGURES)]
