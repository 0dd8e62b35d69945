"""The application as a whole, in processes of its own: window first, engine later, a clean end."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from capt_gui.application import WITHOUT_QT, late_imports
from capt_gui.settings import load

HERE = Path(__file__).parent


def run(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the application on a fake engine; `code` runs when the engine is asked for, with `window`, `app` and `log`."""
    script = f"""
import faulthandler, os, signal, sys, threading
faulthandler.dump_traceback_later(50, exit=True)
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from PySide6.QtWidgets import QApplication
import fakes
from capt_engine.records import PreviewRequest
from capt_gui import application
from capt_gui.main_window import MainWindow
from capt_gui.settings import Settings
log = []

def make(on_event):
    app = QApplication.instance()
    window = next(w for w in app.topLevelWidgets() if isinstance(w, MainWindow))
    log.append("visible" if window.isVisible() else "hidden")
    log.append("torch" if "torch" in sys.modules else "no torch")
    engine = fakes.FakeEngine(on_event)
    real_close = engine.close
    def close(timeout_s=10.0):
        log.append("closed")
        return real_close(timeout_s)
    engine.close = close
    submit = engine.submit
    def noted(request):
        if isinstance(request, PreviewRequest):
            log.append("PreviewRequest" + str(request.paths))
        return submit(request)
    engine.submit = noted
    on_event(fakes.READY)
{textwrap.indent(textwrap.dedent(code), "    ")}
    return engine

folder = Path({str(tmp_path)!r})
launch = application.Launch(Settings(), folder / "settings.toml", "A word first.", ("some/picture.png",), folder / "logs")
code = application.run(launch, make)
print(code, *log, sep="|")
"""
    env = dict(os.environ) | {"QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=env, check=False
    )


def test_the_window_is_there_before_the_engine(tmp_path: Path) -> None:
    """The engine is asked for once the window shows, torch is not loaded then; the paths of the start are opened."""
    done = run("from PySide6.QtCore import QTimer; QTimer.singleShot(100, window.close)", tmp_path)
    assert done.stdout.strip() == "0|visible|no torch|PreviewRequest('some/picture.png',)|closed", done.stderr
    assert load(tmp_path / "settings.toml")[0].geometry


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_closes_the_window(tmp_path: Path, name: str) -> None:
    """Ctrl+C in the terminal and the end of a session end the program as closing does: settings kept, engine closed, code 0."""
    kill = f"threading.Timer(0.3, os.kill, (os.getpid(), signal.{name})).start()"
    done = run(kill, tmp_path)
    assert done.stdout.strip().endswith("|closed"), done.stderr
    assert done.stdout.startswith("0|")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "settings.toml").exists()


def test_an_error_in_a_slot_is_reported_and_survived(tmp_path: Path) -> None:
    """A bug opens the crash dialog and leaves a file; the window goes on until it is closed."""
    code = """
    from PySide6.QtCore import QTimer
    QTimer.singleShot(50, lambda: 1 / 0)
    QTimer.singleShot(300, app.closeAllWindows)
    """
    done = run(code, tmp_path)
    assert done.stdout.strip().endswith("|closed"), done.stderr
    reports = list((tmp_path / "logs").glob("crash-*.txt"))
    assert len(reports) == 1
    assert "ZeroDivisionError" in reports[0].read_text(encoding="utf-8")


def test_no_thread_imports_qt() -> None:
    """What is imported beside a working window asks for nothing of Qt's, in a process that has none of it."""
    names = ", ".join(WITHOUT_QT)
    code = f"import sys, {names}; print([name for name in sys.modules if name.startswith(('PySide', 'shiboken'))])"
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_charts_are_imported_in_pieces() -> None:
    """The window gets many turns before the chart library is there."""
    assert sum(1 for _ in late_imports()) > 10
    assert "pyqtgraph" in sys.modules


@pytest.mark.skipif(sys.platform != "linux", reason="the libraries of a process are read from /proc")
def test_the_plug_ins_for_pictures_are_loaded_first() -> None:
    """The first piece loads Qt's plug-ins for pictures; a picture that is written later loads no library, and waits for no loader."""
    code = """
    from pathlib import Path
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage
    from capt_gui.application import late_imports

    def libraries():
        return {line.split("/")[-1] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}

    app = QGuiApplication([])
    before = libraries()
    next(late_imports())
    first = libraries()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    written = QImage(4, 4, QImage.Format.Format_RGB32).save(buffer, "PNG")
    print(any("qjpeg" in name for name in first - before), written, sorted(libraries() - first))
    """
    env = dict(os.environ) | {"QT_QPA_PLATFORM": "offscreen"}
    command = (sys.executable, "-c", textwrap.dedent(code))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=True)
    assert done.stdout.strip() == "True True []"
