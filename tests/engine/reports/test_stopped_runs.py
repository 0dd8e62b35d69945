"""A run that was stopped: what is there is reported with its n, in every format, and it is said that it was stopped."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from capt_engine.errors import BadRequest
from capt_engine.reports import REPORTS
from capt_engine.reports.build import build
from capt_engine.reports.compare import compare
from capt_engine.reports.document import Paragraph, Report
from capt_engine.runs.finished_run import FinishedRun
from tests.engine.reports.made_runs import kept


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of five pictures that was stopped in its sixth, and one of five that ended; both have the same rows else."""
    home = tmp_path_factory.mktemp("runs")
    whole = kept(home / "whole", 5)
    kept(home / "more", 6)
    stopped = home / "stopped"
    shutil.copytree(home / "more", stopped)
    (stopped / "summary.json").unlink()
    manifest = json.loads((stopped / "manifest.json").read_text(encoding="utf-8"))
    for name in ("pictures", "rows"):
        del manifest[name]
    (stopped / "manifest.json").write_text(json.dumps(manifest | {"ended": ""}), encoding="utf-8")
    text = (stopped / "rows.csv").read_text(encoding="utf-8")
    (stopped / "rows.csv").write_text(text[: text.rindex("\n", 0, -1) + 1], encoding="utf-8", newline="")
    return stopped, whole


def limits(report: Report) -> list[str]:
    """The sentences that are set apart in the verdict."""
    (verdict,) = (section for section in report.sections if section.id == "verdict")
    return [block.text for block in verdict.blocks if isinstance(block, Paragraph) and block.kind == "limit"]


def test_the_figures_are_those_of_the_pictures_that_were_done(runs: tuple[Path, Path]) -> None:
    """Half a picture does not count; the lead sentence and the tables are those of a run of these five."""
    stopped, whole = map(build, runs)
    lead, same = (next(iter(one.sections)).blocks[0] for one in (stopped, whole))
    assert lead == same
    tables = [[section for section in one.sections if section.id in ("results", "figures")] for one in (stopped, whole)]
    assert tables[0] == tables[1]


def test_it_is_said_that_it_was_stopped(runs: tuple[Path, Path]) -> None:
    """In the subtitle, which no choice of sections takes away, and in the verdict; a run that ended says nothing of it."""
    stopped, whole = map(build, runs)
    assert stopped.subtitle.endswith(", stopped after 5 pictures")
    assert any("every figure is of the 5 pictures done by then" in one for one in limits(stopped))
    assert "stopped" not in whole.subtitle + " ".join(limits(whole))
    assert any("stopped" in one for one in limits(compare(list(runs))))


@pytest.mark.parametrize("name", REPORTS.names())
def test_every_format_holds_the_whole_pictures(runs: tuple[Path, Path], name: str) -> None:
    """Thirty rows of five pictures; redacted as well."""
    for redact in (False, True):
        content = REPORTS[name].write(build(runs[0], redact=redact))
        assert content
        if name == "csv":
            assert len(list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))) == 30
        if name == "json":
            (told,) = json.loads(content)["runs"]
            assert (told["summary"]["stopped"], told["summary"]["n"], len(told["rows"])) == (True, 5, 30)


def test_a_run_without_a_picture_has_no_report(runs: tuple[Path, Path], tmp_path: Path) -> None:
    """The sentence says what to do; and what is finished is read as such by both ways."""
    empty = tmp_path / "empty"
    shutil.copytree(runs[0], empty)
    text = (empty / "rows.csv").read_text(encoding="utf-8")
    (empty / "rows.csv").write_text(text[: text.index("\n") + 1], encoding="utf-8")
    with pytest.raises(BadRequest, match="before its first picture"):
        build(empty)
    assert FinishedRun.so_far(runs[1]) == FinishedRun.of(runs[1])
    assert FinishedRun.of(runs[1]).is_over
    with pytest.raises(BadRequest, match="has not ended"):
        FinishedRun.of(runs[0])
