"""`capt run`, `capt report` and `capt merge` as a script sees them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.cli.main import main

FAST = ("--quiet", "--device", "cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Class folders: two classes of three pictures of noise."""
    stream = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kept run of the tiny model, started with a relative path."""
    monkeypatch.chdir(data.parent)
    more = ["--steps", "2", "--eps", "0,8/255", "--out", "run", *FAST]
    assert main(["evaluate", "data", "--model", f"local-dir:{tiny_folder}", *more]) == 0
    return data.parent / "run"


def differences(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The JSON objects that were printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_run_is_repeated(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From anywhere and from a manifest alone there is no difference; a planted one is named, with exit code 6."""
    monkeypatch.chdir("/")
    capsys.readouterr()
    assert main(["run", str(run / "manifest.json"), *FAST]) == 0
    assert capsys.readouterr().out == "no difference in 12 rows\n"
    (tmp_path / "alone").mkdir()
    shutil.copy(run / "manifest.json", tmp_path / "alone" / "manifest.json")
    assert main(["run", str(tmp_path / "alone" / "manifest.json"), "--out", str(tmp_path / "new"), *FAST]) == 0
    assert (tmp_path / "new" / "summary.json").is_file()
    capsys.readouterr()
    told = (run / "rows.csv").read_text(encoding="utf-8")
    assert ",pgd,linf," in told
    (run / "rows.csv").write_text(told.replace(",pgd,linf,", ",pgd,l2,", 1), encoding="utf-8", newline="")
    assert main(["run", str(run / "manifest.json"), "--json", *FAST]) == 6
    *found, summary = differences(capsys)
    assert [one["event"] for one in found] == ["difference"]
    assert "norm was l2, is linf" in found[0]["message"]
    assert summary == {"event": "summary", "differences": 1, "rows": 12, "rows_compared": True}


def test_a_redacted_run_is_found_by_its_pictures(
    run: Path, data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest and the rows out of a redacted report, and the pictures elsewhere: still no difference."""
    from capt_engine.reports.build import build

    (tmp_path / "out").mkdir()
    for one in build(run, redact=True).attachments:
        (tmp_path / "out" / one.name).write_bytes(one.content)
    data.rename(tmp_path / "moved")
    command = ["run", str(tmp_path / "out" / "manifest.json"), *FAST]
    assert main(command) == 2
    assert "--data" in capsys.readouterr().err
    assert main([*command, "--data", str(tmp_path / "moved"), "--model", f"local-dir:{tiny_folder}"]) == 0
    assert "no difference in 12 rows" in capsys.readouterr().out


def test_a_report_from_the_terminal(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes twice; a wrong ending and a wrong section are usage, with the known ones named."""
    for name in ("a.json", "b.json"):
        assert main(["report", str(run), "--out", str(tmp_path / name), *FAST]) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    capsys.readouterr()
    assert main(["report", str(run), "--out", str(tmp_path / "a.doc"), *FAST]) == 2
    assert ".pdf" in capsys.readouterr().err


def test_shards_are_merged(data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two shards, joined, are no different from the whole."""
    base = ["evaluate", str(data), "--model", f"local-dir:{tiny_folder}", "--steps", "2", *FAST]
    for i in (1, 2):
        assert main([*base, "--shard", f"{i}/2", "--out", str(tmp_path / str(i))]) == 0
    capsys.readouterr()
    assert main(["merge", str(tmp_path / "1"), str(tmp_path / "2"), "--out", str(tmp_path / "whole")]) == 0
    assert "6 pictures" in capsys.readouterr().out
    assert main(["run", str(tmp_path / "whole" / "manifest.json"), *FAST]) == 0
    assert "no difference in 6 rows" in capsys.readouterr().out
