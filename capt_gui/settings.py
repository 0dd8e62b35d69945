"""What the window remembers between two starts: one dataclass, kept as a small TOML file."""

from __future__ import annotations

import contextlib
import os
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

VERSION = 1
FILE_NAME = "settings.toml"
AUTO, OFF = "auto", "off"

# version -> what brings the plain values of that version to the next one
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass
class Settings:
    """Every choice that outlives the window; the defaults are what a newcomer sees.

    geometry: Qt's own window geometry in base64. eps: budget per norm. steps: 0 means the attack's own number.
    expert: per attack, the settings that differ from its defaults. classes: per model, the list the user wrote; a model
    that is not named is asked about its own suggestion. `model` is read by the command line too, so it stays a plain
    string at the top of the file. prompts: side A, empty for plain text. compare: side B by its id, AUTO for the usual partner
    of A, OFF for none. aim: whom an attack is computed on. perturb, rounding: of the threat, for every attack. prompt_files:
    checkpoints opened from disk, the latest first. keep_runs: analyses are kept on disk, so that reports can be made of them.
    report_left_out: ids of sections. tune_recent: where pictures for tuning came from, the latest first; several folders of one
    drop are joined by line breaks. evaluate_test: a suite, an attack, or "none"; evaluate_limit: at most so many pictures, 0
    for all; evaluate_expert: as `expert`, for suites too.
    """

    version: int = VERSION
    model: str = "demo"
    prompts: str = ""
    compare: str = AUTO
    aim: str = "each"
    device: str = "auto"
    offline: bool = False
    theme: str = "system"
    attack: str = "pgd"
    norm: str = "linf"
    steps: int = 0
    seed: int = 0
    perturb: str = "input"
    rounding: str = "none"
    auto_run: bool = True
    last_folder: str = ""
    geometry: str = ""
    expert_open: bool = False
    keep_runs: bool = True
    report_format: str = "pdf"
    report_redact: bool = False
    report_left_out: list[str] = field(default_factory=list)
    report_columns: list[int] = field(default_factory=list)
    tune_recent: list[str] = field(default_factory=list)
    evaluate_recent: list[str] = field(default_factory=list)
    evaluate_test: str = "quick"
    evaluate_norm: str = "linf"
    evaluate_curve: bool = False
    evaluate_checks: str = "cheap"
    evaluate_limit: int = 200
    prompt_files: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    eps: dict[str, float] = field(default_factory=dict)
    expert: dict[str, dict[str, bool | int | float | str]] = field(default_factory=dict)
    evaluate_expert: dict[str, dict[str, bool | int | float | str]] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)
    template: dict[str, str] = field(default_factory=dict)


class UpgradeError(Exception):
    """A settings file of an older version that cannot be brought to this one."""


def settings_path() -> Path:
    """Where the settings of this user are kept."""
    return Path(platformdirs.user_config_dir("capt-explorer", appauthor=False)) / FILE_NAME


def load(path: Path) -> tuple[Settings, str]:
    """Read the settings; a damaged file is set aside. Returns them with a sentence for the user, or none."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _from_plain(upgrade(data, UPGRADES, VERSION)), ""
    except FileNotFoundError:
        return Settings(), ""
    except OSError as problem:
        return Settings(), f"The settings could not be read ({problem.strerror}), so the defaults are used."
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, UpgradeError):
        return Settings(), set_aside(path, "The settings file was damaged")


def save(settings: Settings, path: Path) -> None:
    """Write the settings so that a crash in the middle leaves the old file whole. Raises OSError when it cannot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".settings-", suffix=".toml", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(tomli_w.dumps(asdict(settings)).encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def set_aside(path: Path, reason: str) -> str:
    """Rename a settings file to the next free settings.bad-N.toml and say so."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.bad-{number}{path.suffix}")).exists():
        number += 1
    try:
        path.replace(aside)
    except OSError:
        return f"{reason} and could not be set aside, so the defaults are used for now."
    return f"{reason}. It was kept as {aside.name}, and the defaults are used."


def upgrade(
    data: dict[str, Any], upgrades: dict[int, Callable[[dict[str, Any]], dict[str, Any]]], version: int
) -> dict[str, Any]:
    """Bring the values of an older file to `version`, one step at a time; the argument stays as it was.

    Raises UpgradeError when a step is missing or fails. A newer file is taken for what it shares with ours.
    """
    values = dict(data)
    found = values.get("version", version)
    if not isinstance(found, int) or isinstance(found, bool):
        raise UpgradeError(f"the version is {found!r}")
    for step in range(found, version):
        try:
            values = upgrades[step](dict(values))
        except Exception as problem:
            raise UpgradeError(f"from version {step}: {problem!r}") from problem
    return values | {"version": version}


def _from_plain(data: dict[str, Any]) -> Settings:
    """Take the known keys whose values have the right shape; everything else falls back to its default."""
    settings = Settings()
    if data.get("space") == "original size":  # as versions before 0.2 wrote it
        data = {"perturb": "original", **data}
    for entry in fields(Settings):
        value = data.get(entry.name)
        if value is not None and _fits(entry.name, value, getattr(settings, entry.name)):
            setattr(settings, entry.name, value)
    return settings


def _fits(name: str, value: object, default: object) -> bool:
    """Whether a value read from the file has the type, and inside lists and tables the types, that the setting has."""
    if type(value) is not type(default):
        return False
    if isinstance(value, list):
        return all(type(item) is _LISTS[name] for item in value)
    if isinstance(value, dict):
        return all(_TABLES[name](item) for item in value.values())
    return True


def _is_budget(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and item >= 0


def _is_names(item: object) -> bool:
    return isinstance(item, list) and all(isinstance(name, str) for name in item)


def _is_values(item: object) -> bool:
    return isinstance(item, dict) and all(type(value) in (bool, int, float, str) for value in item.values())


_LISTS: dict[str, type] = {
    "columns": int,
    "rows": int,
    "prompt_files": str,
    "report_left_out": str,
    "report_columns": int,
    "tune_recent": str,
    "evaluate_recent": str,
}
_TABLES: dict[str, Callable[[object], bool]] = {
    "eps": _is_budget,
    "expert": _is_values,
    "evaluate_expert": _is_values,
    "classes": _is_names,
    "template": lambda item: isinstance(item, str),
}
