"""Budgets and class lists as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from capt_engine.errors import BadRequest
from capt_engine.runs.option_values import budget, class_list


@pytest.mark.parametrize(
    ("text", "value"), [("4/255", 4 / 255), ("0", 0.0), ("0.03", 0.03), ("1", 1.0), ("0.5/255", 0.5 / 255)]
)
def test_budgets_are_read_exactly(text: str, value: float) -> None:
    """k/255 and floats in [0, 1] mean what they say."""
    assert budget(text) == value


def test_a_budget_of_four_is_refused_with_what_was_meant() -> None:
    """--eps 4 is more than a pixel's whole range; the hint names 4/255."""
    with pytest.raises(BadRequest) as refused:
        budget("4")
    assert "4/255" in refused.value.hint


@pytest.mark.parametrize("text", ["four", "-1/255", "nan", "inf", "1/0", ""])
def test_what_is_no_budget_is_refused(text: str) -> None:
    """Words, negatives, infinities and divisions by zero get a sentence."""
    with pytest.raises(BadRequest, match="--eps"):
        budget(text)


def test_lengths_may_pass_one() -> None:
    """An L2 budget is a length over all pixels, for which 3 is ordinary."""
    assert budget("3", norm="l2") == 3.0


def test_classes_from_words_and_from_a_file(tmp_path: Path) -> None:
    """Commas, lines, blanks and a byte-order mark all end in the same names; in a file of several lines each is one name."""
    file = tmp_path / "classes.txt"
    for text in ("\ufeffcat\n dog \nbird\n\n", "\ufeffcat, dog , bird"):
        file.write_text(text, encoding="utf-8")
        assert class_list("cat, dog,bird,") == class_list(str(file)) == ("cat", "dog", "bird")
    assert class_list('"mug, cup",cube') == ("mug, cup", "cube")


def test_a_class_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 get a sentence."""
    file = tmp_path / "classes.txt"
    file.write_bytes(b"\xff\xfe\x00cat")
    with pytest.raises(BadRequest, match="cannot be read"):
        class_list(str(file))
