"""The report of an unexpected error: a file in the log folder that says what happened to which versions."""

from __future__ import annotations

import datetime
import platform
import sys
from importlib import metadata
from pathlib import Path

from capt_engine.errors import CaptError
from capt_engine.files import write_atomic
from capt_engine.folders import log_dir

_NAMES = ("capt-explorer", "PySide6-Essentials", "pyqtgraph", "torch", "open_clip_torch", "numpy", "Pillow")


def write_report(folder: Path, details: str) -> tuple[Path | None, str]:
    """Write a crash report, a new file in `folder`, with the time, the command line, the versions and `details`.

    details: the traceback, as text. Returns the path of the file (None where it could not be written) and the report's
    text, in which the home folder is written as ~.
    """
    now = datetime.datetime.now(datetime.UTC)
    text = shorten_home(
        f"CAPT Explorer stumbled on {now:%Y-%m-%d %H:%M:%S} UTC\n{sys.argv}\n\n{versions()}\n\n{details}"
    )
    path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.txt"
    try:
        write_atomic(path, text.encode("utf-8", "backslashreplace"))
    except CaptError:
        return None, text
    return path, text


def keep(details: str) -> str:
    """Write a crash report with the traceback `details` into the log folder; return a sentence that names the file.

    Where it could not be written the sentence says so; nothing is raised.
    """
    path, _ = write_report(log_dir(), details)
    return where(path)


def where(path: Path | None) -> str:
    """Return a sentence that names the crash report at `path`; for None, one that says that it could not be saved."""
    return f"The details were saved as {shorten_home(str(path))}." if path else "The details could not be saved."


def shorten_home(text: str) -> str:
    """Return `text` with each path of the user's home folder written as ~, so that a report does not name its user."""
    try:
        home = str(Path.home())
    except RuntimeError:  # an account that the system has no entry of, as in a container
        return text
    return text.replace(home, "~") if len(home) > 1 else text


def versions() -> str:
    """Return the versions of Python, the platform and the main packages as text, a line each."""
    lines = [f"Python {platform.python_version()} on {platform.platform()}"]
    for name in _NAMES:
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name} not installed")
    return "\n".join(lines)
