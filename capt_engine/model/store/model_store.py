"""The installed models: where one is, whether it is still what was installed, and taking it away."""

from __future__ import annotations

from pathlib import Path

from capt_engine import trash
from capt_engine.bundled_models import BUNDLED
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.files import remove_folder
from capt_engine.folders import models_dir
from capt_engine.model.store import catalog, install_record
from capt_engine.resources import resource

LOCAL_DIR = "local-dir:"
TOWER_CONFIG = "tower.json"


def folder_named(model_id: str) -> Path | None:
    """Return the folder that a model's id names, whether it is there or not; None for an id that names a file, or nothing.

    An installed model comes before a folder of the same name in the working folder.
    """
    if model_id in BUNDLED:
        return resource(model_id)
    if model_id.startswith(LOCAL_DIR):
        return Path(model_id.removeprefix(LOCAL_DIR))
    installed = models_dir() / model_id
    if install_record.NAME.fullmatch(model_id) and installed.is_dir():
        return installed
    return Path(model_id) if "@" not in model_id and Path(model_id).is_dir() else None


def folder_of(name: str) -> Path:
    """Return the folder of an installed model by its name or "hf-hub:" id; raise BadRequest if there is none."""
    folder = models_dir() / catalog.install_name(name)
    if folder.parent != models_dir() or not catalog.is_model(folder):
        raise BadRequest(f"No model called {name!r} is installed.", "`capt models list` shows those that are.")
    return folder


def verified(name: str) -> dict[str, str]:
    """Check that an installed model's files are unchanged, and return their SHA-256 by file name.

    Raises BadCheckpoint where a file has changed or nothing was recorded, BadRequest for a model that ships or is not
    installed.
    """
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
    """Delete an installed model with its folder for good, and return the path that the folder had.

    Raises BadRequest for a model that ships with the program or is not installed.
    """
    folder = _removable(name)
    remove_folder(folder)
    return folder


def discard(name: str) -> Path:
    """Move an installed model into the trash of the folder of models, from which `put_back` brings it; return its place.

    Raises BadRequest as `remove` does.
    """
    return trash.discard(_removable(name))


def put_back(name: str) -> None:
    """Move the model that was called `name` back from the trash; raises BadRequest where it is no longer there."""
    trash.put_back(models_dir() / catalog.install_name(name))


def _removable(name: str) -> Path:
    if name in BUNDLED:
        raise BadRequest(f"{name!r} ships with the program.", "It cannot be removed.")
    return folder_of(name)
