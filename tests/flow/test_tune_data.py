"""Steps 1 and 2 of the wizard on the real engine: generated pictures from the drop to the split on disk."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import csv
import hashlib
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capt_gui.bridge import Bridge, real_engine
from capt_gui.pages.tune.data_step import DataStep
from capt_gui.pages.tune.page import TunePage
from capt_gui.settings import Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import lay_out
from capt_gui.view_models.tune.state import METHOD, SPLIT

PATIENCE_MS = 180_000
CLASSES = ("cat", "dog", "emu", "fox")

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four classes of eight pictures, with a copy, one of another class, a tiny one, two that are none, and a class of one."""
    home = tmp_path / "pictures"
    for row, name in enumerate(CLASSES):
        (home / name).mkdir(parents=True)
        for number in range(8):
            # a coarse pattern of its own for each picture: flat ones would all look alike
            noise = hashlib.shake_256(f"{name} {number}".encode()).digest(8 * 8 * 3)
            image = Image.frombytes("RGB", (8, 8), noise).resize((64 + row, 64), Image.Resampling.BICUBIC)
            image.save(home / name / f"{number}.png")
    shutil.copy(home / "cat" / "0.png", home / "cat" / "copy of 0.png")
    shutil.copy(home / "cat" / "1.png", home / "dog" / "a cat.png")
    Image.new("RGB", (12, 12), (200, 30, 30)).save(home / "emu" / "tiny.png")
    (home / "fox" / "broken.png").write_bytes((home / "fox" / "0.png").read_bytes()[:200])
    (home / "fox" / "text.jpg").write_text("no picture", encoding="utf-8")
    (home / "gnu").mkdir()
    shutil.copy(home / "fox" / "3.png", home / "gnu" / "only.png")
    return home


@pytest.fixture
def page(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[TunePage]:
    """The page on the real engine, its projects on disk."""
    before = set(threading.enumerate())
    bridge = Bridge(real_engine("cpu"))
    page = TunePage(
        lay_out(bridge, Settings(model="demo"), Theme(qapp, "light"), projects_folder=tmp_path / "projects")
    )
    qtbot.addWidget(page)
    page.resize(1200, 720)
    page.show()
    bridge.open()
    yield page
    assert bridge.close(60)
    bridge.deleteLater()
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


def fingerprints(home: Path) -> dict[str, str]:
    """What lies in a folder, byte for byte."""
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_pictures_are_scanned_mended_and_divided(page: TunePage, pictures: Path, qtbot: QtBot) -> None:
    """What is wrong is said, what is left out stays out, the split holds its shares, and no file was touched."""
    before = fingerprints(pictures)
    desk = page.desk.tuning
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(pictures))])
    assert page.take(mime)
    qtbot.waitUntil(lambda: bool(desk.scan.pictures), timeout=PATIENCE_MS)

    step = page.steps[0]
    assert isinstance(step, DataStep)
    result = desk.scan.result
    assert result is not None
    counts = {own.name: (own.listed, own.usable) for own in result.classes}
    assert counts == {"cat": (9, 9), "dog": (9, 9), "emu": (9, 9), "fox": (10, 8), "gnu": (1, 1)}
    said = {own.message: own for own in desk.scan.notices()}
    assert page.step.blocked_because == "“gnu” has 1 usable picture."
    assert {"One picture is tiny.", "2 pictures cannot be read.", "2 pictures are in several classes."} <= set(said)
    assert "One picture is a copy of another." in said
    desk.scan.exclude(said["“gnu” has 1 usable picture."].exclude)
    desk.scan.exclude(next(own for own in desk.scan.notices() if "several classes" in own.message).exclude)
    assert page.step.may_continue
    assert len(desk.scan.pictures["fox"]) == 8
    assert all(desk.thumbnails.get(path) is not None for path in desk.scan.pictures["dog"][:2])

    page.on_next()
    assert page.step is page.steps[SPLIT]
    desk.project.change(shots=4)
    qtbot.waitUntil(lambda: desk.split.is_current, timeout=PATIENCE_MS)
    page.on_next()
    qtbot.waitUntil(lambda: page.step is page.steps[METHOD], timeout=PATIENCE_MS)
    with desk.project.split_file.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    left = Counter(row["label"] for row in rows)
    assert set(left) == set(CLASSES)
    out = set(desk.project.state.excluded)
    assert not [row for row in rows if row["path"] in out or str(pictures / row["path"]) in out]
    total = desk.split.totals()
    assert total is not None
    assert total.train == 16
    assert total.test >= 8
    assert fingerprints(pictures) == before
