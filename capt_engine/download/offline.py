"""The lock on the network, and a ledger of everything that was ever fetched over it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from capt_engine.errors import BadRequest, CaptError
from capt_engine.files import refused, write_atomic
from capt_engine.folders import data_dir
from capt_engine.reading import decode
from capt_engine.records import LedgerEntry

_LOCK = "offline"
_LEDGER = "downloads.jsonl"
_TRUE = {"1", "ON", "YES", "TRUE"}


def lock_path() -> Path:
    """Return the path of the file that, while it exists, keeps the program from downloading anything."""
    return data_dir() / _LOCK


def reason() -> str:
    """Return a sentence that says why nothing may be downloaded; "" if it may.

    The reasons are the lock file, HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE. A single run's own option to stay offline is
    not looked at.
    """
    if lock_path().exists():
        return "This program was set to work offline for good."
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").upper() in _TRUE:
            return f"{name} is set, so nothing is fetched."
    return ""


def require_network() -> None:
    """Raise BadRequest, with the reason, if the lock file or an environment variable forbids downloading."""
    why = reason()
    if why:
        lift = "Lift it with `capt models offline off`, or on the Models page." if lock_path().exists() else "Unset it."
        raise BadRequest(why, f"{lift} A folder that you already have works without the network.")


def set_lock(locked: bool) -> None:
    """Forbid all downloads from now on (True) by creating the lock file, or allow them again (False) by deleting it.

    Raises CannotWrite where the disk refuses.
    """
    if locked:
        write_atomic(lock_path(), "While this file is here, CAPT Explorer downloads nothing.\n")
    else:
        with refused(lock_path()):
            lock_path().unlink(missing_ok=True)


def note(entry: LedgerEntry) -> None:
    """Append one download to the ledger of downloads; it is safely on the disk when this returns. Raises CannotWrite."""
    path = data_dir() / _LEDGER
    with refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())


def ledger() -> tuple[LedgerEntry, ...]:
    """Return every recorded download, newest first; damaged lines are left out, and without a ledger the result is empty."""
    entries = []
    try:
        lines = (data_dir() / _LEDGER).read_bytes().splitlines()
    except OSError:
        return ()
    for line in lines:
        with suppress(CaptError):
            entries.append(decode(line, LedgerEntry, called="a line of the ledger"))
    return tuple(reversed(entries))
