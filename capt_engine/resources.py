"""The bundled files, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resources_dir() -> Path:
    """Return the folder of the program's own files: `bundled/` in an installed wheel, `resources/` in a checkout."""
    installed = _PACKAGE / "bundled"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def documents_dir() -> Path:
    """Return the folder of the documents that the help shows: inside the package when installed, `docs/` in a checkout."""
    installed = _PACKAGE / "bundled" / "docs"
    return installed if installed.is_dir() else _PACKAGE.parent / "docs"


def resource(*parts: str) -> Path:
    """Return the path of a bundled file or folder by its parts: `resource("demo", "open_clip_config.json")`.

    Nothing is opened, and the path need not exist.
    """
    return resources_dir().joinpath(*parts)
