"""`--source-model` and `--rounding` as a script sees them: kept, told, repeated, and hidden where names are hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capt_engine.cli.main import main

TOY = ("--model", "demo")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy picture of each material."""
    folder = tmp_path_factory.mktemp("toys") / "data"
    assert main(["demo", "data", str(folder), "--task", "materials", "--per-class", "1", "--quiet"]) == 0
    return folder


def summary(text: str) -> dict[str, Any]:
    """The last JSON object of a stream."""
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def test_an_attack_carried_over_from_another_model(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run says on whom it was computed, in rows, summary, manifest and command; it repeats without a difference."""
    out = tmp_path / "run"
    asked = ["evaluate", str(data), *TOY, "--source-model", "demo-robust", "--steps", "2", "--quiet", "--device", "cpu"]
    assert main([*asked, "--eps", "2/255", "--rounding", "8-bit", "--json", "--out", str(out)]) == 0
    told = summary(capsys.readouterr().out)
    assert told["threat_model"]["knowledge"] == "transfer from demo-robust"
    assert told["threat_model"]["rounding"] == "8-bit"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source_model"]["id"] == "demo-robust"
    assert len(manifest["source_model"]["sha256"]) == 64
    assert "--source-model demo-robust" in manifest["command"]
    assert "--rounding 8-bit" in manifest["command"]
    assert ",model:demo-robust," in (out / "rows.csv").read_text(encoding="utf-8")
    assert main(["run", str(out / "manifest.json"), "--quiet"]) == 0
    assert main(["report", str(out), "--out", str(tmp_path / "r.json"), "--sections", "verdict", "--quiet"]) == 0
    report = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert "(L∞, ε = 2/255, transfer from demo-robust, rounded to 8 bits)" in report


def test_a_hash_that_differs_is_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the other model is not what it was, repeating says so."""
    out = tmp_path / "run"
    asked = ["evaluate", str(data), *TOY, "--source-model", "demo-robust", "--steps", "1", "--quiet", "--checks", "off"]
    assert main([*asked, "--limit", "2", "--out", str(out)]) == 0
    file = out / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["source_model"]["sha256"] = "0" * 64
    file.write_text(json.dumps(manifest), encoding="utf-8")
    capsys.readouterr()
    assert main(["run", str(file), "--quiet"]) == 6
    assert "SHA-256 of the source_model" in capsys.readouterr().out


def test_the_other_models_folder_is_hidden_with_all_names(data: Path, tmp_path: Path, tiny_folder: Path) -> None:
    """A redacted report has a number for it, in the rows too."""
    out, file = tmp_path / "run", tmp_path / "r.json"
    asked = ["evaluate", str(data), *TOY, "--source-model", f"local-dir:{tiny_folder}", "--steps", "1", "--quiet"]
    assert main([*asked, "--limit", "2", "--checks", "off", "--out", str(out)]) == 0
    assert main(["report", str(out), "--out", str(file), "--redact", "--quiet"]) == 0
    text = file.read_text(encoding="utf-8")
    assert str(tiny_folder) not in text
    assert tiny_folder.name not in text
    assert "transfer from other model" in text


def test_a_tuned_tower_is_held_against_what_it_was(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With full checks the demo is loaded beside demo-robust, and the same attack breaks it."""
    asked = ["evaluate", str(data), "--model", "demo-robust", "--steps", "2", "--eps", "32/255", "--checks", "full"]
    assert main([*asked, "--limit", "2", "--json", "--quiet"]) == 0
    checks = {one["name"]: one for one in summary(capsys.readouterr().out)["checks"]}
    # Few pictures are too few for a share, but they were tried.
    assert "were right when clean: too few" in checks["baseline-breaks"]["message"]
    assert "transfer broke" in checks["transfer-weaker"]["message"]


def test_a_model_cannot_be_carried_over_to_itself(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That would be the white-box attack under another name."""
    assert main(["evaluate", str(data), *TOY, "--source-model", "demo", "--quiet"]) == 2
    assert "very model" in capsys.readouterr().err
