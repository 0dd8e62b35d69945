"""`capt evaluate` with suites, matrices, curves that go on until chance, smallest budgets and checks, as a script sees it."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.checks.table import CHECKS
from capt_engine.cli.main import main
from capt_engine.model.checkpoints import Document, MadeFor, save
from capt_engine.model.clip import Backbone
from capt_engine.model.prompts import Prompts, PromptShape, initial_context
from capt_engine.records import LineChart
from capt_engine.reports.build import build
from capt_engine.reports.document import Grid

TEMPLATE = "a photo of a {}."
BRIEF = ("--steps", "2", "--queries", "8", "--eps", "2/255")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Class folders: three classes of three pictures of noise."""
    stream = np.random.default_rng(0)
    for name in ("cat", "dog", "bird"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for i in range(3):
            Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def prompts(tmp_path: Path, tiny_backbone: Backbone) -> Path:
    """Learned prompts of no merit for the tiny model."""
    shape = PromptShape("independent", 2, 2)
    made = Prompts(tiny_backbone, shape, initial_context(tiny_backbone, TEMPLATE, 2), torch.Generator().manual_seed(0))
    for value in made.parameters():
        value.data += 0.3 * torch.randn(value.shape, generator=torch.Generator().manual_seed(1))
    file = tmp_path / "learned.safetensors"
    save(file, made, Document("capt", MadeFor.of(tiny_backbone), shape, TEMPLATE, classes=("bird", "cat", "dog")))
    return file


def evaluate(folder: Path, *words: str) -> int:
    """The command on the tiny model."""
    return main(["evaluate", *words, "--model", f"local-dir:{folder}", "--quiet", "--device", "cpu"])


def told(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and summary of a stream of JSON."""
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [one for one in objects if one["event"] == "row"], objects[-1]


def test_a_suite_says_of_how_many_each_attack_speaks(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of every picture and attack, with why one was left out; the worst case of all counts; who knew what stands in each row."""
    assert evaluate(tiny_folder, str(data), "--suite", "standard", *BRIEF, "--json") == 0
    rows, summary = told(capsys)
    assert Counter(row["attack"] for row in rows) == {"apgd-ce": 9, "apgd-t": 9, "square": 9}
    for row in rows:
        assert (row["skipped"] is None) == (row["adv_pred"] is not None)
        assert (row["goal"], row["perturb"], row["rounding"]) == ("untargeted", "input", "none")
        assert row["knowledge"] == ("black-box, sees scores" if row["attack"] == "square" else "white-box")
    standing = {row["path"] for row in rows} - {
        row["path"] for row in rows if row["adv_pred"] not in (None, row["label"])
    }
    right = {row["path"] for row in rows if row["clean_pred"] == row["label"]}
    assert summary["robust_accuracy"] == len(standing & right) / 9
    assert summary["suite"] == "standard"
    for name, one in summary["attacks"].items():
        assert one["n"] + one["skipped"] == 9
        assert one["skipped"] == sum(row["attack"] == name and row["skipped"] is not None for row in rows)
    left = [one["cumulative_accuracy"] for one in summary["attacks"].values()]
    assert left == sorted(left, reverse=True)
    assert left[-1] == summary["robust_accuracy"]
    assert summary["figures"]["robust_accuracy"] == {"value": pytest.approx(summary["robust_accuracy"]), "n": 9}
    assert any("3 classes" in note or "classes" in note for note in summary["notes"])


def test_checks_are_in_the_summary(data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each by its name, with a status, a number and a sentence; off leaves those that ask the model again unmade."""
    statuses = {}
    for level in ("off", "cheap"):
        assert evaluate(tiny_folder, str(data), "--steps", "2", "--checks", level, "--json") == 0
        _, summary = told(capsys)
        assert [one["name"] for one in summary["checks"]] == list(CHECKS.names())
        for one in summary["checks"]:
            assert one["status"] in ("pass", "fail", "not_run")
            assert (one["value"] is None) == (one["status"] == "not_run")
            assert one["message"].endswith(".")
        statuses[level] = {one["name"]: one["status"] for one in summary["checks"]}
    assert statuses["off"]["deterministic"] == "not_run"
    assert statuses["off"]["budget-kept"] == statuses["cheap"]["budget-kept"] == "pass"
    passing = (
        "deterministic",
        "eval-mode",
        "batch-alone",
        "logits",
        "pixels",
        "normalised",
        "gradient-there",
        "zero-budget",
    )
    assert {statuses["cheap"][name] for name in passing} == {"pass"}
    assert statuses["cheap"]["hidden-flaw"] == "not_run"


def test_a_suite_that_was_cut_short_is_gone_on_with(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half the rows of a picture in the middle of a suite are thrown away, whole pictures are not made again, and the end is the same."""
    command = (str(data), "--suite", "standard", *BRIEF, "--checks", "off")
    for name in ("whole", "cut"):
        assert evaluate(tiny_folder, *command, "--out", str(tmp_path / name)) == 0
    file = tmp_path / "cut" / "rows.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    # Four whole pictures of three rows, two rows of a fifth, and a line that was being written.
    file.write_text("".join(lines[: 1 + 12 + 2]) + lines[15][:60], encoding="utf-8", newline="")
    (tmp_path / "cut" / "summary.json").unlink()
    capsys.readouterr()
    assert evaluate(tiny_folder, *command, "--resume", str(tmp_path / "cut"), "--json") == 0
    made, summary = told(capsys)
    assert len(made) == 5 * 3
    whole = json.loads((tmp_path / "whole" / "summary.json").read_text(encoding="utf-8"))
    for name in ("n", "robust_accuracy", "figures", "per_class"):
        assert summary[name] == whole[name]
    with file.open(newline="", encoding="utf-8") as opened:
        after = {(line["path"], line["attack"]): (line["adv_pred"], line["skipped"]) for line in csv.DictReader(opened)}
    with (tmp_path / "whole" / "rows.csv").open(newline="", encoding="utf-8") as opened:
        assert after == {
            (line["path"], line["attack"]): (line["adv_pred"], line["skipped"]) for line in csv.DictReader(opened)
        }


def test_shards_of_a_suite_make_up_the_whole(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two shards, merged: the same figures, and the checks of both."""
    command = (str(data), "--suite", "quick", "--steps", "2", "--eps", "2/255")
    assert evaluate(tiny_folder, *command, "--out", str(tmp_path / "whole")) == 0
    for i in (1, 2):
        assert evaluate(tiny_folder, *command, "--shard", f"{i}/2", "--out", str(tmp_path / str(i))) == 0
    assert main(["merge", str(tmp_path / "1"), str(tmp_path / "2"), "--out", str(tmp_path / "both")]) == 0
    capsys.readouterr()
    one, other = (
        json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in ("whole", "both")
    )
    for name in ("n", "robust_accuracy", "figures", "suite"):
        assert one[name] == other[name]
    statuses = {check["name"]: check["status"] for check in other["checks"]}
    assert statuses["deterministic"] == "pass"


def test_a_matrix_of_prompts(
    data: Path, prompts: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Crafted on one, judged by another: four rows a picture, a table in the summary, in the report and in words."""
    command = (str(data), "--matrix", f"{prompts},none", "--steps", "2", "--out", str(tmp_path / "run"))
    assert evaluate(tiny_folder, *command, "--json") == 0
    rows, summary = told(capsys)
    assert Counter((row["aimed_at"], row["prompt_id"]) for row in rows) == {
        (on, by): 9 for on in (str(prompts), "none") for by in (str(prompts), "none")
    }
    assert len(summary["matrix"]) == 2 + 4
    own = {one["prompts"]: one["kept"] / one["n"] for one in summary["matrix"] if one["aimed_at"] == one["prompts"]}
    assert own[str(prompts)] == summary["robust_accuracy"]
    report = build(tmp_path / "run")
    (section,) = [one for one in report.sections if one.id == "matrix"]
    grid = section.blocks[0]
    assert isinstance(grid, Grid)
    assert [row[0] for row in grid.rows] == ["nobody (clean)", f"A: prompts {prompts.name}", "B: plain CLIP"]
    redacted = next(one for one in build(tmp_path / "run", redact=True).sections if one.id == "matrix").blocks[0]
    assert isinstance(redacted, Grid)
    assert not any(prompts.name in cell for row in redacted.rows for cell in row)
    hidden = build(tmp_path / "run", redact=True)
    assert not any(prompts.name.encode() in one.content for one in hidden.attachments)
    assert {row["knowledge"] for row in rows if row["aimed_at"] != row["prompt_id"]} == {"transfer"}
    assert evaluate(tiny_folder, str(data), "--matrix", f"{prompts},none", "--steps", "2") == 0
    assert "computed on learned:" in capsys.readouterr().out


def test_a_curve_until_chance_and_smallest_budgets(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The curve ends where nothing is left, the verdict is about the budget asked for, and every right picture has its smallest one."""
    out = str(tmp_path / "run")
    words = ("--curve", "auto", "--minimal-eps", "0.1", "--eps", "4/255", "--steps", "8", "--out", out)
    assert evaluate(tiny_folder, str(data), *words, "--json") == 0
    rows, summary = told(capsys)
    assert summary["threat_model"]["eps"] == 4 / 255
    at = {point["eps"]: point["robust_accuracy"] for point in summary["curve"]}
    assert (min(at), max(at)) == (0.0, 0.5)
    assert at[0.5] == 0
    assert at[4 / 255] == summary["robust_accuracy"]
    right = {row["path"] for row in rows if row["clean_pred"] == row["label"]}
    found = {row["path"]: row["minimal_eps"] for row in rows if row["minimal_eps"] is not None}
    assert set(found) == right
    assert summary["minimal_eps"]["n"] == len(right)
    broken = {row["path"] for row in rows if row["eps"] == 4 / 255 and row["success"]}
    # Found at a budget, so not larger than the first of the doubling that breaks it.
    assert all(found[path] <= 4 / 255 for path in broken)
    sections = {one.id: one for one in build(Path(out)).sections}
    assert isinstance(sections["smallest"].blocks[0], Grid)
    assert isinstance(sections["curve"].blocks[0], LineChart)


def test_a_curve_that_ends_above_chance_says_so(
    data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Budgets of next to nothing show no end of robustness."""
    words = ("--eps", "0,0.00001", "--classes", "bird,cat,dog", "--attack", "noise", "--attack", "fgsm")
    assert evaluate(tiny_folder, str(data), *words) == 0
    said = capsys.readouterr().out
    clean = next(line for line in said.splitlines() if "right when clean" in line)
    assert ("--curve auto" in said) == (float(clean.split("(95 % interval ")[1].split(" to ")[0]) > 100 / 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--matrix", "none"), "several prompts"),
        (("--matrix", "none,x", "--compare", "none"), "--matrix stands beside"),
        (("--curve", "auto", "--eps", "0,1/255"), "one budget"),
        (("--curve", "auto", "--eps", "0"), "ε = 0"),
        (("--suite", "quick", "--attack", "none"), "stands beside other"),
        (("--suite", "quick", "--set", "stepps=3"), "stepps"),
        (("--set", "steps"), "NAME=VALUE"),
        (("--attack", "cw"), "L2"),
        (("--minimal-eps", "3"), "tolerance"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], said: str, data: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, with the exit code of wrong usage."""
    assert evaluate(tiny_folder, str(data), *words) == 2
    assert said in capsys.readouterr().err


def test_the_demo_model_through_the_quick_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a newcomer types: figures, intervals, how many of each attack, and what the checks say, in words."""
    where = str(tmp_path / "pictures")
    assert main(["demo", "data", where, "--task", "materials", "--per-class", "1", "--quiet"]) == 0
    capsys.readouterr()
    brief = ["--suite", "quick", "--steps", "3", "--limit", "3", "--quiet", "--device", "cpu"]
    assert main(["evaluate", where, "--model", "demo", *brief]) == 0
    said = capsys.readouterr().out
    assert "under fgsm, pgd" in said
    assert re.search(r"^ +fgsm: [\d.]+ % right after it \([\d.]+ % of 3 under it alone\)", said, re.M)
    assert re.search(r"^ +pgd: [\d.]+ % right after it \([\d.]+ % of the \d that were left\)", said, re.M)
    assert "checks of this evaluation passed" in said
    assert "upper bound" in said


def test_corruptions_in_parts_are_those_of_the_whole(
    data: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two shards joined, and a run that was cut off and gone on with, have the table of the unbroken run; the terminal shows it."""
    words = (str(data), "--suite", "corruptions", "--set", "severity=5", "--checks", "off")
    assert evaluate(tiny_folder, *words, "--out", str(tmp_path / "whole")) == 0
    said = capsys.readouterr().out
    assert "15 kinds of common corruption, right by severity (each cell of 9 pictures):" in said
    assert "mean (mCA)" in said
    for part in ("1/2", "2/2"):
        assert evaluate(tiny_folder, *words, "--shard", part, "--out", str(tmp_path / part[0])) == 0
    assert main(["merge", str(tmp_path / "1"), str(tmp_path / "2"), "--out", str(tmp_path / "joined"), "--quiet"]) == 0
    cut = tmp_path / "cut"
    assert evaluate(tiny_folder, *words, "--out", str(cut)) == 0
    (cut / "summary.json").unlink()
    lines = (cut / "rows.csv").read_bytes().splitlines(keepends=True)
    (cut / "rows.csv").write_bytes(b"".join(lines[: 1 + 15 * 4 + 7]))
    assert evaluate(tiny_folder, *words, "--resume", str(cut)) == 0
    tables = [
        json.loads((tmp_path / name / "summary.json").read_text())["corruptions"] for name in ("whole", "joined", "cut")
    ]
    assert tables[0] == tables[1] == tables[2]
    assert [one["n"] for one in tables[0][0]["cells"]] == [9] * 15
    with (tmp_path / "whole" / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["attack"] == "corruption[kind=gaussian-noise,severity=5]"
    assert not any(row["survives_png"] or row["linf"] for row in rows)
