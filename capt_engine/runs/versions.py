"""Versions of all that a result can depend on, and the processor it was computed on."""

from __future__ import annotations

import importlib.metadata
import platform
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
    """Versions of this program, Python, the platform and the packages that results depend on; "absent" where one is missing."""
    found = {
        "capt-explorer": version("capt-explorer"),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return found | {name: version(name) for name in PACKAGES}


def version(package: str) -> str:
    """One package's version, or "absent"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ABSENT


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # only Linux has that file
    return platform.processor() or platform.machine() or "unknown"
