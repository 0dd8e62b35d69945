"""The digest of all code of ours that a result depends on: with other code a question is another one for the result store."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from capt_engine.resources import resource
from capt_engine.runs.versions import version

DECIDING = (
    "attacks",
    "checks",
    "data/images.py",
    "data/kinds.py",
    "evaluation",
    "metrics",
    "model",
    "records/analysis.py",
    "results/cells.py",
    "torch_settings.py",
    "viewing.py",
    "wrappers",
)
"""The parts of the engine that decide a result, as paths in its folder; a test holds them to what an evaluation imports."""

_PACKAGE = "capt-explorer"

RESOURCES = (("fonts", "DejaVuSans-Bold.ttf"),)
"""Bundled files that decide a result, besides the models, which are known by their own SHA-256."""


@functools.cache
def code_digest() -> str:
    """Return the SHA-256, in hexadecimal, of the source of every part in DECIDING, and of the bundled files in RESOURCES.

    Where the program is installed without its source, it is that of the program's version.
    """
    files = deciding_files()
    return digest_of_source((*files, *(resource(*parts) for parts in RESOURCES)), "" if files else version(_PACKAGE))


def deciding_files() -> tuple[Path, ...]:
    """Return the paths of the source files of every part in DECIDING; empty where the program has no source with it."""
    engine = Path(__file__).parents[1]
    return tuple(file for part in DECIDING for file in _python(engine / part))


def digest_of_source(files: Iterable[Path], before: str = "") -> str:
    """Return the SHA-256, in hexadecimal, of the names and contents of `files` in their order, and of the text `before`.

    How lines end does not count.
    """
    total = hashlib.sha256(before.encode())
    for path in files:
        total.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


def _python(place: Path) -> Iterator[Path]:
    yield from sorted(place.rglob("*.py")) if place.is_dir() else (one for one in (place,) if one.is_file())
