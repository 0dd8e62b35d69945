"""The folders of what is the user's: settings, logs, downloads and caches, by the platform's own rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import platformdirs

from capt_engine.bundled_models import DEFAULT_MODEL
from capt_engine.errors import CaptError
from capt_engine.reading import read_toml

APP = "capt-explorer"

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

    A subfolder whose name begins with a dot is a model that is not whole yet.
    """
    return data_dir() / "models"


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
    try:
        model = read_toml(config_dir() / "settings.toml", dict[str, Any]).get("model")
    except CaptError:
        return DEFAULT_MODEL
    return model if isinstance(model, str) and model else DEFAULT_MODEL
