"""The page on security promises nothing that no test shows: every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def missing(text: str) -> list[str]:
    """The tests that a text names and nobody wrote."""
    found = []
    for file, name in NAMED.findall(text):
        path = ROOT / file
        if not path.is_file() or (name and f"def {name}(" not in path.read_text("utf-8")):
            found.append(f"{file}::{name}")
    return found


def test_every_promise_has_its_test() -> None:
    """Files and functions stand where the page says, and each row of a table names one."""
    text = PAGE.read_text("utf-8")
    assert not missing(text)
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))]
    assert len(rows) > 10
    assert [line for line in rows if not NAMED.search(line)] == []


def test_a_test_that_is_not_there_is_found() -> None:
    """A name that is spelt wrong, and a file that was moved."""
    assert missing("`tests/house/test_security_page.py::test_nothing` `tests/nowhere.py`") == [
        "tests/house/test_security_page.py::test_nothing",
        "tests/nowhere.py::",
    ]
