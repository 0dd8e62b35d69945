"""Variants ranked: who is first, what the paired tests say, and Holm's correction by its definition."""

from __future__ import annotations

import random

import pytest

from capt_engine.metrics.interval import wilson
from capt_engine.metrics.mcnemar import mcnemar
from capt_engine.metrics.ranking import VariantAnswers, holm, ranked


def answers(name: str, clean: str, robust: str | None = None, seconds: float = 0.0) -> VariantAnswers:
    """A variant whose answers to pictures 0, 1, … are written as 1 (right) and 0; robust None: not attacked."""
    attacked = [None] * len(clean) if robust is None else [one == "1" for one in robust]
    right = {str(i): (c == "1", r) for i, (c, r) in enumerate(zip(clean, attacked, strict=True))}
    return VariantAnswers("demo", name, right, seconds)


def test_the_best_under_attack_is_first() -> None:
    """Robust accuracy decides, then clean accuracy, then the order given; seconds are those of one picture."""
    found = ranked([answers("a", "1111", "1000"), answers("b", "1100", "1100", 8.0), answers("c", "1110", "1100")])
    assert [one.prompts for one in found] == ["c", "b", "a"]
    assert [one.robust for one in found] == [2, 2, 1]
    assert (found[0].clean_interval, found[0].robust_interval) == (wilson(3, 4), wilson(2, 4))
    assert found[0].gap == pytest.approx(0.25)
    assert found[1].seconds == pytest.approx(2.0)
    assert [one.prompts for one in ranked([answers("x", "10"), answers("y", "11")])] == ["y", "x"]
    assert ranked([answers("x", "10"), answers("y", "11")])[0].robust is None


def test_each_is_tested_against_the_best_on_the_pictures_of_both() -> None:
    """Counts and pictures of which only one is right, McNemar's exact p, and no test of the best with itself."""
    best, other = answers("best", "11111", "11110"), answers("other", "11111", "10011")
    found = ranked([other, best])
    assert (found[0].versus, found[0].p_holm, found[0].lost, found[0].repaired) == (None, None, (), ())
    test = found[1].versus
    assert test is not None
    assert (test.only_a, test.only_b, test.n, test.p_value) == (2, 1, 5, mcnemar(2, 1))
    assert (found[1].lost, found[1].repaired) == (("1", "2"), ("4",))
    elsewhere = VariantAnswers("demo", "elsewhere", {"other": (True, True)})
    assert ranked([best, elsewhere])[-1].versus is None


def test_holms_correction_is_what_it_is_defined_as() -> None:
    """The adjusted p is the smallest level at which Holm's step-down procedure rejects; whatever the order of the tests."""
    stream = random.Random(0)
    for size in (1, 2, 5):
        given = [stream.random() ** 3 for _ in range(size)]
        adjusted = holm(given)
        for level in (0.001, 0.01, 0.05, 0.2, 0.7):
            rejected = set()
            for step, (p, i) in enumerate(sorted(zip(given, range(size), strict=True))):
                if p > level / (size - step):
                    break
                rejected.add(i)
            assert {i for i in range(size) if adjusted[i] <= level} == rejected
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []
