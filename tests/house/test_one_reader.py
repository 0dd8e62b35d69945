"""JSON and TOML are read in one place, so that no reader forgets a way in which a file can be wrong."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARSES = re.compile(r"\bjson\.loads?\(|\btomllib\b|\bmsgspec\.(?:json|toml)\b")
ELSEWHERE = {
    "capt_engine/model/importers/reading.py": "the limits and the answer of our own child process, which may not open further files",
    "capt_engine/attacks/corruptions/worker.py": "a line of the program's own, through a pipe to its own process",
    "capt_engine/tuning/state.py": "through JSON and back, to compare tuples with lists",
}


def test_nothing_else_parses_json_or_toml() -> None:
    """Every other module that parses has its reason, and every reason its module."""
    files = [file for package in ("capt_engine", "capt_gui") for file in sorted((ROOT / package).rglob("*.py"))]
    found = {file.relative_to(ROOT).as_posix() for file in files if PARSES.search(file.read_text(encoding="utf-8"))}
    assert found == {"capt_engine/reading.py", *ELSEWHERE}
