"""`capt cache`, and commands that find in the store what another command computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.evaluation import rows
from capt_engine.folders import RESULTS
from capt_engine.results import limits
from tests.faults.faulty import content


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store is on, in a folder of this test's own."""
    monkeypatch.setenv(limits.OFF, "0")
    monkeypatch.setenv(RESULTS, str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Class folders: two classes of four pictures of noise."""
    stream = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for i in range(4):
            Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "data"


def evaluate(model: Path, data: Path, *more: str) -> int:
    """The command on the tiny model, with a brief attack."""
    return main(
        ["evaluate", str(data), "--model", f"local-dir:{model}", "--steps", "2", "--device", "cpu", "--quiet", *more]
    )


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_a_second_run_is_the_first_again(
    data: Path, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into another folder and in other batches: the same rows.csv, pictures and examples, byte for byte, and nothing is attacked.

    The manifest says how many rows came from the store; with --no-cache none do, and the store is not touched.
    """
    assert evaluate(tiny_folder, data, "--out", str(tmp_path / "cold")) == 0
    assert "result store" not in capsys.readouterr().out
    stored = content(tmp_path / "store")

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("this was computed before")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "run_attack", fail)
        assert evaluate(tiny_folder, data, "--batch", "3", "--out", str(tmp_path / "warm")) == 0
    assert "8 rows came from the result store" in capsys.readouterr().out
    cold, warm = content(tmp_path / "cold"), content(tmp_path / "warm")
    apart = {"manifest.json", "summary.json"}
    assert {name: data for name, data in warm.items() if name not in apart} == {
        name: data for name, data in cold.items() if name not in apart
    }
    assert any(name.startswith("examples/") for name in warm)
    assert [manifest(tmp_path / one)["from_store"] for one in ("cold", "warm")] == [0, 8]
    assert manifest(tmp_path / "warm")["rows"] == manifest(tmp_path / "cold")["rows"]
    before = content(tmp_path / "store")
    assert main(["run", str(tmp_path / "warm" / "manifest.json"), "--out", str(tmp_path / "repeated"), "--quiet"]) == 0
    assert manifest(tmp_path / "repeated")["from_store"] == 0
    assert evaluate(tiny_folder, data, "--no-cache", "--out", str(tmp_path / "anew")) == 0
    assert manifest(tmp_path / "anew")["from_store"] == 0
    assert manifest(tmp_path / "anew")["rows"] == manifest(tmp_path / "cold")["rows"]
    assert content(tmp_path / "store") == before
    assert stored.keys() == before.keys()


def test_the_store_is_shown_trimmed_and_cleared(
    data: Path, tiny_folder: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Entries, bytes, uses, by model and attack, for people and as JSON; the least recently used goes first, or all."""
    assert evaluate(tiny_folder, data, "--checks", "off") == 0
    assert evaluate(tiny_folder, data, "--checks", "off") == 0
    capsys.readouterr()
    assert main(["cache"]) == 0
    text = capsys.readouterr().out
    assert f"in {store}:" in text
    assert "of at most 5 GB" in text
    assert ", pgd: " in text
    assert main(["cache", "show", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["event"] == "summary"
    assert found["is_on"]
    assert found["hits"] >= 24 < found["entries"]
    assert main(["cache", "trim"]) == 2
    capsys.readouterr()
    # Pictures that nobody has asked for go whenever something goes; what was used stays.
    assert main(["cache", "trim", "--older-than", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 24
    assert main(["cache", "trim", "--to", "30 kB"]) == 0
    assert main(["cache", "trim", "--to", "little"]) == 2
    capsys.readouterr()
    assert main(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 0


def test_a_store_that_cannot_be_used_is_one_sentence(
    data: Path, tiny_folder: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run ends well without it."""
    store.write_text("a file where the folder should be", encoding="utf-8")
    assert evaluate(tiny_folder, data, "--checks", "off") == 0
    assert capsys.readouterr().out.count("The result store is not used") == 1
