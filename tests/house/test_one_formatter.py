"""Numbers become text in one place: no other module writes a percentage, a step of 255, a p-value, a size or a hash by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FORMATTER = "capt_engine/formatting.py"
BY_HAND = {
    "a percentage": re.compile(
        r":[^{}\"']*%\}|(?:\* ?100|\b100 ?\*)[^{}\"']*:[^{}]*\}|(?:\* ?100|\b100 ?/)[^{}\"'=]*\} ?%"
    ),
    "a budget": re.compile(r"\* ?255[^{}\"']*\}|\* ?255:|\}\s*/255"),
    "a p-value": re.compile(r"p_value:[.\d]|\bp = \{|\bp < \{"),
    "a size": re.compile(r"/ ?(?:1e[369]|1_?000(?:_000)*|2 ?\*\* ?[123]0)\b[^{}\"']*:[^{}]*\}|\} ?[kKMG]i?B\b"),
    "a hash": re.compile(r"\[:(?:8|12|16)\]\}?…"),
}
ALLOWED = {
    ("capt_engine/demo/figures.py", "a budget"): "the budget is kept as a whole number of steps there",
    ("capt_engine/attacks/inputs.py", "a budget"): "repeats what was given, to ask whether k/255 was meant",
    ("capt_engine/runs/option_values.py", "a budget"): "repeats what was typed, to ask whether k/255 was meant",
}


@pytest.mark.parametrize("what", BY_HAND)
def test_no_other_module_formats_it(sources: tuple[Path, ...], root: Path, what: str) -> None:
    """Whoever shows a number asks formatting.py for its text."""
    found = []
    for file in sources:
        name = file.relative_to(root).as_posix()
        if name == FORMATTER or (name, what) in ALLOWED:
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        found += [f"{name}:{at}: {line.strip()}" for at, line in enumerate(lines, 1) if BY_HAND[what].search(line)]
    assert not found


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a percentage", 'f"{share:.1%}"'),
        ("a percentage", 'f"{share * 100:.1f}"'),
        ("a percentage", 'f"{100 * share:.0f} %"'),
        ("a budget", 'f"{eps * 255:g}/255"'),
        ("a budget", 'f"{k}/255"'),
        ("a p-value", 'f"p = {p:.2g}"'),
        ("a size", 'f"{n_bytes / 1e6:.1f} MB"'),
        ("a size", 'f"{n / 2**20:,.0f} MiB"'),
        ("a hash", 'f"{sha256[:12]}…"'),
    ],
)
def test_the_search_bites(what: str, line: str) -> None:
    """Each pattern finds what once stood in the tree."""
    assert BY_HAND[what].search(line)
