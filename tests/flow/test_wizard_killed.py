"""The window is killed while it tunes; the next start offers to resume, and ends with the prompts of a run nobody broke."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from capt_engine.cli.main import main
from capt_gui.pages.tune.page import TunePage
from capt_gui.view_models.tune.state import RUNNING, TUNE
from tests.flow.wizard_walk import draw_toys, open_page, tensors

EPOCHS = 3
PATIENCE_MS = 120_000

pytestmark = [
    # two starts of the program and two runs: 111 s on a busy machine, 37 s of them computing
    pytest.mark.heavy,
    pytest.mark.qt_log_ignore("propagateSizeHints"),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """What a window left that was killed after its first epoch."""
    root = Path(__file__).parents[2]
    folder = tmp_path / "projects"
    walk = [sys.executable, "-m", "tests.flow.wizard_walk", str(draw_toys(tmp_path / "few")), str(folder), str(EPOCHS)]
    with subprocess.Popen(walk, stdout=subprocess.PIPE, text=True, cwd=root) as window:
        assert window.stdout is not None
        line = window.stdout.readline()
        window.send_signal(signal.SIGKILL)
    assert line == "epoch 1\n"
    assert window.returncode == -signal.SIGKILL, "it ended before it could be killed"
    return folder


@pytest.fixture
def page(qapp: QApplication, qtbot: QtBot, projects: Path, tmp_path: Path) -> Iterator[TunePage]:
    """The page of the next start."""
    page = open_page(qapp, projects, tmp_path / "runs")
    qtbot.addWidget(page)
    yield page
    assert page.desk.bridge.close(60)


def test_a_killed_window_resumes_to_the_same_prompts(
    page: TunePage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks about the interrupted run; Resume does not begin anew; the command it prints makes the same prompts in one go."""
    desk = page.desk
    run = desk.tuning.run
    qtbot.waitUntil(lambda: desk.engine.is_ready, timeout=PATIENCE_MS)
    assert page.question_bar.message().startswith("Tuning of “few” was interrupted")
    answer = next(
        button for button in page.question_bar.findChildren(QPushButton) if button.property("key") == "resume"
    )
    qtbot.waitUntil(answer.isEnabled, timeout=PATIENCE_MS)
    QTest.keyClick(answer, Qt.Key.Key_Space)
    assert desk.tuning.project.state.step == TUNE
    assert desk.tuning.project.state.run == RUNNING
    qtbot.waitUntil(lambda: run.is_done, timeout=PATIENCE_MS)
    assert {epoch.epoch for epoch in run.epochs} >= {2, 3}
    # the first epoch was not trained again
    assert min(step.step for step in run.steps) > max(step.step for step in run.steps) // EPOCHS
    command = shlex.split(run.command)
    assert command[:2] == ["capt", "tune"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main([*command[1:], "--device", "cpu", "--quiet"]) == 0
    ours = tensors(desk.tuning.result.prompts_file)
    assert ours
    assert tensors(elsewhere / command[command.index("--out") + 1]) == ours
