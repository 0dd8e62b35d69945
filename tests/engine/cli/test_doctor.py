"""`capt doctor` says what is wrong, whatever the large packages do when they are imported, and where nothing can be written."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from capt_engine.cli import doctor
from capt_engine.cli.main import main
from capt_engine.cli.probe import Probe

TORCH = "def zeros(*shape): return shape\n"
BROKEN = {
    "fits not": (
        "",
        "raise RuntimeError('operator torchvision::nms does not exist')",
        "do not fit each other: operator torchvision::nms does not exist",
    ),
    "fails at work": (
        "",
        "class ops:\n    def nms(*_): raise RuntimeError('Could not load this library')",
        "do not fit each other: Could not load this library",
    ),
    "no library": ("raise OSError('libcudart.so.12: cannot open')", "", "torch cannot be imported: libcudart.so.12"),
    "leaves": ("import os; os._exit(3)", "", "ended the process (exit code 3) while importing torch"),
    "is missing": ("", "raise ModuleNotFoundError('no module of it')", "torchvision is missing (no module of it)"),
}
if os.name == "posix":
    BROKEN["crashes"] = ("import os; os.abort()", "", "ended the process (SIGABRT) while importing torch")


@pytest.mark.parametrize("name", BROKEN)
def test_packages_that_do_not_work_are_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each way to be broken is a sentence with the command that mends it, and the exit code of a machine."""
    torch, torchvision, said = BROKEN[name]
    (tmp_path / "torch.py").write_text(TORCH + torch)
    (tmp_path / "torchvision.py").write_text(torchvision)
    for other in ("numpy", "open_clip", "safetensors"):
        (tmp_path / f"{other}.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    # Whoever stands in a stranger's folder runs nothing of it.
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "json.py").write_text(f"open({str(strange / 'was-run')!r}, 'w')")
    monkeypatch.chdir(strange)
    assert main(["doctor"]) == 5
    told = capsys.readouterr().out
    assert said in told
    assert "uv " in told[told.index(said) :]
    assert "Nothing is wrong" not in told
    assert [one.name for one in strange.iterdir()] == ["json.py"]


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that work, without loading them."""
    monkeypatch.setattr(doctor, "_examined", lambda _: Probe(device="CPU"))
    monkeypatch.setattr(doctor, "_LOW_SPACE", 0)


@pytest.mark.usefixtures("healthy")
@pytest.mark.skipif(os.name != "posix", reason="the folders are found by the variables of XDG")
def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there yet is looked for where it would be made; nothing is left behind by looking."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "not" / "there"))
    assert main(["doctor"]) == 0
    assert "Nothing is wrong." in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert main(["doctor", "--json"]) == 5
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("Nothing can be kept for settings: ")
    assert "a file stands where a folder should" in problem


@pytest.mark.usefixtures("healthy")
def test_a_folder_without_rights_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As the system says it, with the command that gives the right."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert main(["doctor"]) == 5
    told = capsys.readouterr().out
    assert told.count("Permission denied") == 6
    assert os.name != "posix" or "sudo chown" in told
