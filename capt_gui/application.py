"""The application once Qt is known to work: hooks, theme, desk, window, and after the first paint the engine."""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, Qt, QTimer, Signal
from PySide6.QtGui import QImageWriter
from PySide6.QtWidgets import QApplication

from capt_engine import folders
from capt_gui import settings as settings_file
from capt_gui.bridge import Bridge, EngineFactory
from capt_gui.crash import CrashReporter
from capt_gui.main_window import MainWindow
from capt_gui.settings import SIMPLE, Settings
from capt_gui.theme import Theme
from capt_gui.translate import install_language, spoken
from capt_gui.view_models.desk import Desk, lay_out
from capt_gui.view_models.settings_keeper import SettingsKeeper

_PAINT_LIMIT_MS = 2000
_SWITCH_S = 0.0005
# What holds no Qt may be imported on a thread. What does is imported on the window's own, a piece at a time: PySide makes its types when
# they are first asked for, and pyqtgraph asks for all of them; done on a thread beside a window that works, that was seen to end the
# process by a segmentation fault in one of some 25 starts.
WITHOUT_QT = ("numpy",)
_QT = ("QtCore", "QtGui", "QtWidgets", "QtSvg", "QtOpenGL", "QtOpenGLWidgets", "QtTest")
_NAMES_AT_ONCE = 100
_LATE = (
    "pyqtgraph",
    "capt_gui.pages.explore.charts",
    "capt_gui.widgets.image_triptych",
    "capt_gui.pages.explore.result_view",
)
_DONE = object()


@dataclass(frozen=True)
class Launch:
    """The inputs of a start; without `settings_path` nothing is remembered. notice: a sentence to show at once.

    runs, projects, sessions: where analyses, the wizard's projects and the journals of windows are kept, None for nowhere.
    """

    settings: Settings
    settings_path: Path | None
    notice: str
    paths: tuple[str, ...]
    logs: Path
    runs: Path | None = None
    projects: Path | None = None
    sessions: Path | None = None


class SlowStart(QObject):
    """Starts what is slow once the window is painted: imports on a thread of their own, parts of pages in pieces, and then the engine.

    One after the other, because two imports at once hold the interpreter long enough for the window to stutter.
    """

    _imported = Signal()

    def __init__(self, window: MainWindow, desk: Desk, paths: tuple[str, ...]) -> None:
        super().__init__(window)
        self._window = window
        self._bridge = desk.bridge
        self._paths = paths
        self._thread = threading.Thread(target=self._import, name="capt-charts", daemon=True)
        self._steps: Iterator[None] = iter(())
        # the window gets a turn between two pieces
        self._turn = QTimer(self, singleShot=True, interval=0)
        self._turn.timeout.connect(self.on_turn)
        # a window that starts minimised is never painted
        self._limit = QTimer(self, singleShot=True, interval=_PAINT_LIMIT_MS)
        self._limit.timeout.connect(self.on_painted)
        self._limit.start()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Schedule the slow part of the start when `event` is the first paint of `watched`, the window.

        Return False always, so that Qt handles the event too.
        """
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            self._limit.start(0)
        return False

    def on_painted(self) -> None:
        """Start the thread that imports the chart library, as the window is painted or two seconds have passed."""
        self._window.removeEventFilter(self)
        self._imported.connect(self.on_imported)
        self._thread.start()

    def on_imported(self) -> None:
        """Begin to make what nobody has seen yet; do nothing if the window is closed already."""
        self._thread.join()
        self._steps = itertools.chain(late_imports(), self._window.preparations())
        self._turn.start()

    def on_turn(self) -> None:
        """Make the next piece; after the last one start the engine and open the paths of the command line."""
        if self._bridge.is_closed:
            return
        if next(self._steps, _DONE) is not _DONE:
            self._turn.start()
            return
        # all that is there by now stays, and need not be looked through again
        gc.freeze()
        gc.enable()
        self._bridge.open()
        if self._paths:
            self._window.open_paths(list(self._paths))

    def _import(self) -> None:
        """Runs on its own thread: what is imported here holds the window up the less, and is no business of Qt's."""
        try:
            for name in WITHOUT_QT:
                importlib.import_module(name)
        finally:
            self._imported.emit()


def late_imports() -> Iterator[None]:
    """Import the chart library and what is made of it, in pieces: at the first result that would hold the window for half a second.

    It copies every name of Qt's modules, each of which is made when it is first asked for; they are asked for here, some at a time.
    Before it come Qt's plug-ins for pictures: the first picture that is written or read would load them, and would wait for torch
    if its libraries are loaded just then, as the system's loader does one thing at a time.
    """
    QImageWriter.supportedImageFormats()
    yield
    for name in _QT:
        module = importlib.import_module(f"PySide6.{name}")
        for at, one in enumerate(dir(module)):
            getattr(module, one)
            if at % _NAMES_AT_ONCE == 0:
                yield
    for name in _LATE:
        importlib.import_module(name)
        yield


class Interrupt(QObject):
    """Lets Ctrl+C in the terminal, and SIGTERM, close the window: a socket wakes Qt, so that Python gets to run its handler.

    A second signal ends the process at once.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self.on_activated)
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno())
        self._came = False
        self._old_handlers = {one: signal.signal(one, self.on_interrupt) for one in (signal.SIGINT, signal.SIGTERM)}

    def on_activated(self) -> None:
        """Discard the bytes that a signal wrote into the socket; their only use was to wake Qt, so that `on_interrupt` could run."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(64)

    def on_interrupt(self, number: int, frame: FrameType | None) -> None:
        """Close the window without a question; at the second signal, `number`, end the process. `frame` is ignored."""
        del frame
        if self._came:
            os._exit(128 + number)
        self._came = True
        self._window.close_unasked()

    def stop(self) -> None:
        """Put back the signal handlers of before and close the sockets, so that Ctrl+C no longer closes the window."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        for one, handler in self._old_handlers.items():
            signal.signal(one, handler)
        self._reader.close()
        self._writer.close()


def prepare(logs: Path, *, paths: tuple[str, ...], reset: bool, safe: bool, theme: str | None) -> Launch:
    """Read the settings file of the user and return the inputs for a start of the window.

    logs: the folder for log files. paths: pictures and folders to open at once. reset: the old settings file is renamed
    first, so that the defaults are used. safe: the defaults are used, and nothing is read or remembered. theme:
    "system", "light" or "dark" in place of the saved look, None for the saved one.
    """
    path = settings_file.settings_path()
    if safe:
        return Launch(_themed(Settings(), theme), None, "Safe mode: defaults, and nothing is remembered.", paths, logs)
    is_first = not path.exists()
    notice = settings_file.set_aside(path, "The settings were reset.") if reset and path.exists() else ""
    settings, problem = (Settings(), "") if reset else settings_file.load(path)
    if is_first:
        # nobody has been here: one picture, one button, one sentence
        settings.view = SIMPLE
    notice = " ".join(filter(None, (notice or problem, *map(_missing, folders.missing_folders()))))
    return Launch(
        _themed(settings, theme),
        path,
        notice,
        paths,
        logs,
        folders.runs_dir(),
        folders.projects_dir(),
        folders.data_dir() / "sessions",
    )


def run(launch: Launch, make_engine: EngineFactory) -> int:
    """Show the window that `launch` describes until it is closed, and return the exit code of Qt, normally 0.

    make_engine: makes the engine for a listener to its events. Raises TypeError where the process has another kind of
    Qt application already.
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise TypeError("Another kind of Qt application runs already.")
    install_language(app, launch.settings.language)
    app.setApplicationName("capt-explorer")
    app.setApplicationDisplayName("CAPT Explorer")
    app.setDesktopFileName("io.github.capt_explorer.CaptExplorer")
    # the engine's thread gives way ten times sooner than usual: each Qt call of the window waits for it to do so
    sys.setswitchinterval(_SWITCH_S)
    reporter = CrashReporter(launch.logs)
    reporter.install()
    bridge = Bridge(make_engine)
    app.aboutToQuit.connect(bridge.close)
    theme = Theme(app, launch.settings.theme, dressed=False)
    desk = lay_out(bridge, launch.settings, theme, launch.runs, launch.projects)
    reports, evaluation = desk.reports, desk.evaluation
    for job in (
        desk.analysis,
        evaluation.data,
        evaluation.run,
        reports.runs,
        reports.preview,
        reports.writing,
        reports.printing,
        desk.results_file,
    ):
        job.failed.connect(reporter.report_failure)
    # what was stopped can be gone on with, and what the trash holds too long goes: both are known from the start
    desk.engine.ready.connect(desk.reports.runs.refresh, Qt.ConnectionType.QueuedConnection)
    keeper = SettingsKeeper(launch.settings, launch.settings_path, bridge)
    window = MainWindow(desk, keeper, launch.logs, launch.sessions)
    interrupt = Interrupt(window)
    theme.dress()
    SlowStart(window, desk, launch.paths)
    window.show()
    # the notice was written before the language was known
    if notice := f"{spoken(launch.notice)} {desk.tuning.project.notice}".strip():
        window.show_message(notice)
    window.sessions.model.failed.connect(reporter.report_failure)
    window.sessions.model.start()
    code = app.exec()
    interrupt.stop()
    reporter.uninstall()
    window.deleteLater()
    return code


def _themed(settings: Settings, theme: str | None) -> Settings:
    if theme is not None:
        settings.theme = theme
    return settings


def _missing(folder: Path) -> str:
    return f"The chosen folder {folder} is not there; the usual one is used as long as it is missing."
