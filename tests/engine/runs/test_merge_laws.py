"""Merging is taking the whole: for any number of pictures, any number of parts, joined in any order."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from capt_engine.runs.merge import merge
from tests.engine.reports.made_runs import kept, request, rows

# Times and folders are each run's own. The acted runs bring no checks, and each of them the same unreadable picture.
_OWN = {"wall_s", "images_per_s", "run_dir", "n_failed", "failed", "checks"}


def told(folder: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Rows without their times, and the summary."""
    with (folder / "rows.csv").open(newline="", encoding="utf-8") as file:
        found = [{**row, "time_s": ""} for row in csv.DictReader(file)]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return found, summary


def near(value: Any) -> Any:
    """The same value, whose numbers may differ in their last digits by the order of adding."""
    if isinstance(value, dict):
        return {name: near(one) for name, one in value.items() if name not in _OWN}
    if isinstance(value, list):
        return [near(one) for one in value]
    return pytest.approx(value, rel=1e-9, nan_ok=True) if isinstance(value, float) else value


# Each example writes up to seven run folders, so a failure is shown as it was found, not made smaller for minutes.
@settings(max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(st.integers(2, 5), st.integers(0, 9), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_parts_joined_are_the_whole(parts: int, more: int, seed: int, chance: Any) -> None:
    """Rows in the same order with the same text, and every figure of the summary."""
    n = parts + more
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole = kept(folder / "whole", n, seed=seed)
        shards = []
        for number in range(1, parts + 1):
            mine = range(number - 1, n, parts)
            given_rows = (
                row for i in mine for row in rows(request(folder / "whole"), 1, first=i, seed=seed, pictures=True)
            )
            shards.append(kept(folder / str(number), len(mine), given=given_rows, shard=(number, parts)))
        chance.shuffle(shards)
        merge(shards, folder / "joined")
        joined_rows, joined = told(folder / "joined")
        whole_rows, summary = told(whole)
    assert joined_rows == whole_rows
    assert joined == near(summary) | {name: joined[name] for name in _OWN & joined.keys()}
    assert joined["n_failed"] == parts
