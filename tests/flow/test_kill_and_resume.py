"""A tuning run that is killed without warning and resumed writes, byte for byte, what an unbroken run writes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capt_engine.cli.main import main
from capt_engine.demo.class_folders import write_class_folders

OPTIONS = ("--shots", "1", "--epochs", "2", "--batch", "2", "--attack-steps", "1", "--device", "cpu", "--quiet")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_and_resumed_is_unbroken(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGKILL in the middle of an epoch leaves a state that --resume goes on from; without it the state is left alone."""
    data, killed, unbroken = tmp_path / "data", tmp_path / "killed.safetensors", tmp_path / "unbroken.safetensors"
    write_class_folders(data, "materials", "train", "plain", 2, 0, lambda *_: None)
    model = f"local-dir:{tiny_folder}"
    state = killed.with_name(killed.name + ".state")
    command = [sys.executable, "-m", "capt_engine", "tune", str(data), "--model", model, *OPTIONS, "--out"]
    with subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"
    assert not killed.exists()
    before = state.read_bytes()
    options = ["tune", str(data), "--model", model, *OPTIONS, "--out"]
    assert main([*options, str(killed)]) == 2
    assert "Give --resume" in capsys.readouterr().err
    assert state.read_bytes() == before
    assert main([*options, str(killed), "--resume"]) == 0
    assert not state.exists()
    assert main([*options, str(unbroken)]) == 0
    assert killed.read_bytes() == unbroken.read_bytes()
