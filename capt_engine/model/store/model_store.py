"""The installed models: where one is, whether it is still what was installed, and taking it away."""

from __future__ import annotations

from pathlib import Path

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import remove_folder
from capt_engine.folders import models_dir
from capt_engine.model.store import catalog, install_record

BUNDLED = ("demo", "demo-robust")


def folder_of(name: str) -> Path:
    """The folder of an installed model; raises BadRequest."""
    folder = models_dir() / catalog.install_name(name)
    if folder.parent != models_dir() or not catalog.is_model(folder):
        raise BadRequest(f"No model called {name!r} is installed.", "`capt models list` shows those that are.")
    return folder


def verified(name: str) -> dict[str, str]:
    """Files and SHA-256 of an installed model, which are what they were; raises BadCheckpoint where one has changed, BadRequest."""
    if name in BUNDLED:
        raise BadRequest(f"{name!r} ships with the program; no hash of it is kept.", "Name an installed model.")
    note = folder_of(name) / install_record.INSTALLED
    changed = install_record.changed(note)
    if changed:
        raise BadCheckpoint(
            f"{name!r} was changed since it was installed: {', '.join(changed)}.",
            "If that was not you, remove it and install it again.",
        )
    return install_record.remembered(note) or {}


def remove(name: str) -> Path:
    """Delete an installed model; raises BadRequest for one that ships or is not there."""
    if name in BUNDLED:
        raise BadRequest(f"{name!r} ships with the program.", "It cannot be removed.")
    folder = folder_of(name)
    remove_folder(folder)
    return folder
