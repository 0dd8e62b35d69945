"""One project of the wizard as a file: versioned, written whole or not at all, and never trusted blindly when read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from capt_engine.errors import CaptError
from capt_engine.files import copy, set_aside, write_atomic
from capt_engine.reading import json_if_sound, renamed, what_fits
from capt_engine.records.tuning import OLD_NAMES
from capt_gui.translate import tr
from capt_gui.view_models.tune.state import TuneState

VERSION = 1
FILE_NAME = "project.json"
PREVIOUS = "project.previous.json"

_FORMAT = "capt-tuning-project"


@dataclass(frozen=True)
class Kept:
    """A project as it lies on disk: its state, and when it was written last (ISO 8601, UTC)."""

    state: TuneState
    written: str


@dataclass(frozen=True)
class _File:
    format: str
    state: dict[str, object]
    version: int = VERSION
    written: str = ""


def load(folder: Path, say: Callable[[str], object] = lambda _: None) -> Kept | None:
    """Read the project in a folder, with the time when it was written.

    A damaged file is renamed, and the copy made by `keep_copy` is read in its place. None if neither can be read. say:
    called with a sentence about a file that was renamed.
    """
    kept = _read(folder / FILE_NAME)
    if kept is not None:
        return kept
    previous = _read(folder / PREVIOUS)
    if (folder / FILE_NAME).exists() and (aside := set_aside(folder / FILE_NAME)) is not None:
        if previous is not None:
            said = tr("The project in {} could not be read. Its file was kept as {}, and the copy of before is used.")
        else:
            said = tr("The project in {} could not be read. Its file was kept as {}; nothing else of it was touched.")
        say(said.format(repr(str(folder)), aside.name))
    return previous


def save(state: TuneState, folder: Path) -> None:
    """Write the state of a project to its folder; after a crash in the middle the old file is still whole.

    Raises CannotWrite if the disk refuses.
    """
    written = datetime.now(UTC).isoformat(timespec="seconds")
    file = _File(_FORMAT, asdict(state), VERSION, written)
    write_atomic(folder / FILE_NAME, json.dumps(asdict(file), indent=1))


def keep_copy(folder: Path) -> None:
    """Copy the project's file to a second file in the same folder, which `load` reads if the first is damaged.

    A damaged file is not copied; a disk that refuses is ignored.
    """
    with contextlib.suppress(OSError, CaptError):
        if _read(folder / FILE_NAME) is not None:
            copy(folder / FILE_NAME, folder / PREVIOUS)


def is_project(folder: Path) -> bool:
    """Return True if a folder is a real one, no link, and holds the file of a project, damaged or not."""
    return (
        not folder.is_symlink() and folder.is_dir() and any((folder / name).is_file() for name in (FILE_NAME, PREVIOUS))
    )


def _read(path: Path) -> Kept | None:
    file = json_if_sound(path, _File, finite=True)
    if file is None or file.format != _FORMAT:
        return None
    # the known fields whose values have the right shape; everything else falls back to its default
    state = what_fits(file.state, TuneState)
    return Kept(replace(state, settings=tuple(renamed(dict(state.settings), OLD_NAMES).items())), file.written)
