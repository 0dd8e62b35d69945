"""A monkey on the window: no exception, no thread left, and memory that stays flat."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog

from capt_engine.resources import resource
from capt_gui.bridge import Bridge, real_engine
from capt_gui.main_window import MainWindow
from capt_gui.settings import AttackSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper
from tests.monkey.monkey import Monkey, resident_bytes

# What Qt warns of depends on the platform that it draws on, and on which tests ran before in this process.
pytestmark = pytest.mark.qt_log_level_fail("CRITICAL")

_LOG = logging.getLogger(__name__)
ACTIONS = 300
HEAVY_S = 30 * 60
# Charts that are drawn for the first time, pages that are opened late, a second model, and thumbnails.
FLAT_BYTES = 150_000_000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Pictures, a folder of classes, a list, and three that are none of these."""
    samples = sorted(resource("samples").glob("*.png"))
    folder = tmp_path / "classes"
    for name, picture in zip(("cube", "cone"), samples, strict=False):
        (folder / name).mkdir(parents=True)
        (folder / name / picture.name).write_bytes(picture.read_bytes())
    hostile, listed, nothing = tmp_path / "<b>hostile.png", tmp_path / "list.csv", tmp_path / "empty"
    hostile.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    listed.write_text(f"path,label\n{samples[0]},cube\n", encoding="utf-8")
    nothing.mkdir()
    return [*samples[:3], folder, hostile, listed, nothing, tmp_path / "gone.png"]


@pytest.fixture
def window(
    qapp: QApplication, tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """A window on the real engine and the demo model; its folders are the test's, and nothing is opened outside."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(files[0]), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(files[1])], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(files[3]))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "saved.png"), ""))
    before = set(threading.enumerate())
    settings = Settings(model="demo", explore=AttackSettings(expert={"pgd": {"steps": 2}}))
    bridge = Bridge(real_engine("cpu"))
    desk = lay_out(
        bridge,
        settings,
        Theme(qapp, "light"),
        runs_folder=tmp_path / "runs",
        projects_folder=tmp_path / "projects",
    )
    window = MainWindow(desk, SettingsKeeper(settings, None), tmp_path, tmp_path / "sessions")
    window.show()
    bridge.open()
    yield window
    # Work of some time may be under way, and nobody is there to answer.
    window.ask = lambda *_: True
    window.close()
    assert bridge.close(60)
    bridge.deleteLater()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


def test_three_hundred_actions(window: MainWindow, files: list[Path]) -> None:
    """Whatever is pressed, written and dropped, every exception would fail the test; the window is there at the end."""
    monkey = Monkey(window, 0, files)
    try:
        for _ in range(ACTIONS):
            monkey.act()
    finally:
        monkey.stop()
        _LOG.warning("the last actions:\n%s", "\n".join(monkey.done[-40:]))
    assert window.isVisible()


@pytest.mark.heavy
@pytest.mark.timeout(HEAVY_S + 300)
@pytest.mark.parametrize("seed", [1])
def test_half_an_hour(window: MainWindow, files: list[Path], seed: int) -> None:
    """The least memory held in each sixth of the time is flat, from the second on: whatever runs at the moment comes on top."""
    monkey = Monkey(window, seed, files)
    seconds = float(os.environ.get("CAPT_MONKEY_S", HEAVY_S))
    started, least = time.monotonic(), [sys.maxsize] * 6
    try:
        while (passed := time.monotonic() - started) < seconds:
            monkey.act()
            sixth = int(6 * passed / seconds)
            least[sixth] = min(least[sixth], resident_bytes())
    finally:
        monkey.stop()
        objects = len(window.findChildren(QObject))
        megabytes = " ".join(str(one // 1_000_000) for one in least)
        _LOG.warning(
            "%d actions; least MB in each sixth: %s; %d objects in the window", len(monkey.done), megabytes, objects
        )
        _LOG.warning("the last actions:\n%s", "\n".join(monkey.done[-40:]))
    assert window.isVisible()
    assert max(least[2:]) - least[1] < FLAT_BYTES
