"""One project of the wizard as a file: versioned, written whole or not at all, and never trusted blindly when read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capt_engine.errors import CaptError
from capt_engine.files import copy, set_aside, write_atomic
from capt_engine.records.tuning import renamed
from capt_gui.view_models.tune.state import DATA, DONE, IDLE, PAUSED, RESULT, RUNNING, STOPPED, TuneState

VERSION = 1
FILE_NAME = "project.json"
PREVIOUS = "project.previous.json"

_FORMAT = "capt-tuning-project"


@dataclass(frozen=True)
class Kept:
    """A project as it lies on disk: its state, and when it was written last (ISO 8601, UTC)."""

    state: TuneState
    written: str


def load(folder: Path) -> Kept | None:
    """Read the project in a folder; a damaged file is set aside for the copy of the last good start. None when there is neither."""
    kept = _read(folder / FILE_NAME)
    if kept is not None:
        return kept
    if (folder / FILE_NAME).exists():
        set_aside(folder / FILE_NAME)
    return _read(folder / PREVIOUS)


def save(state: TuneState, folder: Path) -> None:
    """Write the project so that a crash in the middle leaves the old file whole. Raises CannotWrite."""
    written = datetime.now(UTC).isoformat(timespec="seconds")
    plain = {"format": _FORMAT, "version": VERSION, "written": written, "state": asdict(state)}
    write_atomic(folder / FILE_NAME, json.dumps(plain, ensure_ascii=False, indent=1))


def keep_copy(folder: Path) -> None:
    """Keep the project as it is now beside itself, for the day its file is damaged; a disk that refuses is no reason to stop."""
    with contextlib.suppress(OSError, CaptError):
        if _read(folder / FILE_NAME) is not None:
            copy(folder / FILE_NAME, folder / PREVIOUS)


def is_project(folder: Path) -> bool:
    """True if a folder is one of ours: a real folder that holds a project, damaged or not."""
    return (
        not folder.is_symlink() and folder.is_dir() and any((folder / name).is_file() for name in (FILE_NAME, PREVIOUS))
    )


def _read(path: Path) -> Kept | None:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(plain, dict) or plain.get("format") != _FORMAT or not isinstance(plain.get("state"), dict):
        return None
    written = plain.get("written")
    return Kept(_from_plain(plain["state"]), written if isinstance(written, str) else "")


def _from_plain(plain: dict[str, Any]) -> TuneState:
    """Take the known fields whose values have the right shape; everything else falls back to its default."""
    taken: dict[str, Any] = {}
    for field in fields(TuneState):
        if field.name not in plain:
            continue
        with contextlib.suppress(TypeError, ValueError):
            read = _READERS.get(field.name) or _same_type_as(getattr(TuneState(), field.name))
            taken[field.name] = read(plain[field.name])
    return TuneState(**taken)


def _same_type_as(default: object) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(default, float) and type(value) is int:
            return float(value)
        if type(value) is not type(default):
            raise TypeError
        return value

    return read


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError
    return tuple(value)


def _pairs(value: object) -> tuple[tuple[str, object], ...]:
    if not isinstance(value, list):
        raise TypeError
    pairs = [(name, own) for name, own in value]
    if not all(isinstance(name, str) and type(own) in (bool, int, float, str) for name, own in pairs):
        raise TypeError
    return tuple(renamed(dict(pairs)).items())


def _shots(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError
    return value


def _eps(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError
    return float(value)  # type: ignore[arg-type]


def _share(value: object) -> float:
    if type(value) not in (int, float) or not 0 <= value < 1:  # type: ignore[operator]
        raise ValueError
    return float(value)  # type: ignore[arg-type]


def _step(value: object) -> int:
    if type(value) is not int or not DATA <= value <= RESULT:
        raise ValueError
    return value


def _run(value: object) -> str:
    if value not in (IDLE, RUNNING, PAUSED, STOPPED, DONE):
        raise ValueError
    return str(value)


_READERS: dict[str, Callable[[object], object]] = {
    "data": _strings,
    "excluded": _strings,
    "excluded_classes": _strings,
    "settings": _pairs,
    "shots": _shots,
    "test_eps": _eps,
    "val_share": _share,
    "test_share": _share,
    "step": _step,
    "reached": _step,
    "run": _run,
}
