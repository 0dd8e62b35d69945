"""`capt tune` as a script sees it: epochs and one summary, sentences for what cannot be, and the command to run next."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.cli import tune
from capt_engine.cli.main import main, parser
from capt_engine.errors import BadRequest
from capt_engine.metrics.alpha import ALPHAS
from capt_engine.metrics.consistency import KL_DIRECTIONS
from capt_engine.model.checkpoints import read, read_document
from capt_engine.model.prompts import COUPLINGS
from capt_engine.records import TuneRequest
from capt_engine.runs import options_table
from capt_engine.runs.command_line import command_of
from capt_engine.runs.tuning_text import request_of
from capt_engine.tuning.methods import METHODS
from capt_engine.tuning.presets import PRESETS

FAST = ("--shots", "1", "--epochs", "2", "--batch", "2", "--attack-steps", "1", "--device", "cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes of three noisy pictures."""
    rng = np.random.default_rng(0)
    for name, colour in (("a cat", 60), ("a dog", 180)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(3):
            rgb = (colour + rng.integers(-40, 40, (24, 24, 3))).astype(np.uint8)
            Image.fromarray(rgb).save(tmp_path / "data" / name / f"{i}.png")
    return tmp_path / "data"


@pytest.fixture
def base(data: Path, tiny_folder: Path, tmp_path: Path) -> list[str]:
    """A command line that works and takes a second."""
    out = str(tmp_path / "p.safetensors")
    return ["tune", str(data), "--out", out, "--model", f"local-dir:{tiny_folder}", *FAST]


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a stream, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_a_line_an_epoch_and_one_summary(base: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds JSON alone; forecast and epochs are told in words on standard error."""
    assert main([*base, "--json"]) == 0
    said = capsys.readouterr()
    told = objects(said.out)
    assert [one["event"] for one in told] == ["epoch", "epoch", "summary"]
    clean = told[1]["clean"]
    assert clean["value"] == clean["k"] / clean["n"]
    assert clean["low"] <= clean["value"] <= clean["high"]
    summary = told[-1]
    assert (summary["n_train"], summary["n_val"], summary["epochs"], summary["shots"]) == (2, 2, 2, 1)
    assert summary["prompts"]["method"] == "capt"
    assert Path(summary["out"]).is_file()
    assert "of memory" in said.err
    assert "epoch 2 of 2: loss" in said.err
    assert "validation clean" in said.err


def test_words_end_with_the_command_to_run_next(
    base: list[str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line can be pasted: it measures these prompts at the budget of training, on test pictures where there are some."""
    assert main([*base, "--eps", "2/255", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    command = shlex.split(said.out.splitlines()[-1])
    assert command[:3] == ["capt", "evaluate", "FOLDER-OF-TEST-PICTURES"]
    assert command[command.index("--eps") + 1] == "2/255"
    assert command[command.index("--prompts") + 1] == str(tmp_path / "p.safetensors")
    for part in ("train", "test"):
        (tmp_path / "parts" / part).mkdir(parents=True)
        for folder in data.iterdir():
            (tmp_path / "parts" / part / folder.name).symlink_to(folder)
    parts = str(tmp_path / "parts")
    assert main(["tune", parts, "--out", str(tmp_path / "q.safetensors"), *base[4:], "--quiet"]) == 0
    assert shlex.split(capsys.readouterr().out.splitlines()[-1])[2] == parts


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--eps", "4"), 2, "Did you mean 4/255?"),
        (("--attack-step-size", "x"), 2, "--attack-step-size x"),
        (("--shots", "many"), 2, "--shots many"),
        (("--method", "cap"), 2, "Did you mean 'capt'?"),
        (("--out", "p.pt"), 2, ".safetensors"),
        (("--model", "nothing-like-it"), 4, "no model called"),
        (("--device", "cuda"), 5, "CUDA was requested"),
    ],
)
def test_refusals_have_a_sentence_and_a_code(
    base: list[str], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Wrong usage is 2, a refused model 4, a missing device 5; each in plain words on standard error."""
    assert main([*base, *arguments, "--quiet"]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_every_option_reaches_the_request() -> None:
    """Each option sets its own field, and what is not given is left to the method and the model."""
    given = {
        "--data-root": ("data_root", "d"),
        "--method": ("method", "fap"),
        "--shots": ("shots", 4),
        "--subsample-classes": ("subsample_classes", "new"),
        "--template": ("template", "a {}"),
        "--eps": ("eps", 0.5),
        "--attack-steps": ("attack_steps", 7),
        "--attack-step-size": ("attack_step_size", 0.25),
        "--attack-loss": ("attack_loss", "kl"),
        "--lambda": ("lambda_", 1.5),
        "--alpha": ("alpha", "const"),
        "--alpha-const": ("alpha_const", 0.25),
        "--kl-direction": ("kl_direction", "js"),
        "--reference": ("reference", "same"),
        "--coupling": ("coupling", "independent"),
        "--length": ("n_ctx", 3),
        "--depth": ("depth", 2),
        "--epochs": ("epochs", 5),
        "--batch": ("batch_size", 6),
        "--lr": ("lr", 0.125),
        "--augment": ("augment", "crop-flip"),
        "--patience": ("patience", 2),
        "--stop-after": ("stop_after", 3),
        "--name": ("name", "n"),
        "--notes": ("notes", "o"),
        "--licence": ("licence", "MIT"),
        "--seed": ("seed", 9),
        "--model": ("model", "m"),
        "--precision": ("precision", "bf16"),
    }
    line = ["tune", "DATA", "--out", "p.safetensors", "--resume", "--detach-clean", "--val", "off"]
    for option, (_, value) in given.items():
        line += [option, str(value)]
    request = tune.request_from(parser(line).parse_args(line))
    assert all(getattr(request, field) == value for field, value in given.values())
    assert (request.resume, request.detach_clean, request.validate) == (True, True, False)
    plain = parser(line).parse_args(["tune", "DATA", "--out", "p.safetensors", "--shots", "all", "--model", "m"])
    assert tune.request_from(plain) == TuneRequest("DATA", "p.safetensors", shots=None, model="m")


def test_old_spellings_are_still_understood() -> None:
    """What was --guide and --half sets the fields of today, and --help does not offer it."""
    line = ["tune", "DATA", "--out", "p.safetensors", "--guide", "same", "--half", "new"]
    request = tune.request_from(parser(line).parse_args(line))
    assert (request.reference, request.subsample_classes) == ("same", "new")
    one = argparse.ArgumentParser()
    tune.configure(one)
    assert "--guide" not in one.format_help()


def test_the_names_in_the_help_are_those_of_the_tables() -> None:
    """What --help lists without loading anything is what there is."""
    assert set(options_table.METHODS) == set(METHODS.names())
    assert set(options_table.ALPHAS) == {*ALPHAS, "const"}
    assert options_table.COUPLINGS == COUPLINGS
    assert options_table.KL_DIRECTIONS == KL_DIRECTIONS
    assert PRESETS.names() == options_table.PRESETS
    one = argparse.ArgumentParser()
    tune.configure(one)
    assert all(
        name in one.format_help() for name in (*options_table.METHODS, *options_table.ALPHAS, *options_table.PRESETS)
    )


def test_a_preset_fills_what_was_not_said() -> None:
    """Explicit options win, also where they say what is usual; an unknown preset is a refusal."""
    line = ["tune", "DATA", "--out", "p.safetensors", "--model", "demo", "--preset", "balanced"]
    usual = TuneRequest("DATA", "p.safetensors", model="demo")
    assert tune.request_from(parser(line).parse_args(line)) == replace(usual, epochs=20, patience=5)
    said = tune.request_from(parser(line).parse_args([*line, "--patience", "0", "--epochs", "3"]))
    assert said == replace(usual, epochs=3)
    with pytest.raises(BadRequest, match="no preset called 'bold'"):
        tune.request_from(parser(line).parse_args([*line[:-1], "bold"]))


def test_what_a_checkpoint_says_of_itself_makes_the_same_tensors(
    base: list[str], tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody remembers the request: every setting is in the file, but for the place of the pictures and of the model."""
    given = ["--eps", "2/255", "--alpha", "const", "--alpha-const", "0.3", "--reference", "same", "--lambda", "1.5"]
    assert main([*base, *given, "--stop-after", "1", "--seed", "5", "--quiet"]) == 0
    first = tmp_path / "p.safetensors"
    told = request_of(read_document(first), str(first))
    model = base[base.index("--model") + 1]
    line = shlex.split(command_of(replace(told, data=str(data), model=model, out="again.safetensors")))
    monkeypatch.chdir(tmp_path)
    assert main([*line[1:], "--device", "cpu", "--quiet"]) == 0
    ours, theirs = read(first), read(Path("again.safetensors"))
    assert ours.state.keys() == theirs.state.keys()
    assert all(torch.equal(value, theirs.state[name]) for name, value in ours.state.items())
    assert ours.document.settings == theirs.document.settings


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT can be sent to one process there")
def test_an_interrupt_is_130_and_says_how_to_go_on(base: list[str], tmp_path: Path) -> None:
    """Ctrl+C ends with 130 within a step, keeps the state of the last epoch, and names --resume."""
    # Where the tests themselves run in a shell's background, SIGINT is ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        command = [sys.executable, "-m", "capt_engine", *base, "--epochs", "100000"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    state = tmp_path / "p.safetensors.state"
    with process:
        deadline = time.monotonic() + 60
        while not state.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert state.exists()
    assert not (tmp_path / "p.safetensors").exists()
