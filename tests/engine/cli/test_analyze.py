"""`capt analyze` as a script sees it: rows, one summary, exit codes, sentences instead of tracebacks."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from capt_engine.cli.main import main
from capt_engine.data.class_lists import names_of
from capt_engine.runs.table import columns

FAST = ("--steps", "2", "--quiet", "--device", "cpu")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three small pictures and a file that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, colour in enumerate(("red", "green", "blue")):
        Image.new("RGB", (40, 30 + i), colour).save(folder / f"{colour}.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_a_row_a_picture_and_one_summary(
    pictures: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every picture is one row or one failure, the last line is the only summary, and nothing else is on standard output."""
    code = main(
        ["analyze", str(pictures), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", "--json", *FAST]
    )
    told = objects(capsys.readouterr().out)
    assert code == 0
    assert sorted(one["event"] for one in told) == ["failure", "row", "row", "row", "summary"]
    rows = [one for one in told if one["event"] == "row"]
    assert all({"event", *columns()} == set(row) for row in rows)
    summary = told[-1]
    assert (summary["event"], summary["n"], summary["n_failed"]) == ("summary", 3, 1)
    kept = sum(not row["success"] for row in rows) / 3
    assert summary["robust_accuracy"] == pytest.approx(kept)
    low, high = summary["robust_interval"]
    assert low <= kept <= high
    assert summary["attacks"]["pgd"]["success_rate"] == pytest.approx(1 - kept)
    assert summary["threat_model"]["eps"] == 4 / 255


def test_words_name_every_picture(pictures: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json each picture has a line, and the last lines say what the number is and is not."""
    assert (
        main(["analyze", str(pictures), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", *FAST]) == 0
    )
    said = capsys.readouterr().out
    assert all(name in said for name in ("red.png", "green.png", "blue.png", "broken.jpg"))
    assert "agreement with the model's own clean prediction" in said


def test_no_attack_is_clean_predictions(pictures: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--attack none measures no robustness and says so with nulls."""
    main(
        [
            "analyze",
            str(pictures),
            "--model",
            f"local-dir:{tiny_folder}",
            "--classes",
            "a,b",
            "--attack",
            "none",
            "--json",
            *FAST,
        ]
    )
    told = objects(capsys.readouterr().out)
    assert told[-1]["robust_accuracy"] is None
    assert all(one["adv_pred"] is None for one in told if one["event"] == "row")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--eps", "4"), 2, "Did you mean 4/255?"),
        (("--attack", "pdg"), 2, "Did you mean 'pgd'?"),
        (("--target", "a cow"), 2, "a cow"),
        (("--classes", "one"), 2, "at least two"),
        (("--steps", "0"), 2, "Steps"),
        (("--batch", "-1"), 2, "batch"),
        (("--prompts", "capt-16"), 4, "capt-16"),
        (("--model", "nothing-like-it"), 4, "no model called"),
        (("--model", "ViT-B-32"), 4, "needs weights"),
        (("--device", "cuda"), 5, "CUDA was requested"),
    ],
)
def test_refusals_have_a_sentence_and_a_code(
    pictures: Path,
    tiny_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    """Wrong usage is 2, a refused model 4, a missing device 5; each in plain words on standard error."""
    base = ["analyze", str(pictures), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", *FAST]
    assert main([*base, *arguments]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_nothing_usable_is_three(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing path and a broken picture leave nothing to look at."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    base = ["--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", *FAST]
    assert main(["analyze", str(tmp_path / "nowhere"), *base]) == 3
    assert main(["analyze", str(tmp_path / "broken.png"), *base]) == 3
    assert "No picture could be used" in capsys.readouterr().err


def test_strict_turns_a_failed_picture_into_six(pictures: Path, tiny_folder: Path) -> None:
    """With --strict one unusable picture shows in the exit code, and the others are still analysed."""
    base = ["analyze", str(pictures), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", *FAST]
    assert main([*base, "--strict"]) == 6


def test_a_run_folder_holds_all_of_it(pictures: Path, tiny_folder: Path, tmp_path: Path) -> None:
    """--out keeps the rows, the summary with the failures, the request and every picture that fooled the model."""
    out = tmp_path / "run"
    base = ["analyze", str(pictures), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a dog", *FAST]
    assert main([*base, "--eps", "32/255", "--out", str(out)]) == 0
    with (out / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert len(rows) == summary["n"] == 3
    assert [Path(one["path"]).name for one in summary["failed"]] == ["broken.jpg"]
    assert manifest["request"]["options"]["threat"]["eps"] == 32 / 255
    fooled = sum(row["success"] == "true" for row in rows)
    assert len(list((out / "attacked").glob("*.png"))) == fooled
    assert main([*base, "--out", str(out)]) == 2, "a folder that holds a run must not be written over"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT can be sent to one process there")
def test_an_interrupt_is_130_and_keeps_what_was_finished(pictures: Path, tiny_folder: Path, tmp_path: Path) -> None:
    """Ctrl+C while the second picture is attacked ends with 130 within a step, and the first one's row stays readable."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "capt_engine", "analyze", str(pictures), "--model", f"local-dir:{tiny_folder}"]
    options = ["--classes", "a cat,a dog", "--steps", "1000", "--batch", "1", "--quiet", "--json", "--out", str(out)]
    # Where the tests themselves run in a shell's background, SIGINT is ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout is not None
        assert any(json.loads(line)["event"] == "row" for line in process.stdout), "there was no row"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    with (out / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert 1 <= len(list(csv.DictReader(file))) < 3


def test_photo_is_the_model_of_a_run_that_names_none(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It chooses among the everyday words, and prompts of another model are refused with the name of theirs."""
    asked = ["analyze", str(pictures / "red.png"), "--attack", "none", "--json", "--quiet", "--device", "cpu"]
    assert main(asked) == 0
    row, summary = objects(capsys.readouterr().out)
    assert (row["model_id"], summary["model"]) == ("photo", "photo")
    assert row["clean_pred"] in names_of("everyday")
    assert main([*asked, "--prompts", "capt-shapes-night"]) == 4
    assert "was made for 'demo'" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no file has such a name there")
def test_names_of_pictures_cannot_move_the_cursor(
    pictures: Path, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sound picture and a broken one with escapes, line breaks and turned writing in their names take a plain line each."""
    evil = "\x1b[2J\rall \nis\u202ewell"
    (tmp_path / evil).mkdir()
    (tmp_path / evil / f"{evil}.png").write_bytes((pictures / "red.png").read_bytes())
    (tmp_path / evil / f"{evil}-broken.png").write_bytes(b"no picture")
    asked = ["analyze", str(tmp_path / evil), "--model", f"local-dir:{tiny_folder}", "--classes", "a cat,a\x1b[31m dog"]
    assert main([*asked, *FAST]) == 0
    told = capsys.readouterr()
    assert sum("all \\nis\\u202ewell" in line for line in told.out.splitlines()) == 2
    assert all(line.isprintable() for line in (told.out + told.err).split("\n"))
    assert main(["analyze", str(tmp_path / f"{evil}/nothing"), "--model", f"local-dir:{tiny_folder}"]) == 3
    assert all(line.isprintable() for line in capsys.readouterr().err.split("\n"))
