"""`capt evaluate` as a script sees it: labels, curves, several attacks, two sets of prompts, runs that were cut short."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.metrics.interval import wilson
from capt_engine.model.checkpoints import Document, MadeFor, save
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, initial_context

TEMPLATE = "a photo of a {}."


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Class folders: two classes of four pictures of noise, and a file that is none."""
    stream = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for i in range(4):
            Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    (tmp_path / "data" / "cat" / "broken.png").write_bytes(b"not a picture")
    return tmp_path / "data"


@pytest.fixture
def prompts(tmp_path: Path, tiny_backbone: Backbone) -> Path:
    """Learned prompts of no merit for the tiny model."""
    shape = PromptShape("independent", 2, 2)
    made = Prompts(tiny_backbone, shape, initial_context(tiny_backbone, TEMPLATE, 2), torch.Generator().manual_seed(0))
    for value in made.parameters():
        value.data += 0.3 * torch.randn(value.shape, generator=torch.Generator().manual_seed(1))
    file = tmp_path / "learned.safetensors"
    save(file, made, Document("capt", MadeFor.of(tiny_backbone), shape, TEMPLATE, classes=("cat", "dog")))
    return file


def evaluate(folder: Path, *more: str) -> int:
    """The command on the tiny model, with a brief attack."""
    start = ["evaluate", *more, "--model", f"local-dir:{folder}", "--quiet", "--device", "cpu"]
    return main([*start, *(() if "--steps" in more else ("--steps", "2"))])


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_labels_come_from_the_folders(data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Accuracy is against the folder's name, has its Wilson interval, and a flip needs a right answer first."""
    assert evaluate(tiny_folder, str(data), "--json") == 0
    told = objects(capsys.readouterr().out)
    rows, summary = [one for one in told if one["event"] == "row"], told[-1]
    assert Counter(one["event"] for one in told) == {"row": 8, "failure": 1, "summary": 1}
    assert all(row["label"] == Path(row["path"]).parent.name and row["label_source"] == "folder" for row in rows)
    right = sum(row["clean_pred"] == row["label"] for row in rows)
    kept = sum(row["adv_pred"] == row["label"] for row in rows)
    assert (summary["clean_accuracy"], summary["robust_accuracy"]) == (right / 8, kept / 8)
    assert tuple(summary["clean_interval"]) == wilson(right, 8)
    assert all((row["success"] is None) == (row["clean_pred"] != row["label"]) for row in rows)
    assert {one["name"]: one["n"] for one in summary["per_class"]} == {"cat": 4, "dog": 4}


def test_several_budgets_draw_the_curve(data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At ε = 0 the robust accuracy is the clean one; the largest budget is the one that the summary names."""
    assert evaluate(tiny_folder, str(data), "--json", "--eps", "0,8/255,2/255") == 0
    summary = objects(capsys.readouterr().out)[-1]
    assert [point["eps"] for point in summary["curve"]] == [0, 2 / 255, 8 / 255]
    assert summary["curve"][0]["robust_accuracy"] == summary["clean_accuracy"]
    assert summary["threat_model"]["eps"] == 8 / 255
    assert summary["robust_accuracy"] == summary["curve"][-1]["robust_accuracy"]


def test_a_limit_is_even_over_the_classes_and_shards_share_it_out(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six pictures are three of each class (or less a broken one); two shards are disjoint and make up the whole."""

    def paths(*more: str) -> list[str]:
        evaluate(tiny_folder, str(data), "--json", "--attack", "none", *more)
        return [one["path"] for one in objects(capsys.readouterr().out) if one["event"] in ("row", "failure")]

    limited = paths("--limit", "6")
    assert Counter(Path(path).parent.name for path in limited) == {"cat": 3, "dog": 3}
    first, second = paths("--shard", "1/2"), paths("--shard", "2/2")
    assert not set(first) & set(second)
    assert sorted(first + second) == sorted(paths())


def test_two_sets_of_prompts_stand_side_by_side(
    data: Path, prompts: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each attacked on itself; the summary holds B's figures and the paired tests of the same pictures."""
    assert evaluate(tiny_folder, str(data), "--json", "--compare", str(prompts)) == 0
    told = objects(capsys.readouterr().out)
    rows = [one for one in told if one["event"] == "row"]
    assert [row["prompt_id"] for row in rows] == ["none", str(prompts)] * 8
    assert all(row["aimed_at"] == row["prompt_id"] for row in rows)
    compared = told[-1]["compare"]
    assert (compared["prompts"], compared["n"], compared["paired_clean"]["n"]) == (str(prompts), 8, 8)
    mine, theirs = told[-1]["robust_accuracy"], compared["robust_accuracy"]
    assert compared["paired_robust"]["difference"] == pytest.approx(theirs - mine)


@pytest.mark.parametrize(("aim", "who"), [("a", "none"), ("b", "learned")])
def test_an_attack_may_be_aimed_at_one_and_shown_to_both(
    data: Path, prompts: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str], aim: str, who: str
) -> None:
    """The same picture is shown to both, and every row says on whom it was computed."""
    assert evaluate(tiny_folder, str(data), "--json", "--compare", str(prompts), "--aim", aim) == 0
    rows = [one for one in objects(capsys.readouterr().out) if one["event"] == "row"]
    assert {Path(row["aimed_at"]).stem for row in rows} == {who}
    assert all(rows[i]["l2"] == rows[i + 1]["l2"] for i in range(0, len(rows), 2))


def test_a_run_that_was_cut_short_is_gone_on_with(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of whole pictures are kept and not made again; the summary is that of an unbroken run."""
    command = (str(data), "--json", "--eps", "1/255,4/255")
    assert evaluate(tiny_folder, *command, "--out", str(tmp_path / "whole")) == 0
    whole = objects(capsys.readouterr().out)[-1]
    assert evaluate(tiny_folder, *command, "--out", str(tmp_path / "cut")) == 0
    capsys.readouterr()
    file = tmp_path / "cut" / "rows.csv"
    # Two whole pictures, half of a third, and a line that was being written.
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:6]) + lines[6][:40], encoding="utf-8")
    (tmp_path / "cut" / "summary.json").unlink()
    assert evaluate(tiny_folder, *command, "--resume", str(tmp_path / "cut")) == 0
    told = objects(capsys.readouterr().out)
    assert sum(one["event"] == "row" for one in told) == 12
    for name in ("n", "clean_accuracy", "robust_accuracy", "curve", "consistency", "per_class"):
        assert told[-1][name] == pytest.approx(whole[name]) if name == "consistency" else told[-1][name] == whole[name]
    with file.open(newline="", encoding="utf-8") as opened:
        assert len(list(csv.DictReader(opened))) == 16


def test_another_command_does_not_go_on_with_a_run(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was made with other settings is refused, by name of the setting."""
    out = str(tmp_path / "run")
    assert evaluate(tiny_folder, str(data), "--out", out) == 0
    assert evaluate(tiny_folder, str(data), "--seed", "7", "--resume", out) == 2
    assert "another seed" in capsys.readouterr().err
    assert evaluate(tiny_folder, str(data), "--resume", str(tmp_path / "nothing")) == 2


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--eps", "4"), 2, "4/255"),
        (("--shard", "3/2"), 2, "no part 3 of 2"),
        (("--shard", "x"), 2, "not i/N"),
        (("--split", "test"), 2, "not divided"),
        (("--classes", "one,two,three"), 2, "not in the list of 3 names: cat, dog"),
        (("--classes", "one,"), 2, "1 class names were given"),
        (("--compare", "none"), 2, "A and B are both"),
        (("--prompts", "nobody"), 4, "no prompt checkpoint"),
        (("--attack", "pgd", "--attack", "pgd"), 2, "twice"),
    ],
)
def test_refusals_have_a_sentence_and_a_code(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, words: str
) -> None:
    """What cannot be done is said in plain words."""
    assert evaluate(tiny_folder, str(data), *more) == code
    assert words in capsys.readouterr().err


def test_prompts_of_another_model_are_refused(data: Path, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both models are named, and nothing is computed."""
    assert main(["evaluate", str(data), "--model", "demo", "--prompts", str(prompts), "--quiet"]) == 4
    assert "was made for" in capsys.readouterr().err
