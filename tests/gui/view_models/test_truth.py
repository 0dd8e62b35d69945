"""The right answer decides the words; where nobody gave one, they take no side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import make_row

from capt_engine.records import PictureRow, ThreatModel, Verdict
from capt_gui.view_models import formatting
from capt_gui.view_models.explore import comparison
from capt_gui.view_models.truth import WORST_FIRST, named, outcome_of

NAMES = ("cat", "dog", "emu")


def answered(before: str, after: str = "") -> PictureRow:
    """The row of a picture that the model called `before`, and after an attack `after`."""

    def verdict(name: str) -> Verdict:
        shares = tuple(0.9 if one == name else 0.05 for one in NAMES)
        return Verdict(shares, shares)

    row = replace(make_row("a"), classes=NAMES, label=before, clean=verdict(before))
    return replace(row, attacked=verdict(after) if after else None, success=None, threat=ThreatModel(eps=4 / 255))


CASES = [
    # the answer before and after, the right one, the outcome, words of a pair, words of a single picture
    ("cat", "cat", "cat", "held", "cat 90.0 %, held", "still cat (90.0 %) at ε = 4/255, right"),
    ("cat", "dog", "cat", "broken", "cat 90.0 % → dog 90.0 %, fooled", "cat 90.0 % → dog 90.0 %: fooled at ε = 4/255"),
    ("dog", "dog", "cat", "wrong", "dog 90.0 %, wrong", "still dog (90.0 %) at ε = 4/255, wrong: cat is right"),
    (
        "dog", "emu", "cat", "wrong", "dog 90.0 % → emu 90.0 %, wrong",
        "dog 90.0 % → emu 90.0 % at ε = 4/255, wrong: cat is right",
    ),
    (
        "dog", "cat", "cat", "corrected", "dog 90.0 % → cat 90.0 %, made right by the attack",
        "dog 90.0 % → cat 90.0 % at ε = 4/255: the attack made it right",
    ),
    ("cat", "", "cat", "right", "cat 90.0 %, right", "cat 90.0 %, right"),
    ("dog", "", "cat", "wrong", "dog 90.0 %, wrong", "dog 90.0 %, wrong: cat is right"),
    ("cat", "cat", "", "kept", "cat 90.0 %, kept", "still cat (90.0 %) at ε = 4/255"),
    ("cat", "dog", "", "changed", "cat 90.0 % → dog 90.0 %, changed", "cat 90.0 % → dog 90.0 %: changed at ε = 4/255"),
    ("cat", "dog", "yak", "changed", "cat 90.0 % → dog 90.0 %, changed", "cat 90.0 % → dog 90.0 %: changed at ε = 4/255"),
    ("cat", "", "", "ready", "cat 90.0 %", "cat 90.0 %"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "label", "outcome", "of_a_pair", "alone"), CASES)
def test_words_follow_the_right_answer(
    before: str, after: str, label: str, outcome: str, of_a_pair: str, alone: str
) -> None:
    """A wrong answer that stays is not held, one that the attack makes right is not fooled; unlabelled there is neither."""
    row = answered(before, after)
    assert outcome_of(row, label) == outcome
    assert outcome in WORST_FIRST
    assert comparison.verdict(row, label) == of_a_pair
    assert formatting.headline(row, label) == alone


def test_the_model_s_own_answer_is_no_truth() -> None:
    """A row's own label counts where somebody gave it, and what is typed counts before it."""
    row = answered("cat", "dog")
    assert outcome_of(row) == "changed"
    assert outcome_of(replace(row, label_source="folder")) == "broken"
    assert outcome_of(replace(row, label_source="folder"), "dog") == "corrected"


def test_a_target_that_is_reached_is_said() -> None:
    """Also where it is known that the model was fooled by it."""
    row = replace(answered("cat", "dog"), threat=ThreatModel(target="dog"))
    assert {comparison.verdict(row, label).rpartition(", ")[2] for label in ("", "cat")} == {"target reached"}


def test_names_are_found_as_people_write_them() -> None:
    """Case, underscores and spaces do not matter; what two names read like says nothing."""
    assert named(("stop sign", "crane"), " Stop_Sign ") == "stop sign"
    assert named(("crane", "Crane"), "crane") == ""
    assert named(("crane",), "") == named(("crane",), "heron") == ""
