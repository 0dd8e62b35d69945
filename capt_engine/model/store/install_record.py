"""The record of an installed model or prompts: where they came from, and the SHA-256 of every file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from capt_engine import files
from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.reading import read_json

INSTALLED = "installed.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST = 1_000_000


def checked_name(name: str, taken: tuple[str, ...] = ()) -> str:
    """Check that a model or prompts can be installed under `name`, and return the name unchanged.

    taken: names that stand for something that ships with the program. Raises BadRequest for one of them, or for a name
    that not every system allows as a file name.
    """
    if not NAME.fullmatch(name) or name.endswith("."):
        raise BadRequest(
            f"{name!r} cannot be a name.", "Use letters, digits, dot, dash and underscore, a letter or digit first."
        )
    if name in taken:
        raise BadRequest(f"{name!r} stands for something that ships with the program.", "Choose another name.")
    return name


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; raise BadCheckpoint where the file cannot be read."""
    try:
        return files.sha256(path)
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error


@dataclass(frozen=True)
class InstallRecord:
    """The part of an install record that every one has: SHA-256 by file name, as the files were when they were installed."""

    files: dict[str, str]


def remember(note: Path, paths: tuple[Path, ...], facts: Mapping[str, object]) -> None:
    """Write the install record (JSON) `note` with the SHA-256 of the files `paths`, the time, and further `facts`.

    A record that is there is replaced. Raises BadCheckpoint where a file cannot be read.
    """
    record = {
        **facts,
        "files": {path.name: sha256(path) for path in paths},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    files.write_atomic(note, json.dumps(record, indent=1) + "\n")


def remembered(note: Path) -> dict[str, str] | None:
    """Read the SHA-256 of each file by its name from the install record `note`; None if there is no such record.

    Raises BadCheckpoint for a damaged record.
    """
    if not note.is_file():
        return None
    return read_json(note, InstallRecord, error=BadCheckpoint, hint="Install it again.", most=_LONGEST).files


def changed(note: Path) -> tuple[str, ...]:
    """Return the names of installed files that are gone, or whose SHA-256 is not the one in the install record `note`.

    Raises BadCheckpoint where there is no record or it is damaged.
    """
    kept = remembered(note)
    if kept is None:
        raise BadCheckpoint(
            f"Nothing was remembered of {note.parent.name!r} when it was put there, so nothing can be compared.",
            "Import it to have its hash kept.",
        )
    paths = {name: note.parent / Path(name).name for name in sorted(kept)}
    return tuple(name for name, path in paths.items() if not _is_there(path) or sha256(path) != kept[name])


def _is_there(path: Path) -> bool:
    # A damaged record may hold a name that no file can have.
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def discard(path: Path) -> None:
    """Delete a file or folder, such as an unfinished one, without complaint if it is not there or cannot be deleted."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
