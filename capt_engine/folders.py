"""The folders of what is the user's: settings, logs, downloads and caches, by the platform's own rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.errors import CaptError
from capt_engine.reading import read_toml

APP = "capt-explorer"

_T = TypeVar("_T", str, int, float)
RESULTS = "CAPT_CACHE_DIR"
"""The environment variable that names the folder of the result store, for another disk than that of the user's data."""


def config_dir() -> Path:
    """Return the user's folder that holds the settings file of this program; the folder need not exist."""
    return Path(platformdirs.user_config_dir(APP, appauthor=False))


def data_dir() -> Path:
    """Return the user's folder that holds installed models and prompt checkpoints; the folder need not exist."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def models_dir() -> Path:
    """Return the folder in which each installed model is a folder of its own; it need not exist.

    It is the one that was chosen in the window, as long as that is there. A subfolder whose name begins with a dot is a
    model that is not whole yet.
    """
    return _chosen_folder("models_folder", data_dir() / "models")


def runs_dir() -> Path:
    """Return the folder in which runs are kept when nobody names another; it need not exist.

    It is the one that was chosen in the window, as long as that is there.
    """
    return _chosen_folder("runs_folder", data_dir() / "runs")


def projects_dir() -> Path:
    """Return the folder of the tuning projects of the window; it need not exist.

    It is the one that was chosen in the window, as long as that is there.
    """
    return _chosen_folder("data_folder", data_dir() / "tuning")


def lpips_dir() -> Path:
    """Return the folder of the LPIPS weights (a measure of visual distance), one file a network; it need not exist."""
    return data_dir() / "lpips"


def results_dir() -> Path:
    """Return the folder of the result store: the one that CAPT_CACHE_DIR names, or one in the user's data folder beside the runs."""
    named = os.environ.get(RESULTS)
    return Path(named).expanduser() if named else data_dir() / "results"


def cache_dir() -> Path:
    """Return the user's folder for files that the program can make again; the folder need not exist."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """Return the user's folder for logs and crash reports; the folder need not exist."""
    return Path(platformdirs.user_log_dir(APP, appauthor=False))


def chosen_model() -> str:
    """Return the id of the model last chosen in the window, from the settings file; the default model where it has none."""
    return window_setting("model", "") or DEFAULT_MODEL


def window_setting(name: str, usual: _T) -> _T:
    """Return the setting `name` from the settings file of the window; `usual` where it is not there or of another type."""
    try:
        value = read_toml(config_dir() / "settings.toml", dict[str, Any]).get(name)
    except CaptError:
        return usual
    return value if type(value) is type(usual) else usual


def missing_folders() -> tuple[Path, ...]:
    """Return the folders chosen in the window that are not there now, such as on a disk that is not connected."""
    named = (window_setting(name, "") for name in ("models_folder", "runs_folder", "data_folder"))
    return tuple(Path(name) for name in named if name and not Path(name).is_dir())


def _chosen_folder(name: str, usual: Path) -> Path:
    chosen = window_setting(name, "")
    return Path(chosen) if chosen and Path(chosen).is_dir() else usual
