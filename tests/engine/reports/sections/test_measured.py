"""What a report makes of the metrics and figures of a run: units, the spread of α, and what belongs to the prompts, not to pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from capt_engine.formatting import signed_points
from capt_engine.metrics.interval import wilson
from capt_engine.records import Histogram
from capt_engine.reports import REPORTS
from capt_engine.reports.build import build
from capt_engine.reports.document import Block, Facts, Grid, Report
from tests.engine.reports.made_runs import CLASSES, kept, request, rows

ALPHAS = (0.0, 0.05, 0.55, 1.0)


def made(folder: Path, *, redact: bool = False) -> Report:
    """A report of twelve pictures whose α is known."""
    given = (
        replace(row, metrics=(*row.metrics, ("alpha", ALPHAS[int(row.sha256, 16) % 4]), ("linf_png", 3 / 255)))
        for row in rows(request(folder), 12)
    )
    kept(folder, given=given)
    path = folder / "summary.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told |= {
        "text_drift": [{"prompts": "demo-prompts", "value": 0.0625, "classes": len(CLASSES)}],
        "memory_bytes": 3 * 2**20,
    }
    path.write_text(json.dumps(told), encoding="utf-8")
    return build(folder, redact=redact)


def blocks(report: Report, section: str) -> tuple[Block, ...]:
    """The blocks of a section."""
    return next(one.blocks for one in report.sections if one.id == section)


def test_alpha_is_shown_as_it_is_spread(tmp_path: Path) -> None:
    """Ten bins that hold every picture once, the last with 1 itself; of plain text, where it is one half by definition, none."""
    report = made(tmp_path / "run")
    (chart,) = (one for one in blocks(report, "consistency") if isinstance(one, Histogram))
    assert "demo-prompts" in chart.caption
    assert "12 pictures" in chart.caption
    expected = [0] * 10
    for row in rows(request(tmp_path), 12):
        if row.prompt_id == "demo-prompts" and row.threat.eps == 4 / 255:
            expected[{0.0: 0, 0.05: 0, 0.55: 5, 1.0: 9}[ALPHAS[int(row.sha256, 16) % 4]]] += 1
    assert [one.value for one in chart.bins] == [k / 12 for k in expected]
    assert [(one.low, one.high) for one in chart.bins] == [wilson(k, 12) for k in expected]
    assert (chart.bins[0].start, chart.bins[0].end, chart.bins[-1].end) == (0, 0.1, 1)


def test_figures_stand_in_their_own_unit(tmp_path: Path) -> None:
    """A share in percent, a difference in points, drift as a number whose n counts classes; a length kept in [0, 1] in /255."""
    report = made(tmp_path / "run")
    (grid,) = (one for one in blocks(report, "figures") if isinstance(one, Grid))
    assert grid.caption.endswith("(A: plain CLIP; B: prompts demo-prompts)")
    at, beside = ([column.title for column in grid.columns].index(f"{letter} (n)") for letter in "BA")
    told = {row[0]: (row[at], row[-2]) for row in grid.rows}
    seen = {
        row.path: row.clean.winner == row.classes.index(row.label)
        for row in rows(request(tmp_path), 12)
        if row.prompt_id == "demo-prompts"
    }
    plain = {
        row.path: row.clean.winner == row.classes.index(row.label)
        for row in rows(request(tmp_path), 12)
        if row.prompt_id == "none"
    }
    lost = [seen[path] for path in seen if plain[path]]
    assert told["Forgotten"] == (f"{lost.count(False) / len(lost) * 100:.1f} % ({len(lost)})", "lower")
    change = (sum(seen.values()) - sum(plain.values())) / 12
    assert told["Change against zero-shot"] == (f"{signed_points(change)} points (12)", "higher")
    assert told["Text drift"] == (f"0.062 ({len(CLASSES)})", "–")
    assert {row[0]: row[beside] for row in grid.rows}["Text drift"] == "–"
    means = next(one for one in blocks(report, "consistency") if isinstance(one, Grid))
    (saved,) = (row for row in means.rows if row[0] == "L∞ distance, saved")
    assert [value.partition(" (")[0] for value in saved[1:3]] == ["3.00/255"] * 2


def test_peak_memory_says_whose_it_is(tmp_path: Path) -> None:
    """On a CPU it is the whole process's, which may have done other things before."""
    facts = blocks(made(tmp_path / "run"), "models")[0]
    assert isinstance(facts, Facts)
    assert dict(facts.pairs)["Peak memory of the whole process"] == "3 MiB"


@pytest.mark.parametrize("form", list(REPORTS), ids=lambda form: form.name)
def test_every_format_draws_them(form: object, tmp_path: Path) -> None:
    """None of them is new to a format, with names hidden as well."""
    for redact in (False, True):
        assert form.write(made(tmp_path / f"run{redact}", redact=redact))  # type: ignore[attr-defined]
