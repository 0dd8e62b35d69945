"""Runs and prompts that the versions before 0.2 wrote, when several settings had other names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from capt_engine.cli.main import main
from capt_engine.model.checkpoints import read_document
from capt_engine.records import AnalyzeRequest, EvaluateRequest
from capt_engine.runs.finished_run import FinishedRun
from capt_engine.runs.kept_runs import kept_runs

BEFORE = Path(__file__).parent / "before"


def test_an_old_evaluation_is_read_under_the_new_names() -> None:
    """Options that were renamed since say what they said."""
    request = FinishedRun.of(BEFORE / "evaluated").request
    assert isinstance(request, EvaluateRequest)
    assert (request.subsample_classes, request.skip_broken, request.limit) == ("base", True, 8)
    assert (request.options.source_model, request.options.seed, request.options.batch_size) == ("demo-robust", 3, 0)
    assert request.options.threat.perturb == "original"
    assert request.labels == ("fgsm", "pgd")
    assert request.budgets == (1 / 255, 4 / 255)


def test_an_old_analysis_is_read_under_the_new_names() -> None:
    """The two sides, the rounding and the pixels are those that were asked for."""
    request = FinishedRun.of(BEFORE / "analyzed").request
    assert isinstance(request, AnalyzeRequest)
    assert request.variants == ("capt-shapes-night", "none")
    assert (request.options.aim, request.options.threat.perturb, request.options.threat.rounding) == (
        "a",
        "original",
        "8-bit",
    )


def test_old_runs_are_listed() -> None:
    """Both stand among the kept runs."""
    assert {Path(run.folder).name for run in kept_runs(BEFORE)} == {"analyzed", "evaluated"}


@pytest.mark.parametrize("name", ["analyzed", "evaluated"])
@pytest.mark.parametrize("suffix", ["html", "csv", "json", "pdf"])
def test_an_old_run_is_reported(name: str, suffix: str, tmp_path: Path) -> None:
    """Every format can be made of it."""
    out = tmp_path / f"report.{suffix}"
    assert main(["report", str(BEFORE / name), "--out", str(out), "--quiet"]) == 0
    assert out.stat().st_size > 1000


def test_an_old_run_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same pictures are drawn, attacked as they were, and compared row by row."""
    shutil.copytree(BEFORE / "evaluated", tmp_path / "evaluated")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "data", "shapes", "--per-class", "2", "--split", "test"]) == 0
    code = main(["run", "evaluated/manifest.json", "--out", "again", "--quiet", "--json"])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert said[-1]["rows"] == 32
    assert said[-1]["rows_compared"]
    assert code == (6 if said[-1]["differences"] else 0)
    # Names are no difference; figures may be, as random draws have changed since.
    assert not any(name in str(one) for one in said for name in ("space", "perturb", "crafted_on", "source_model"))
    old, new = (FinishedRun.of(tmp_path / name) for name in ("evaluated", "again"))
    assert new.manifest.pictures == old.manifest.pictures
    assert new.request.options.threat == old.request.options.threat


def test_old_prompts_are_read() -> None:
    """A checkpoint says how it was made, whatever its settings were called then."""
    document = read_document(BEFORE / "prompts.safetensors")
    assert document.backbone.id == "demo"
    assert (document.method, document.shape.n_ctx, document.shape.depth) == ("capt", 1, 1)
    assert document.settings["subsample_classes"] == "base"
    assert (document.settings["lambda_"], document.settings["lr"], document.settings["batch_size"]) == (1.5, 0.003, 4)
    assert document.settings["reference"] == "demo-robust"
