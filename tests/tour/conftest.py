"""One window for the whole tour, on the real engine with the demo model.

Three variables say how it is photographed: CAPT_TOUR_SHOTS (the folder for the pictures; without it none are taken), CAPT_TOUR_SIZE
("960x600", usually "1280x800") and CAPT_TOUR_THEME ("light" or "dark"). QT_SCALE_FACTOR=1.5 shows it at 150 %.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import sys
from pathlib import Path

# the guest lies beside this file, whatever way the tests are imported
sys.path.insert(0, str(Path(__file__).parent))

import threading
from collections.abc import Callable, Iterator

import pytest
from guest import Guest
from PySide6.QtWidgets import QApplication

from capt_engine.progress import no_progress
from capt_engine.resources import resource


@pytest.fixture(scope="package")
def visit(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The one window of the tour; when it goes, so have its threads."""
    before = set(threading.enumerate())
    guest = Guest(qapp, tmp_path_factory.mktemp("tour"))
    yield guest
    guest.leave()
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


@pytest.fixture
def guest(visit: Guest) -> Guest:
    """The guest, with an empty gallery in front: each part of the tour begins there."""
    visit.start_over()
    return visit


@pytest.fixture
def shot(visit: Guest) -> Callable[..., None]:
    """A function of a name, and perhaps a dialog, that takes a picture where a folder for pictures is named."""
    return visit.shot


@pytest.fixture(scope="session")
def samples() -> tuple[Path, ...]:
    """The toy world's pictures that ship, in order."""
    return tuple(sorted(resource("samples").glob("*.png")))


@pytest.fixture(scope="package")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each class of the toy world, two pictures in each."""
    from capt_engine.demo.class_folders import write_class_folders

    folder = tmp_path_factory.mktemp("labelled") / "night pictures"
    write_class_folders(folder, "shapes", "test", "night", 2, 0, no_progress)
    return folder


@pytest.fixture(autouse=True)
def no_engine_left() -> None:
    """The tour's engine lives from its first test to its last; `visit` looks for threads at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform has no window manager to hint at and warns about it; that is no fault of the window."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(
                pytest.mark.qt_log_ignore("does not support (propagateSizeHints|raise|grabbing the keyboard)"),
                append=False,
            )
