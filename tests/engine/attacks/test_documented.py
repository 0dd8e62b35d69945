"""The table of attacks in the documents."""

from __future__ import annotations

from pathlib import Path

from capt_engine.attacks import ATTACKS

PAGE = Path(__file__).parents[3] / "docs" / "attacks.md"


def test_every_attack_has_a_line_that_tells_its_norms() -> None:
    """One row of docs/attacks.md begins with its name, and speaks of a norm exactly where the attack keeps to it."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    by_name = {row.split("`")[1]: row for row in rows}
    assert set(by_name) == set(ATTACKS.names())
    for attack in ATTACKS:
        budget = by_name[attack.name].split("|")[3]
        assert [name for name, shown in (("linf", "L∞"), ("l2", "L2")) if shown in budget] == list(attack.norms)
