"""Folders that this program wrote itself: their pictures are results, and never belong to a data set around them."""

from __future__ import annotations

from pathlib import Path

from capt_engine.reading import json_if_sound

DEMO_MARK = ".capt-demo-data.json"
"""The hidden file beside drawn class folders: who made them and how."""

DRAWN = "a data set that `capt demo data` drew"

_LEFT_OUT = "Left out: "
_OURS = "CAPT Explorer"
_REPORTS = ('"schema": "capt-report/', f'<meta name="generator" content="{_OURS}">')
_RUN = ("manifest.json", "rows.csv")
_WORK = ("cells", "prompts", "locks")


def product(folder: Path) -> str:
    """Return what the folder at `folder` is, as words for a sentence, where this program keeps results in it; else "".

    A run is recognised by its manifest and its rows, the work folder of a protocol by its three subfolders. A folder
    that cannot be read counts as the user's.
    """
    try:
        if all((folder / name).is_file() for name in _RUN):
            manifest = json_if_sound(folder / _RUN[0], dict[str, object]) or {}
            return "a run that CAPT Explorer kept" if "request" in manifest and "format" in manifest else ""
        if all((folder / name).is_dir() for name in _WORK):
            return "the work folder of a protocol of CAPT Explorer"
    except (OSError, ValueError):
        return ""
    return ""


def product_file(path: Path, text: str) -> str:
    """Return what the file at `path` with the content `text` is, as words for a sentence, where this program wrote it.

    Known are the reports, and the JSON files of a run. Else returns "", as for a run's rows, which are a list of
    pictures with labels too.
    """
    if path.suffix.lower() == ".json" and product(path.parent):
        return "a file of a run that CAPT Explorer kept"
    is_report = any(mark in text[:4096] for mark in _REPORTS) or (text[:5] == "%PDF-" and _OURS in text)
    return "a report of CAPT Explorer" if is_report else ""


def is_drawn(folder: Path) -> bool:
    """Return True where `capt demo data` drew the class folders in `folder`, which is a data set of its own then."""
    try:
        return (folder / DEMO_MARK).is_file()
    except (OSError, ValueError):
        return False


def left_out(name: str, what: str) -> str:
    """Return the sentence that the folder called `name` was passed over, as it is `what` (the words of `product`)."""
    return f"{_LEFT_OUT}the folder {name!r} is {what}, not a part of the data."


def is_left_out(note: str) -> bool:
    """Return True for a sentence that `left_out` made."""
    return note.startswith(_LEFT_OUT)
