"""The bundled models on pictures that they cannot know: from the forward pass to the row, the summary, the terminal and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.reports.build import build
from capt_engine.reports.document import Paragraph
from capt_engine.resources import resource

FAST = ("--quiet", "--device", "cpu", "--model", "demo")
SAMPLES = [str(resource("samples") / f"{name}.png") for name in ("night-red-plastic-heart", "night-purple-wood-moon")]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chessboard, drawn without any noise."""
    path = tmp_path_factory.mktemp("odd") / "board.png"
    squares = np.add(*(np.indices((320, 320)) // 40)) % 2
    Image.fromarray((squares * 255).astype(np.uint8)).convert("RGB").save(path)
    return path


def test_the_demo_knows_its_world_and_not_a_chessboard(
    board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of both sets of prompts carry the picture's score; the summary, the run folder and its report count it once."""
    run = tmp_path / "run"
    asked = ["analyze", *SAMPLES, str(board), "--compare", "capt-shapes-night", "--steps", "1", "--out", str(run)]
    assert main([*asked, "--json", *FAST]) == 0
    events: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = {(one["path"], one["prompt_id"]): one for one in events if one["event"] == "row"}
    assert len(rows) == 6
    assert {key[0] for key, one in rows.items() if one["out_of_distribution"]} == {str(board)}
    assert all((one["ood_score"] > 1) is one["out_of_distribution"] for one in rows.values())
    assert len({one["ood_score"] for one in rows.values()}) == 3
    assert events[-1]["out_of_distribution"] == {"count": 1, "n": 3}
    verdict = next(one for one in build(run).sections if one.id == "verdict")
    said = [one.text for one in verdict.blocks if isinstance(one, Paragraph)]
    assert sum("1 of 3 pictures looks like nothing this model was trained on" in text for text in said) == 1


def test_the_terminal_says_it_in_a_sentence(board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence for pictures that the model cannot know, none where it knows all."""
    assert main(["analyze", str(board), "--attack", "none", *FAST]) == 0
    assert "The picture looks like nothing this model was trained on" in capsys.readouterr().out
    assert main(["analyze", *SAMPLES, "--attack", "none", *FAST]) == 0
    assert "was trained on" not in capsys.readouterr().out


def test_several_corruptions_keep_the_clean_pictures_score(
    board: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A table of corruptions is judged by the clean pass of plain text."""
    listed = tmp_path / "list.csv"
    listed.write_text(f"path,label\n{board},cube\n{SAMPLES[0]},heart\n", encoding="utf-8")
    attacks = ["--suite", "corruptions", "--set", "severity=5"]
    assert main(["evaluate", str(listed), "--classes", "cube,heart", *attacks, "--checks", "off", "--json", *FAST]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [(one["clean_pred"], one["out_of_distribution"]) for one in events if one["event"] == "row"]
    assert [odd for _, odd in found] == [True] * 15 + [False] * 15
    assert events[-1]["out_of_distribution"] == {"count": 1, "n": 2}
