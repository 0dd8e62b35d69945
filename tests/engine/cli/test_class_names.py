"""Class names from the command line: names that are one to the model, and how lists and folders come together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capt_engine.cli.main import main


def folders(root: Path, *names: str, each: int = 1) -> Path:
    """Class folders with pictures in them."""
    picture = sorted(Path(__file__).parents[3].joinpath("resources/samples").glob("*.png"))[0].read_bytes()
    for name in names:
        (root / name).mkdir(parents=True)
        for i in range(each):
            (root / name / f"{i}.png").write_bytes(picture)
    return root


def summary(capsys: pytest.CaptureFixture[str], tiny_folder: Path, *words: str) -> dict[str, Any]:
    """What a run without an attack says in JSON."""
    known = ("--model", f"local-dir:{tiny_folder}", "--attack", "none", "--checks", "off", "--json", "--quiet")
    assert main([*words, *known]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.parametrize("pair", [("caf\u00e9", "cafe\u0301"), ("ice  cream", "ice cream"), ("Mug", "mug")])
def test_folders_with_the_same_tokens_are_named(
    tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str], pair: tuple[str, str]
) -> None:
    """The second of two names with the same tokens can never be the answer: a note names the pair, and a check fails."""
    data = folders(tmp_path / "data", *pair, "star")
    found = summary(capsys, tiny_folder, "evaluate", str(data))
    (note,) = [one for one in found["notes"] if "same tokens" in one]
    assert all(repr(name) in note for name in pair)
    (check,) = [one for one in found["checks"] if one["name"] == "names-differ"]
    assert (check["status"], check["value"]) == ("fail", 1)
    apart = summary(capsys, tiny_folder, "evaluate", str(folders(tmp_path / "other", "mug", "star")))
    assert not apart["notes"]
    assert [one["status"] for one in apart["checks"] if one["name"] == "names-differ"] == ["pass"]
