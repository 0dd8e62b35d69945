"""The bundled files, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resources_dir() -> Path:
    """The folder of bundled files: `bundled/` inside an installed wheel, `resources/` beside the packages in a checkout."""
    installed = _PACKAGE / "bundled"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def resource(*parts: str) -> Path:
    """The path of one bundled file or folder, e.g. `resource("demo", "open_clip_config.json")`."""
    return resources_dir().joinpath(*parts)
