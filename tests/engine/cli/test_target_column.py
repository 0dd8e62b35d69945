"""`--target-column`: each picture's own target, from a column of the list, in rows, manifest, command, resumed and merged runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capt_engine.cli.main import main

CLASSES = ("cat", "dog", "bird")
# Labels are cat and dog by turns; a target is never the label.
TARGETS = (1, 2, 2, 0, 1, 2)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of six pictures of noise with two columns of targets, one of them the same in every row, and its mistakes apart."""
    folder = tmp_path_factory.mktemp("listed")
    stream = np.random.default_rng(0)
    lines = ["path,label,Goal,same,short,far,word"]
    for i, target in enumerate(TARGETS):
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        wrong = ("", "3", "bird") if i == 2 else (0, 0, 0)
        lines.append(",".join(map(str, (f"{i}.png", CLASSES[i % 2], target, 2, *wrong))))
    (folder / "list.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "list.csv"


def evaluate(listed: Path, folder: Path, *more: str, data: str = "") -> int:
    """The command among three classes on the tiny model, with a brief attack that may do much."""
    brief = ("--steps", "5", "--eps", "64/255", "--checks", "off", "--quiet", "--device", "cpu")
    where = data or str(listed)
    return main(["evaluate", where, "--model", f"local-dir:{folder}", "--classes", ",".join(CLASSES), *brief, *more])


def rows(run: Path) -> list[dict[str, str]]:
    """The rows of a kept run, without what differs from one run to the next."""
    with (run / "rows.csv").open(newline="", encoding="utf-8") as file:
        return [{name: text for name, text in row.items() if name != "time_s"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def whole(listed: Path, tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept run of all pictures, each towards its own target."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert evaluate(listed, tiny_folder, "--target-column", "goal", "--out", str(run)) == 0
    return run


def test_each_picture_is_driven_to_its_own_target(whole: Path) -> None:
    """The row names the class; success is to be seen as that class, where the picture was not seen so before."""
    found = rows(whole)
    assert [row["target"] for row in found] == [CLASSES[target] for target in TARGETS]
    assert {row["goal"] for row in found} == {"targeted"}
    for row in found:
        reached = {True: "true", False: "false"}[row["adv_pred"] == row["target"]]
        assert row["success"] == ("" if row["clean_pred"] == row["target"] else reached)
    assert any(row["success"] == "true" for row in found)
    summary = json.loads((whole / "summary.json").read_text(encoding="utf-8"))
    assert (summary["threat_model"]["goal"], summary["threat_model"]["target_column"]) == ("targeted", "goal")


def test_a_column_of_one_class_is_that_target(listed: Path, tiny_folder: Path, tmp_path: Path) -> None:
    """The same rows, to the last digit, as with --target and the class's name."""
    for name, more in (("column", ("--target-column", "same")), ("class", ("--target", "bird"))):
        assert evaluate(listed, tiny_folder, *more, "--out", str(tmp_path / name)) == 0
    assert rows(tmp_path / "column") == rows(tmp_path / "class")


def test_resumed_merged_and_repeated_it_is_the_same_run(
    listed: Path, whole: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that was cut off, two shards, and the manifest's repetition have the rows of the whole; the report says the goal."""
    asked = ("--target-column", "goal")
    cut = tmp_path / "cut"
    assert evaluate(listed, tiny_folder, *asked, "--out", str(cut)) == 0
    lines = (cut / "rows.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (cut / "rows.csv").write_text("".join(lines[:4]), encoding="utf-8")
    (cut / "summary.json").unlink()
    assert evaluate(listed, tiny_folder, "--target-column", "same", "--resume", str(cut)) == 2
    assert "another threat" in capsys.readouterr().err
    assert evaluate(listed, tiny_folder, *asked, "--resume", str(cut)) == 0
    for part in "12":
        assert evaluate(listed, tiny_folder, *asked, "--shard", f"{part}/2", "--out", str(tmp_path / part)) == 0
    merged = tmp_path / "merged"
    assert main(["merge", str(tmp_path / "1"), str(tmp_path / "2"), "--out", str(merged), "--quiet"]) == 0
    for run in (cut, merged):
        assert sorted(rows(run), key=lambda row: row["path"]) == rows(whole)
        threat = json.loads((run / "summary.json").read_text(encoding="utf-8"))["threat_model"]
        assert (threat["goal"], threat["target_column"]) == ("targeted", "goal")
    assert main(["run", str(whole / "manifest.json"), "--quiet"]) == 0
    assert "--target-column goal" in json.loads((whole / "manifest.json").read_text(encoding="utf-8"))["command"]
    file = tmp_path / "report.json"
    assert main(["report", str(whole), "--out", str(file), "--quiet"]) == 0
    assert "the answer whose index stands in the column “goal”" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ("--target-column", "wish"),
            "has no column 'wish'. Its columns are: path, label, goal, same, short, far, word",
        ),
        (("--target-column", "short"), "Row 4 of {list} has no short."),
        (("--target-column", "far"), "Row 4 of {list} has the far '3'; the classes judged among go from 0 to 2."),
        (("--target-column", "word"), "Row 4 of {list} has the word 'bird'; the classes judged among go from 0 to 2."),
        (("--target-column", "goal", "--target", "bird"), "A target class and a column of targets were given."),
        (("--target-column", "goal", "--subsample-classes", "base"), "'base' takes a half of them"),
        (("--target-column", "goal", "--attack", "apgd-t"), "APGD-T cannot aim at a given class."),
    ],
)
def test_what_a_column_cannot_say_is_refused(
    more: tuple[str, ...], said: str, listed: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence with the row, with the exit code of wrong usage."""
    assert evaluate(listed, tiny_folder, *more) == 2
    assert said.format(list=listed) in " ".join(capsys.readouterr().err.split())


def test_a_folder_has_no_columns(listed: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Class folders name no targets, and the sentence says what does."""
    assert evaluate(listed, tiny_folder, "--target-column", "goal", data=str(listed.parent)) == 2
    assert "a folder has no columns" in capsys.readouterr().err
