"""Versions of all that a result can depend on, and the processor it was computed on."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "safetensors",
    "Pillow",
    "numpy",
    "PySide6-Essentials",
    "pyqtgraph",
)
ABSENT = "absent"


def versions() -> dict[str, str]:
    """Return the versions of this program, Python, the platform and the packages that results depend on, by name.

    A package that is not installed has "absent".
    """
    found = {
        "capt-explorer": version("capt-explorer"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return found | {name: version(name) for name in PACKAGES}


def version(package: str) -> str:
    """Return the installed version of the Python package called `package`; "absent" where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ABSENT


def commit() -> str:
    """Return the commit of this program's source, with a "+" where files of the program differ from it.

    Returns "" where it is installed without its repository, or git is not there.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    asked = (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no", "--", "capt_engine", "resources"])
    try:
        head, changed = (
            subprocess.run(["git", "-C", str(root), *one], capture_output=True, text=True, check=True).stdout.strip()
            for one in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head[:12] + ("+" if changed else "")


def processor() -> str:
    """Return the name of this computer's processor as the system tells it; "unknown" where it does not."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # only Linux has that file
    return platform.processor() or platform.machine() or "unknown"
