"""The folders of what is the user's: settings, logs, downloads and caches, by the platform's own rules."""

from __future__ import annotations

import tomllib
from pathlib import Path

import platformdirs

APP = "capt-explorer"


def config_dir() -> Path:
    """The folder of the settings file."""
    return Path(platformdirs.user_config_dir(APP, appauthor=False))


def data_dir() -> Path:
    """Models and prompt checkpoints."""
    return Path(platformdirs.user_data_dir(APP, appauthor=False))


def models_dir() -> Path:
    """Installed models, a folder each; what is not whole yet begins with a dot."""
    return data_dir() / "models"


def lpips_dir() -> Path:
    """The weights that LPIPS is measured with, a file for each network."""
    return data_dir() / "lpips"


def cache_dir() -> Path:
    """The folder of files that can be made again."""
    return Path(platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """Logs and crash reports."""
    return Path(platformdirs.user_log_dir(APP, appauthor=False))


def chosen_model() -> str:
    """The model last chosen in the window, or "demo"; settings that cannot be read count as none."""
    try:
        model = tomllib.loads((config_dir() / "settings.toml").read_text(encoding="utf-8")).get("model")
    except (OSError, ValueError):
        return "demo"
    return model if isinstance(model, str) and model else "demo"
