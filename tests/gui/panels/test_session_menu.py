"""Sessions in the window: what was there comes back, is asked about, and survives a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from fakes import READY, make_row
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.view_models.settings_keeper import SettingsKeeper


@pytest.fixture
def window(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window, shown, with autosave, on an engine that is ready."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path, tmp_path / "journals")
    qtbot.addWidget(window, before_close_func=lambda w: w.close_unasked())
    window.show()
    play(bench, READY)
    yield window
    window.close_unasked()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Three pictures in a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    paths = [str(folder / f"{name}.png") for name in "abc"]
    for number, path in enumerate(paths):
        image = QImage(32, 24, QImage.Format.Format_RGB32)
        image.fill(0x204060 * (number + 1))
        image.save(path)
    return paths


def play(bench: Bench, *events: r.Event) -> None:
    """Let the engine say this, and the window hear it."""
    for event in events:
        bench.engine.emit(event)
    QCoreApplication.processEvents()


def fill(bench: Bench, files: list[str]) -> None:
    """Pictures with thumbnails, the first two with results, the first with the right answer."""
    gallery = bench.desk.gallery
    gallery.add(files)
    gallery.put_previews([r.Preview(path, 32, 24, r.Picture(8, 6, bytes(144))) for path in files])
    request = bench.desk.choices.request(())
    gallery.put_rows([make_row(path) for path in files[:2]], request)
    gallery.set_labels({files[0]: "class 0"})


def rest(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing is read or written."""
    model = window.sessions.model
    qtbot.waitUntil(lambda: not model.is_busy and not model.is_at_work, timeout=5000)


def test_what_is_saved_comes_back(
    bench: Bench, window: MainWindow, files: list[str], tmp_path: Path, qtbot: QtBot
) -> None:
    """Pictures, results, labels, choices, page and selection; the title has the name, and a mark while something is changed."""
    fill(bench, files)
    desk, gallery = bench.desk, bench.desk.gallery
    before = [gallery.item(path) for path in files]
    desk.choices.set_classes(("cat", "dog"), "a drawing of a {}.")
    desk.choices.attack.set_eps(2 / 255)
    window.pages["explore"].show_view({"picture": files[1]})
    window.show_page("report")
    place = tmp_path / "mine.capt"
    window.sessions.model.save(str(place))
    rest(window, qtbot)
    assert window.windowTitle() == "mine[*] — CAPT Explorer"
    assert not window.isWindowModified()
    window.sessions.on_new()
    assert (gallery.rowCount(), window.windowTitle()) == (0, "CAPT Explorer")
    desk.choices.restore_classes()
    desk.choices.attack.set_eps(8 / 255)
    window.show_page("explore")
    window.open_paths([str(place)])
    rest(window, qtbot)
    assert [gallery.item(path) for path in gallery.paths()] == before
    assert gallery.pictures(files[0]) is not None
    assert gallery.packed(files[2])
    assert (desk.choices.classes, desk.choices.template) == (("cat", "dog"), "a drawing of a {}.")
    assert desk.choices.attack.eps == 2 / 255
    assert window.page_key == "report"
    assert window.pages["explore"].view()["picture"] == files[1]
    assert not window.isWindowModified()
    gallery.set_labels({files[2]: "class 1"})
    window.sessions.model.look_now()
    assert window.isWindowModified()
