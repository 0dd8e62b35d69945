"""The list of jobs as it is used: by mouse and keys, over whatever page is in front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Bench
from evaluating import last, play
from fakes import READY
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capt_engine import records as r
from capt_gui.main_window import MainWindow
from capt_gui.view_models.navigation import EXPLORE, MODELS
from capt_gui.view_models.settings_keeper import SettingsKeeper

WHY = r.Failure("BadRequest", "The server did not answer.", "Try again.", traceback="Traceback …")


@pytest.fixture
def window(bench: Bench, qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    """The window, shown and small."""
    window = MainWindow(bench.desk, SettingsKeeper(bench.settings, None), tmp_path)
    qtbot.addWidget(window)
    window.resize(960, 600)
    window.show()
    qtbot.waitExposed(window)
    play(bench, READY)
    yield window
    window.close()


def test_the_button_and_the_key_open_it_and_esc_closes_it(bench: Bench, window: MainWindow) -> None:
    """The page below does not move, Esc does not cancel what the page runs, and the keyboard goes back to where it was."""
    bench.desk.analysis.run(("/a/cat.png",))
    pane, page = window.jobs.pane, window.page
    place = page.geometry()
    window.setFocus()
    before = window.focusWidget()
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert pane.isVisible()
    assert window.jobs.button.isChecked()
    assert page.geometry() == place
    assert window.rect().contains(pane.mapTo(window, pane.rect().bottomRight()))
    focused = window.focusWidget()
    assert focused is not None
    assert pane.isAncestorOf(focused)
    QTest.keyClick(focused, Qt.Key.Key_Escape)
    assert not pane.isVisible()
    assert not window.jobs.button.isChecked()
    assert bench.engine.cancelled == []
    assert window.focusWidget() is before
    QTest.mouseClick(window.jobs.button, Qt.MouseButton.LeftButton)
    assert pane.isVisible()


def test_a_job_can_be_cancelled_retried_copied_and_cleared(bench: Bench, window: MainWindow) -> None:
    """Each button does what it says, and stands there only while that makes sense."""
    window.jobs.pane.show()
    bench.desk.models.download("vit-b-32-openai")
    job = last(bench)
    row = window.jobs.pane.row(job)
    assert row is not None
    play(bench, r.JobStarted(job), r.JobProgress(job, 1, 4, "12 MB of 48", 30.0))
    shown = [one.text() for one in (row.copy, row.cancel, row.retry, row.open) if one.isVisible()]
    assert shown == ["Cancel"]
    assert row.accessibleName() == "Download vit-b-32-openai. about 30 s left · 12 MB of 48"
    row.cancel.click()
    assert bench.engine.cancelled == [job]
    play(bench, r.JobFailed(job, WHY))
    shown = [one.text() for one in (row.copy, row.cancel, row.retry, row.open) if one.isVisible()]
    assert shown == ["Copy the reason", "Retry"]
    row.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied == "Download vit-b-32-openai\nThe server did not answer. Try again.\nTraceback …"
    assert window.rail.buttons[MODELS].accessibleDescription() == "Failed: Download vit-b-32-openai"
    assert window.jobs.button.text() == "1 job failed"
    row.retry.click()
    assert isinstance(bench.engine.requests[-1], r.DownloadRequest)
    play(bench, r.JobFailed(last(bench), WHY))
    window.jobs.pane.clear.click()
    assert bench.desk.jobs.entries == ()
    assert window.jobs.pane.row(last(bench)) is None


def test_showing_a_page_takes_its_mark_away(bench: Bench, window: MainWindow) -> None:
    """What has ended there is seen then."""
    bench.desk.models.download("vit-b-32-openai")
    play(bench, r.JobFailed(last(bench), WHY))
    window.show_page(MODELS)
    assert window.rail.buttons[MODELS].accessibleDescription() == ""
    window.show_page(EXPLORE)
    assert window.jobs.button.text() == "Jobs"
