"""Start of the window: arguments, streams, what Qt needs to exist, logging; then the application, and last the engine.

The order matters: streams before anything that may print, the display before Qt, the environment before the engine.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import logging
import logging.handlers
import os
import sys
from importlib import metadata
from pathlib import Path

import platformdirs

from capt_engine.errors import CaptError, ExitCode
from capt_engine.records.catalogue import DEVICES, device_name

# what the wheels of Qt leave to the system, and the Debian package that brings it
_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_X11_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def main(argv: list[str] | None = None) -> int:
    """Open the window for the arguments `argv` (without the program's name; None for those of this process) until it is closed.

    Return 0 then, 5 where there is no display or a library for one is missing, or 130 after an interrupt before the
    window was there. Wrong usage ends in SystemExit(2), --help and --version in SystemExit(0).
    """
    fill_streams()
    try:
        return _opened(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        # Before the window is there; later it closes the window.
        sys.stderr.write("Cancelled.\n")
        return ExitCode.INTERRUPTED


def _opened(argv: list[str]) -> int:
    options = parse(argv)
    refusal = why_no_window()
    if refusal:
        sys.stderr.write(f"{refusal}\n")
        return ExitCode.MACHINE
    logs = Path(platformdirs.user_log_dir("capt-explorer", appauthor=False))
    start_logging(logs)
    # only now is Qt known to work
    from capt_gui import plain_imports

    plain_imports.unread_sources()
    # What is made until the window is on the screen stays; looking through it for garbage would only delay that. It goes on
    # when the engine begins: see `SlowStart`.
    gc.disable()
    try:
        return _run(options, logs)
    finally:
        gc.enable()


def _run(options: argparse.Namespace, logs: Path) -> int:
    from capt_gui import application
    from capt_gui.bridge import real_engine

    launch = application.prepare(
        logs,
        paths=tuple(str(Path(path).absolute()) for path in options.paths),
        reset=options.reset_settings,
        safe=options.safe_mode,
        theme=options.theme,
    )
    offline = options.offline or launch.settings.offline
    set_environment(offline=offline, plugins=not (options.no_plugins or options.safe_mode))
    set_sizes(launch.settings.ui_scale, launch.settings.threads)
    device = "cpu" if options.safe_mode else options.device or launch.settings.device
    return application.run(launch, real_engine(device))


def fill_streams() -> None:
    """Replace `sys.stdout` and `sys.stderr`, where they are None as under pythonw, by streams that discard all text."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # open until the end


def parse(argv: list[str]) -> argparse.Namespace:
    """Parse `argv`, the arguments without the program's name, and return one attribute per option.

    Raises SystemExit: with 0 for --help and --version, with 2 for a mistake.
    """
    parser = argparse.ArgumentParser(
        prog="capt-explorer",
        description="See whether an image model can be fooled. Opens a window; `capt` is for terminals.",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="pictures and folders to open, or a session (.capt)")
    parser.add_argument("--offline", action="store_true", help="use no network at all")
    parser.add_argument("--device", metavar="NAME", help=f"where the work is done: {DEVICES} (default: auto)")
    parser.add_argument("--theme", choices=("system", "light", "dark"), help="the look of the window")
    parser.add_argument(
        "--reset-settings", action="store_true", help="start with the defaults; old settings are kept aside"
    )
    parser.add_argument("--no-plugins", action="store_true", help="leave out what other packages add")
    parser.add_argument("--safe-mode", action="store_true", help="CPU, default settings, nothing remembered")
    parser.add_argument("--version", action="version", version=f"capt-explorer {metadata.version('capt-explorer')}")
    options = parser.parse_args(argv)
    try:
        device_name(options.device or "auto")
    except CaptError as refused:
        parser.error(f"{refused.message} {refused.hint}")
    return options


def why_no_window() -> str:
    """Return a sentence why no window can be opened on this machine and what to do, or "" if one can."""
    return wrong_qt(_version_of_qt(), sys.version_info[:2]) or no_display() or missing_libraries()


def wrong_qt(version: str, python: tuple[int, ...]) -> str:
    """Return a sentence that refuses PySide6 `version` "6.12.0" on a `python` (major, minor) before (3, 12), else "".

    That release loses references to None there and crashes after minutes.
    """
    if version == "6.12.0" and python < (3, 12):
        return (
            "PySide6 6.12.0 crashes Python 3.11 after a few minutes, so the window is not opened. "
            'Install another release: pip install "PySide6-Essentials!=6.12.0".'
        )
    return ""


def no_display() -> str:
    """Return a sentence that says there is no display, if this is Linux and its environment names none, else "".

    One of DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM has to be set; without them Qt would abort with no advice.
    """
    known = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if not sys.platform.startswith("linux") or known:
        return ""
    return "There is no display here to open a window on. In a terminal use: capt analyze PATH…"


def missing_libraries() -> str:
    """Return a sentence that names the system libraries Qt lacks and the command that installs them.

    It is "" where none is missing, and on systems other than Linux.
    """
    if not sys.platform.startswith("linux"):
        return ""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    on_x11 = platform.startswith("xcb") or (not platform and not os.environ.get("WAYLAND_DISPLAY"))
    wanted = _LIBRARIES | (_X11_LIBRARIES if on_x11 else {})
    missing = [name for name in wanted if not _loads(name)]
    if not missing:
        return ""
    packages = " ".join(wanted[name] for name in missing)
    return (
        f"Qt needs system libraries that are missing: {', '.join(missing)}. "
        f"On Debian and Ubuntu: sudo apt install {packages}. Without a window: capt analyze PATH…"
    )


def start_logging(folder: Path) -> None:
    """Send all log messages to rotating files in `folder`, and the stacks of native crashes to a file beside them.

    The folder is made if needed; where the disk refuses, messages are discarded.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            folder / "capt-explorer.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
        )
        faulthandler.enable((folder / "native-crash.log").open("a", encoding="utf-8"))
    except OSError:
        handler = logging.NullHandler()
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


def set_environment(*, offline: bool, plugins: bool = True) -> None:
    """Switch off telemetry of the Hugging Face library, its network too if `offline`, and plug-ins unless `plugins`.

    This sets environment variables of this process; one for telemetry that is set already stays as it is.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ["TRANSFORMERS_OFFLINE"] = "1"
    if not plugins:
        os.environ["CAPT_NO_PLUGINS"] = "1"


def set_sizes(ui_scale: int, threads: int) -> None:
    """Have Qt draw everything `ui_scale` per cent as large, and torch compute on so many `threads`, 0 for all cores.

    This sets environment variables of this process, which are read when Qt and torch begin; those that are set already
    stay as they are.
    """
    if ui_scale != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{ui_scale / 100:g}")
    if threads:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, str(threads))


def _version_of_qt() -> str:
    for name in ("PySide6-Essentials", "PySide6"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
