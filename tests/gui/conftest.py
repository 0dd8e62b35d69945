"""Everything of the window is tested offscreen, on a fake engine, and without leaving a thread behind."""

from __future__ import annotations

import os

# before Qt is loaded by any test module
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import sys
from pathlib import Path

# the fakes lie beside this file, whatever way the tests are imported
sys.path.insert(0, str(Path(__file__).parent))

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fakes import FakeEngine
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from capt_gui.bridge import Bridge
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert not left, f"threads left running: {left}"


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """A light theme; widgets of earlier tests are gone by then, or its style sheet would be applied to each of them."""
    bury()
    theme = Theme(qapp, "light")
    yield theme
    theme.deleteLater()
    bury()


def bury() -> None:
    """Delete what waits to be deleted; without a running event loop Qt would never come to it."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@dataclass
class Bench:
    """A desk on a fake engine, so that a test can play the engine's part."""

    desk: Desk
    engine: FakeEngine
    settings: Settings


@pytest.fixture
def bench(theme: Theme) -> Iterator[Bench]:
    """View models wired to a fake engine that was opened."""
    made: list[FakeEngine] = []

    def make(on_event: object) -> FakeEngine:
        made.append(FakeEngine(on_event))  # type: ignore[arg-type]
        return made[0]

    settings = Settings(model="demo")
    bridge = Bridge(make)
    desk = lay_out(bridge, settings, theme)
    # what is asked of its own accord, a moment later, would be counted with what a test asks
    for choices, check in (
        (desk.choices, desk.tokens),
        (desk.choices, desk.words),
        (desk.evaluation.choices, desk.evaluation.words),
    ):
        choices.changed.disconnect(check.on_choices_changed)
    bridge.open()
    yield Bench(desk, made[0], settings)
    bridge.close()
    bridge.deleteLater()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform has no window manager to hint at and warns about it; that is no fault of a widget."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))
