"""The text that a report of a problem needs: versions, device, the end of the log, crash files; without names of files."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from capt_engine.crash_log import versions
from capt_engine.records import DeviceInfo, Failure

_LOG_LINES, _CRASH_LINES = 60, 80
_LOG = "capt-explorer.log"
# our own modules and those of other packages are named from their package on; every other place is hidden
_OWN = re.compile(r"(?:.*[/\\])?((?:site-packages|dist-packages|lib[/\\]python3\.\d+|capt_engine|capt_gui)[/\\].*)")
# a path in quotes may hold spaces, another ends at the first one; a file's name may stand alone
_PLACE = re.compile(
    r"""(?<=["'“])(?:~|[A-Za-z]:)?[/\\][^"'”\n]+(?=["'”])"""
    r"""|(?<![\w:/\\<.])(?:~|[A-Za-z]:)?[/\\][^\s"'“”,;()\[\]]+"""
    r"""|(?<![\w/\\.<>])[^\s"'“”,;:()\[\]/\\<>]+\.(?i:png|jpe?g|webp|avif|bmp|gif|tiff?|heic|csv|safetensors|capt)\b""",
)


def redacted(text: str) -> str:
    """Return `text` with each path replaced by "<path>" and its ending, such as "<path>.png"; those of program files stay, shortened.

    A name of a picture that stands alone is replaced too, as far as it has no space.
    """
    return _PLACE.sub(lambda match: _hidden(match[0]), text)


def problem_report(logs: Path, device: DeviceInfo | None, failure: Failure | None, facts: dict[str, str]) -> str:
    """Return what a report of a problem needs, as text; nothing is sent anywhere.

    logs: the folder of logs and crash reports. device: None while the engine has not said. failure: why the engine could
    not start, None if it did. facts: more lines, by their names.
    """
    lines = [
        "What happened:",
        "(say here what you did, what you expected, and what came instead)",
        "",
        versions(),
        f"Qt {qVersion()} on {QGuiApplication.platformName()}",
        f"Device: {_device(device, failure)}",
        *(f"{name}: {value}" for name, value in facts.items()),
    ]
    crashes = sorted(logs.glob("crash-*.txt"))
    lines += ["", f"Crash reports: {len(crashes)}", *(f"  {path.name}" for path in crashes[-5:])]
    if crashes:
        lines += ["", f"The last one, {crashes[-1].name}:", *_tail(crashes[-1], _CRASH_LINES)]
    lines += ["", "The end of the log:", *(_tail(logs / _LOG, _LOG_LINES) or ["(it is empty)"])]
    return redacted("\n".join(lines))


def _device(device: DeviceInfo | None, failure: Failure | None) -> str:
    if failure is not None:
        return f"none: {failure.message}"
    return "not known yet" if device is None else f"{device.label}. {device.note}".rstrip(". ")


def _tail(path: Path, n: int) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[-n:]
    except OSError:
        return []


def _hidden(path: str) -> str:
    own = _OWN.fullmatch(path)
    if own:
        return f"…/{own[1]}"
    ending = re.search(r"\.[A-Za-z0-9]{1,11}$", path)
    return f"<path>{ending[0] if ending else ''}"
