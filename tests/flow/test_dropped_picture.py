"""The whole path with nothing faked: a real window, offscreen, the real engine and the bundled model."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capt_engine.resources import resource
from capt_gui.bridge import Bridge, real_engine
from capt_gui.main_window import MainWindow
from capt_gui.pages.explore.page import ExplorePage
from capt_gui.settings import AttackSettings, Settings
from capt_gui.theme import Theme
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper

PATIENCE_MS = 180_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LABELLED = {"held", "broken", "wrong", "corrected"}
"""The outcomes of pictures that bring their labels, as the samples do."""


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    """A window on the real engine; when it goes, the engine's thread has gone too."""
    before = set(threading.enumerate())
    settings = Settings(model="demo", explore=AttackSettings(expert={"pgd": {"steps": 2}}))
    bridge = Bridge(real_engine("cpu"))
    window = MainWindow(lay_out(bridge, settings, Theme(qapp, "light")), SettingsKeeper(settings, None), tmp_path)
    window.show()
    bridge.open()
    yield window
    window.close()
    assert bridge.close(60)
    bridge.deleteLater()
    window.deleteLater()
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


def desk_of(window: MainWindow) -> Desk:
    """The view models of a window."""
    return window.desk


def drop(window: MainWindow, *paths: Path) -> None:
    """Let files fall on the window, as a file manager would."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPoint(400, 300), copy, mime, left, none))


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing is under way."""
    qtbot.waitUntil(lambda: not desk_of(window).analysis.is_running, timeout=PATIENCE_MS)


def test_samples_folder_cancel_and_a_hostile_file(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """Samples are analysed, Cancel keeps what is done, a folder is taken, a hostile file is one failed card."""
    desk, page = desk_of(window), window.page
    assert isinstance(page, ExplorePage)
    gallery = desk.gallery

    desk.model.set_model("photo")
    with qtbot.waitSignal(desk.tour.learned, timeout=PATIENCE_MS) as learned:
        desk.tour.start()
    settle(window, qtbot)
    paths = gallery.paths()
    assert len(paths) == len(list(resource("samples").glob("*.png"))) >= 4
    assert {gallery.item(path).state for path in paths} <= LABELLED
    assert gallery.pictures(paths[0]) is not None
    # Zero-shot beside the bundled CAPT prompts is what a newcomer sees.
    item = gallery.item(paths[0])
    assert (item.row.prompt_id, item.other.prompt_id) == ("none", "capt-shapes-night")
    assert item.row.threat.eps == 1 / 255
    assert page.result.pair.isVisible()
    # The picture that is opened and the sentence are those of the run.
    pairs = [(gallery.item(path).row, gallery.item(path).other) for path in paths]
    kept = [sum(row.attacked.winner == row.clean.winner for row in rows) for rows in zip(*pairs, strict=True)]
    (told,) = learned.args
    assert f"on {kept[0]} of {len(paths)} pictures, the tuned prompts (B) on {kept[1]}:" in told.sentence
    assert kept[0] < kept[1]
    assert gallery.item(told.path).sides[0][0] == "broken"
    assert gallery.item(told.path).sides[1][0] == "held"
    assert page.gallery.view.current_key() == told.path
    assert page.banner.accessibleName() == told.sentence

    desk.choices.attack.set_steps(400)
    desk.analysis.run_all()
    qtbot.waitUntil(lambda: any(gallery.item(path).state == "running" for path in paths), timeout=PATIENCE_MS)
    desk.analysis.cancel()
    settle(window, qtbot)
    assert {gallery.item(path).state for path in paths} <= LABELLED

    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(paths[0], folder / "one.png")
    hostile = tmp_path / "hostile.png"
    hostile.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    desk.choices.attack.set_steps(2)
    drop(window, folder, hostile)
    settle(window, qtbot)
    # the toy world makes room for what is the user's own, and for the model that knows more
    assert len(gallery.paths()) == 2
    assert gallery.item(str(folder / "one.png")).row.model_id == "photo"
    assert gallery.item(str(folder / "one.png")).state in {"kept", "changed"}
    assert gallery.item(str(hostile)).state == "failed"

    page.gallery.view.select_path(str(hostile))
    assert page.result.headline.text() == gallery.item(str(hostile)).failure.message


def test_a_first_photograph_is_judged_among_everyday_words(qapp: QApplication) -> None:
    """With settings that nobody has touched, the bundled model answers among all its words, and nothing is compared."""
    bridge = Bridge(real_engine("cpu"))
    desk = lay_out(bridge, Settings(), Theme(qapp, "light"))
    bridge.open()
    try:
        end = time.monotonic() + PATIENCE_MS / 1000
        while not desk.engine.is_ready and time.monotonic() < end:
            QTest.qWait(20)
        assert desk.model.sides.b is None
        assert desk.model.among(desk.choices.classes) == "among 130 everyday words"
    finally:
        assert bridge.close(60)
