"""The start: what stands in the way of a window is said in a sentence, before Qt can abort."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capt_gui import __main__ as start
from capt_gui import application
from capt_gui.settings import Settings, save, settings_path

WITHOUT_DISPLAY = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}


def run(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the window's command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "capt_gui", *args], capture_output=True, text=True, timeout=60, env=env, check=False
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_the_headless_command_is_named() -> None:
    """One sentence, exit code 5, no abort of Qt, no traceback."""
    done = run("photo.jpg", env=WITHOUT_DISPLAY)
    assert done.returncode == 5
    assert "capt analyze" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_version_and_help_need_no_display() -> None:
    """Both answer without Qt."""
    assert run("--version", env=WITHOUT_DISPLAY).stdout.startswith("capt-explorer ")
    words = run("--help", env=WITHOUT_DISPLAY).stdout
    for option in ("--offline", "--device", "--reset-settings", "--safe-mode", "--theme", "PATH"):
        assert option in words


def test_a_wrong_option_is_wrong_usage() -> None:
    """Exit code 2, as the command line has it."""
    assert run("--nonsense", env=WITHOUT_DISPLAY).returncode == 2


@pytest.mark.parametrize(
    ("version", "python", "refused"),
    [("6.12.0", (3, 11), True), ("6.12.0", (3, 12), False), ("6.11.3", (3, 11), False), ("", (3, 11), False)],
)
def test_a_qt_that_would_crash_is_refused(version: str, python: tuple[int, int], refused: bool) -> None:
    """PySide6 6.12.0 is refused where None can die, and nowhere else."""
    assert bool(start.wrong_qt(version, python)) == refused


def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence holds the library and the command that installs it; under Wayland X11's are not asked for."""
    monkeypatch.setattr(start.sys, "platform", "linux")
    monkeypatch.setattr(start, "_loads", lambda name: name != "libxcb-cursor.so.0")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    sentence = start.missing_libraries()
    assert "libxcb-cursor.so.0" in sentence
    assert "sudo apt install libxcb-cursor0." in sentence
    monkeypatch.setenv("QT_QPA_PLATFORM", "wayland")
    assert start.missing_libraries() == ""


def test_missing_streams_are_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under pythonw a print goes nowhere instead of failing."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    start.fill_streams()
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        assert stream is not None
        stream.write("into nothing")
        stream.close()


def test_offline_reaches_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's library hears of it before it is imported, and plug-ins can be left out; telemetry is off in any case."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "CAPT_NO_PLUGINS"):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    start.set_environment(offline=False)
    assert "HF_HUB_OFFLINE" not in os.environ
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert "CAPT_NO_PLUGINS" not in os.environ
    start.set_environment(offline=True, plugins=False)
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["CAPT_NO_PLUGINS"] == "1"


def test_the_log_folder_is_made(tmp_path: Path) -> None:
    """Warnings land in a file there, in a process of its own so that this one keeps its logging."""
    code = (
        "import logging, pathlib, sys; from capt_gui import __main__ as start; "
        "start.start_logging(pathlib.Path(sys.argv[1])); logging.warning('a word')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "logs")], check=True, timeout=60)
    assert "a word" in (tmp_path / "logs" / "capt-explorer.log").read_text(encoding="utf-8")
    assert logging.getLogger().handlers is not None


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that are not the user's, with a dark theme in them."""
    path = tmp_path / "settings.toml"
    monkeypatch.setattr(application.settings_file, "settings_path", lambda: path)
    save(Settings(theme="dark", model="mine"), path)
    return path


def test_prepare_takes_the_settings(own_settings: Path, tmp_path: Path) -> None:
    """A usual start uses what is kept; a theme on the command line wins."""
    launch = application.prepare(tmp_path, paths=(), reset=False, safe=False, theme=None)
    assert (launch.settings.theme, launch.settings_path, launch.notice) == ("dark", own_settings, "")
    assert application.prepare(tmp_path, paths=(), reset=False, safe=False, theme="light").settings.theme == "light"


def test_safe_mode_reads_and_keeps_nothing(own_settings: Path, tmp_path: Path) -> None:
    """Safe mode leaves the settings alone."""
    launch = application.prepare(tmp_path, paths=(), reset=False, safe=True, theme=None)
    assert (launch.settings, launch.settings_path) == (Settings(), None)
    assert own_settings.exists()


@pytest.mark.usefixtures("own_settings")
def test_reset_keeps_the_old_settings_aside(tmp_path: Path) -> None:
    """--reset-settings starts afresh without destroying anything."""
    launch = application.prepare(tmp_path, paths=(), reset=True, safe=False, theme=None)
    assert launch.settings == Settings()
    assert (tmp_path / "settings.bad-1.toml").exists()
    assert "settings.bad-1.toml" in launch.notice


def test_the_settings_of_a_user_have_a_place() -> None:
    """The command line and the window agree on the file's name."""
    assert settings_path().name == "settings.toml"
    assert "capt-explorer" in str(settings_path())


def test_an_interrupt_before_the_window_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While Qt or the settings are loaded: the code of an interrupt, and no traceback."""

    def interrupt() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "why_no_window", interrupt)
    assert start.main([]) == 130
    assert capsys.readouterr().err == "Cancelled.\n"


def test_imports_read_no_sources() -> None:
    """What is imported after Qt is loaded as Python does it, and its source text is not kept."""
    code = """
from capt_gui import plain_imports
import builtins, linecache
first = builtins.__import__
plain_imports.unread_sources()
import PySide6.QtWidgets, html.parser
assert builtins.__import__ is not getattr(builtins, "__feature_import__", None)
assert html.parser.__file__ not in linecache.cache
assert PySide6.QtWidgets.QLabel
builtins.__import__ = own = lambda *a, **k: first(*a, **k)
plain_imports.unread_sources()
assert builtins.__import__ is own
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
