"""The folders of what is the user's: settings, logs, downloads and caches, by the platform's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import platformdirs

from capt_engine.errors import CaptError
from capt_engine.reading import read_toml

APP = "capt-explorer"


def config_dir() -> Path:
    """The folder of the settings file."""
    return Path(platformdirs.user_config_dir(APP, appauthor=False))


def data_dir() -> Path:
    """The folder of models and prompt checkpoints."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def models_dir() -> Path:
    """The folder of installed models, a folder each; what is not whole yet begins with a dot."""
    return data_dir() / "models"


def lpips_dir() -> Path:
    """The folder of the weights that LPIPS is measured with, a file for each network."""
    return data_dir() / "lpips"


def cache_dir() -> Path:
    """The folder of files that can be made again."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """The folder of logs and crash reports."""
    return Path(platformdirs.user_log_dir(APP, appauthor=False))


def chosen_model() -> str:
    """Return the model last chosen in the window, or "demo"; settings that cannot be read count as none."""
    try:
        model = read_toml(config_dir() / "settings.toml", dict[str, Any]).get("model")
    except CaptError:
        return "demo"
    return model if isinstance(model, str) and model else "demo"
