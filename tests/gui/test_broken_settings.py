"""Broken settings and projects: the window opens, shows its pages, and keeps what it can."""

from __future__ import annotations

import random
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fakes import TWO_SIDES, FakeEngine
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.exceptions import capture_exceptions

from capt_gui import settings as settings_file
from capt_gui.bridge import Bridge
from capt_gui.main_window import MainWindow
from capt_gui.settings import AttackSettings, EvaluateSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper
from tests.fuzz.documents import KEPT_PROJECT, as_toml
from tests.fuzz.mutators import as_bytes, mutated_json
from tests.fuzz.survival import survive

SETTINGS: dict[str, Any] = asdict(
    Settings(
        model="demo",
        last_folder="/p",
        report_columns=[200, 700, 300],
        tune_recent=["/p"],
        prompt_files=["/p/a.safetensors"],
        columns=[200, 700, 300],
        rows=[200, 200],
        eps={"linf": 4 / 255, "l2": 0.5},
        classes={"demo": ["cat", "dog"]},
        class_list={"photo": "everyday"},
        template={"demo": "a drawing of a {}."},
        explore=AttackSettings(expert={"pgd": {"steps": 3, "step_size": 0.01, "random_start": True, "loss": "ce"}}),
        evaluate=EvaluateSettings("pgd", expert={"pgd": {"restarts": 2}}, recent=["/p"]),
    )
)
# A window takes a second to make, so fewer are made than files are read.
WINDOWS = pytest.mark.parametrize("n", [2, pytest.param(300, marks=[pytest.mark.heavy, pytest.mark.timeout(6 * 3600)])])


@WINDOWS
def test_the_window_opens_whatever_its_settings_say(n: int, qapp: QApplication, tmp_path: Path) -> None:
    """A file broken anywhere costs at most its own values; what is written at the end is sound again."""
    path = tmp_path / "settings.toml"

    def trial(rng: random.Random) -> None:
        for file in tmp_path.glob("*.toml"):
            file.unlink()
        as_toml(path, mutated_json(rng, SETTINGS))
        settings, _ = settings_file.load(path)
        opened(qapp, settings, path, tmp_path / "tuning")
        assert settings_file.load(path)[1] == ""

    survive("windows", n, trial, most_s=20.0)


@WINDOWS
def test_the_window_opens_whatever_a_project_says(n: int, qapp: QApplication, tmp_path: Path) -> None:
    """The project that was touched last is offered, and opened, or left where it is."""
    home = tmp_path / "tuning"

    def trial(rng: random.Random) -> None:
        shutil.rmtree(home, ignore_errors=True)
        folder = home / "20261130-101010-abcd"
        folder.mkdir(parents=True)
        (folder / "project.json").write_bytes(as_bytes(mutated_json(rng, KEPT_PROJECT)))
        opened(qapp, Settings(model="demo"), tmp_path / "s.toml", home)
        assert list(folder.iterdir())

    survive("projects", n, trial, most_s=20.0)


def opened(qapp: QApplication, settings: Settings, path: Path, projects: Path) -> None:
    """Open a window with settings and projects, let the engine be ready, open each project, and close it again."""
    made: list[FakeEngine] = []

    def make(on_event: Any) -> FakeEngine:
        made.append(FakeEngine(on_event))
        return made[0]

    with capture_exceptions() as raised:
        theme, bridge = Theme(qapp, settings.theme), Bridge(make)
        desk = lay_out(bridge, settings, theme, None, projects)
        keeper = SettingsKeeper(settings, path, bridge)
        window = MainWindow(desk, keeper, path.parent)
        bridge.open()
        made[0].emit(TWO_SIDES)
        for project in desk.tuning.project.projects():
            desk.tuning.project.open(project.id)
        keeper.save_now()
        window.close()
        bridge.close()
        for one in (window, bridge, theme):
            one.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not raised, raised
