"""A scan's answer beside its inventory, so that a project that is opened again need not look at every picture first."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capt_engine.files import write_atomic
from capt_engine.records import ClassCount, Duplicates, FailedPicture, LongName, Member, ScanResult, TinyPicture

FILE_NAME = "scan.json"

_FORMAT, _VERSION = "capt-scan", 1


def save(result: ScanResult, folder: Path) -> None:
    """Write it, whole or not at all. Raises CannotWrite."""
    plain = {"format": _FORMAT, "version": _VERSION, "result": asdict(result)}
    write_atomic(folder / FILE_NAME, json.dumps(plain, ensure_ascii=False))


def load(folder: Path) -> ScanResult | None:
    """Read it; None when there is none that can be understood, or its inventory is gone: then one scans again."""
    try:
        plain = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if plain["format"] != _FORMAT or plain["version"] != _VERSION:
            return None
        result = _from_plain(plain["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if result.inventory and Path(result.inventory).is_file() else None


def _from_plain(plain: dict[str, Any]) -> ScanResult:
    return ScanResult(
        **plain
        | {
            "splits": _pairs(plain["splits"]),
            "classes": tuple(ClassCount(**own | {"by_split": _pairs(own["by_split"])}) for own in plain["classes"]),
            "unreadable": tuple((name, FailedPicture(**own)) for name, own in plain["unreadable"]),
            "tiny": tuple(TinyPicture(**own) for own in plain["tiny"]),
            "same": _groups(plain["same"]),
            "alike": _groups(plain["alike"]),
            "long_names": tuple(LongName(**own) for own in plain["long_names"]),
            "notes": tuple(plain["notes"]),
        }
    )


def _pairs(plain: list[list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((name, count) for name, count in plain)


def _groups(plain: list[dict[str, Any]]) -> tuple[Duplicates, ...]:
    return tuple(Duplicates(tuple(Member(**own) for own in group["members"])) for group in plain)
