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
    """A name to install under; raises BadRequest where it could not be a folder or file everywhere, or stands for something else."""
    if not NAME.fullmatch(name) or name.endswith("."):
        raise BadRequest(
            f"{name!r} cannot be a name.", "Use letters, digits, dot, dash and underscore, a letter or digit first."
        )
    if name in taken:
        raise BadRequest(f"{name!r} stands for something that ships with the program.", "Choose another name.")
    return name


def sha256(path: Path) -> str:
    """Of a whole file; raises BadCheckpoint where it cannot be read."""
    try:
        return files.sha256(path)
    except OSError as error:
        raise BadCheckpoint(f"{str(path)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error


@dataclass(frozen=True)
class InstallRecord:
    """The part of an install record that every one has: SHA-256 by file name, as the files were when they were installed."""

    files: dict[str, str]


def remember(note: Path, paths: tuple[Path, ...], facts: Mapping[str, object]) -> None:
    """Write beside the files what is known of them and their hashes as they are now."""
    record = {
        **facts,
        "files": {path.name: sha256(path) for path in paths},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    files.write_atomic(note, json.dumps(record, indent=1) + "\n")


def remembered(note: Path) -> dict[str, str] | None:
    """SHA-256 by file name from an install record; None if there is none. Raises BadCheckpoint for a damaged one."""
    if not note.is_file():
        return None
    return read_json(note, InstallRecord, error=BadCheckpoint, hint="Install it again.", most=_LONGEST).files


def changed(note: Path) -> tuple[str, ...]:
    """The files that are not what they were when they were installed, or are gone. Raises BadCheckpoint where nothing was remembered."""
    kept = remembered(note)
    if kept is None:
        raise BadCheckpoint(
            f"Nothing was remembered of {note.parent.name!r} when it was put there, so nothing can be compared.",
            "Import it to have its hash kept.",
        )
    paths = {name: note.parent / Path(name).name for name in sorted(kept)}
    return tuple(name for name, path in paths.items() if not path.is_file() or sha256(path) != kept[name])


def discard(path: Path) -> None:
    """Remove what was staged and did not become anything."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
