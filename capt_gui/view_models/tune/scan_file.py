"""A scan's answer beside its inventory, so that a project that is opened again need not look at every picture first."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from capt_engine.files import write_atomic
from capt_engine.reading import json_if_sound
from capt_engine.records import ScanResult

FILE_NAME = "scan.json"

_FORMAT, _VERSION = "capt-scan", 1


@dataclass(frozen=True)
class _Kept:
    format: str
    version: int
    result: ScanResult


def save(result: ScanResult, folder: Path) -> None:
    """Write the result of a scan to a file in the project's folder, whole or not at all.

    Raises CannotWrite if the disk refuses.
    """
    write_atomic(folder / FILE_NAME, json.dumps(asdict(_Kept(_FORMAT, _VERSION, result))))


def load(folder: Path) -> ScanResult | None:
    """Read the result of a scan from the project's folder.

    None if there is none, if it cannot be understood, or if the inventory (the scan's own list of pictures) is gone.
    """
    kept = json_if_sound(folder / FILE_NAME, _Kept, finite=True)
    if kept is None or (kept.format, kept.version) != (_FORMAT, _VERSION):
        return None
    try:
        is_there = bool(kept.result.inventory) and Path(kept.result.inventory).is_file()
    except (OSError, ValueError):  # a name that no file can have
        is_there = False
    return kept.result if is_there else None
