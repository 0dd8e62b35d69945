"""The whole wizard with nothing faked: generated toy pictures, the real engine and the demo model, from the drop to the saved prompts."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from capt_engine.cli.main import main
from capt_gui.pages.tune.method_step import MethodStep
from capt_gui.pages.tune.page import TunePage
from capt_gui.pages.tune.result_step import ResultStep
from capt_gui.pages.tune.run_step import RunStep
from capt_gui.view_models.navigation import EXPLORE, REPORT
from capt_gui.view_models.tune.project import RESUME
from capt_gui.view_models.tune.state import DONE, RESULT, RUNNING, TUNE
from tests.flow.wizard_walk import draw_toys, open_page, tensors, walk_to_method

PATIENCE_MS = 120_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of each of three classes of the toy world."""
    return draw_toys(tmp_path_factory.mktemp("toys") / "few")


@pytest.fixture
def page(qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TunePage]:
    """The page on the real engine; projects, runs and saved prompts in folders of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    before = set(threading.enumerate())
    page = open_page(qapp, tmp_path / "projects", tmp_path / "runs")
    qtbot.addWidget(page)
    yield page
    assert page.desk.bridge.close(60)
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


def press(button: QPushButton) -> None:
    """Press a button with the keyboard."""
    assert button.isVisible()
    assert button.isEnabled()
    QTest.keyClick(button, Qt.Key.Key_Space)


def walked(page: TunePage, toys: Path, qtbot: QtBot, epochs: int) -> MethodStep:
    """Steps 1 and 2, with settings so small that the rest takes seconds."""
    walk_to_method(page, toys, lambda there: qtbot.waitUntil(there, timeout=PATIENCE_MS), epochs)
    step = page.step
    assert isinstance(step, MethodStep)
    return step


def test_the_whole_wizard(
    page: TunePage, toys: Path, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data, split, method, run, result: measured on the untouched share, saved, used, and bit for bit what the command makes."""
    desk = page.desk
    tuning = desk.tuning
    method = walked(page, toys, qtbot, 1)
    qtbot.waitUntil(lambda: tuning.method.forecast is not None, timeout=PATIENCE_MS)
    assert "of memory" in method.forecast.headline.text()
    assert "PGD, 1 step within ε = 1/255" in method.attacks.training.text()
    assert "PGD, 5 steps within ε = 1/255" in method.attacks.measuring.text()

    page.on_next()
    run = page.step
    assert isinstance(run, RunStep)
    assert page.step.blocked_because
    press(run.controls.buttons["start"])
    assert tuning.project.state.run == RUNNING
    qtbot.waitUntil(lambda: tuning.run.is_done, timeout=PATIENCE_MS)
    assert [epoch.epoch for epoch in tuning.run.epochs] == [1]
    assert tuning.run.plain is not None
    assert tuning.run.steps
    assert tuning.run.strip is not None
    assert page.step.may_continue

    page.on_next()
    result = page.step
    assert isinstance(result, ResultStep)
    assert tuning.project.state.step == RESULT
    qtbot.waitUntil(lambda: tuning.result.result is not None, timeout=PATIENCE_MS)
    measured = tuning.result.result
    assert measured is not None
    assert measured.compared is not None
    # 40 % of six pictures of each of three classes, none of which was learned from or watched
    assert measured.n == 6
    assert len(tuning.result.tests()) == 2
    assert result.table.shown(0) == sorted(path.name for path in toys.iterdir())
    assert "of 6 pictures" in result.verdict.figures.text()

    result.save.name.setFocus()
    QTest.keyClicks(result.save.name, "Toys")
    press(result.save.save)
    qtbot.waitUntil(lambda: bool(tuning.project.state.saved), timeout=PATIENCE_MS)
    asked: list[str] = []
    desk.navigation.requested.connect(asked.append)
    press(result.save.use)
    assert desk.model.sides.b == tuning.project.state.saved
    press(result.save.report)
    assert asked == [EXPLORE, REPORT]

    # last, as it needs the processor for as long as the run did
    command = shlex.split(result.save.command.toPlainText())
    assert command[:2] == ["capt", "tune"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main([*command[1:], "--device", "cpu", "--quiet"]) == 0
    ours = tensors(tuning.result.prompts_file)
    assert ours
    assert tensors(elsewhere / command[command.index("--out") + 1]) == ours
    assert [tensors(path) for path in (tmp_path / "data").rglob("*.safetensors")] == [ours]


def test_stopping_keeps_the_best_and_an_interruption_is_gone_on_with(page: TunePage, toys: Path, qtbot: QtBot) -> None:
    """A cancelled run is offered again; resumed, it ends with the very prompts of an unbroken one."""
    desk = page.desk
    tuning = desk.tuning
    walked(page, toys, qtbot, 2)
    page.on_next()
    tuning.run.start()
    qtbot.waitUntil(lambda: bool(tuning.run.epochs), timeout=PATIENCE_MS)
    tuning.run.cancel()
    qtbot.waitUntil(lambda: not tuning.run.is_running, timeout=PATIENCE_MS)
    assert tuning.run.can_resume
    tuning.project.answer(RESUME)
    assert tuning.project.state.step == TUNE
    qtbot.waitUntil(lambda: tuning.run.is_done, timeout=PATIENCE_MS)
    resumed = tensors(tuning.result.prompts_file)
    tuning.run.start()
    qtbot.waitUntil(lambda: not tuning.run.is_running, timeout=PATIENCE_MS)
    assert tuning.project.state.run == DONE
    assert tensors(tuning.result.prompts_file) == resumed
