"""A bug leaves a report that can be read and passed on, and the window stays."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capt_engine import crash_log
from capt_engine.crash_log import shorten_home, write_report
from capt_engine.records import Failure
from capt_gui.crash import CrashDialog, CrashReporter


def dialogs() -> list[CrashDialog]:
    """The crash dialogs on the screen."""
    found = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, CrashDialog)]
    return [dialog for dialog in found if dialog.isVisible()]


def test_a_report_names_versions_and_no_home(tmp_path: Path) -> None:
    """Versions and details are there, the user's folder is written as ~."""
    path, text = write_report(tmp_path / "logs", f"Problem in {Path.home()}/pictures")
    assert path is not None
    assert path.read_text(encoding="utf-8") == text
    assert "Python 3" in text
    assert "PySide6-Essentials 6" in text
    assert "Problem in ~/pictures" in text
    assert str(Path.home()) + "/" not in text


def test_a_root_home_does_not_eat_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where home is / nothing is shortened."""
    monkeypatch.setattr(crash_log.Path, "home", lambda: Path("/"))
    assert shorten_home("/a/b") == "/a/b"


def test_a_report_that_cannot_be_written_is_still_shown(tmp_path: Path) -> None:
    """A log folder that is a file costs the file, not the text."""
    (tmp_path / "logs").write_text("in the way")
    path, text = write_report(tmp_path / "logs", "details")
    assert path is None
    assert "details" in text


def test_errors_of_any_thread_open_one_dialog(tmp_path: Path, qtbot: QtBot) -> None:
    """Several errors at once are several files but one dialog; its button copies the report."""
    reporter = CrashReporter(tmp_path)
    reporter.install()

    def fail() -> None:
        raise ValueError("from a thread")

    try:
        threads = [threading.Thread(target=fail) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        qtbot.waitUntil(lambda: len(list(tmp_path.glob("crash-*.txt"))) == 2)
    finally:
        reporter.uninstall()
    assert sys.excepthook is sys.__excepthook__
    assert len(dialogs()) == 1
    dialog = dialogs()[0]
    dialog.on_copy_clicked()
    assert "ValueError: from a thread" in QGuiApplication.clipboard().text()
    dialog.close()
    qtbot.waitUntil(lambda: not dialogs())
    reporter.report("another")
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    dialogs()[0].close()


@pytest.mark.usefixtures("qapp")
def test_expected_failures_are_no_crash(tmp_path: Path) -> None:
    """Only a failure with a traceback is a bug; Ctrl+C is none either."""
    reporter = CrashReporter(tmp_path)
    reporter.report_failure(Failure("BadImage", "Not a picture."))
    reporter.on_exception(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not list(tmp_path.iterdir())
    reporter.report_failure(Failure("KeyError", "'x'", traceback="Traceback…"))
    assert len(list(tmp_path.iterdir())) == 1
    for dialog in dialogs():
        dialog.close()
