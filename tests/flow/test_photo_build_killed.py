"""The photograph model's build gives equal bits twice, and once more when it is killed without warning and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

STEPS = ("--crops", "1", "--joint-steps", "70", "--text-steps", "60", "--tower-steps", "70", "--quiet")


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_built_twice_and_killed_is_the_same(tmp_path: Path) -> None:
    """Three builds of 200 steps with one seed, the last killed in its second stage, write the same files byte for byte."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rng = np.random.default_rng(0)
    for index in range(24):
        blocks = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((240, 240), Image.Resampling.BICUBIC).save(pictures / f"{index * 40:04d}_x.png")

    def command(name: str) -> list[str]:
        places = ["--out", str(tmp_path / name / "out"), "--work", str(tmp_path / name / "work")]
        return [sys.executable, "-m", "capt_engine", "photo", "build", str(pictures), *places, *STEPS]

    for name in ("once", "again"):
        subprocess.run(command(name), check=True, stdout=subprocess.DEVNULL)
    state = tmp_path / "killed" / "work" / "text.pt"
    with subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL) as process:
        while not state.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "the build ended before it could be killed"
    assert not (tmp_path / "killed" / "out").exists()
    subprocess.run(command("killed"), check=True, stdout=subprocess.DEVNULL)
    written = [
        {file.name: file.read_bytes() for file in sorted((tmp_path / name / "out").iterdir())}
        for name in ("once", "again", "killed")
    ]
    assert set(written[0]) == {"open_clip_config.json", "open_clip_model.safetensors", "vocabulary.txt"}
    assert written[0] == written[1] == written[2]
