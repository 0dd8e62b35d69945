"""Wilson's interval against published values and against what it means."""

from __future__ import annotations

import math

import pytest

from capt_engine.metrics.interval import wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (8, 10, 0.490, 0.943),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(successes: int, n: int, low: float, high: float) -> None:
    """The numbers of the literature, to the digits they are printed with."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-4 if n == 10 else 5e-5)


@pytest.mark.parametrize("n", [1, 7, 1000, 10**6])
def test_ends_are_exact(n: int) -> None:
    """Nothing of n starts at exactly 0, all of n ends at exactly 1, and the two mirror each other."""
    low, high = wilson(0, n)
    assert low == 0.0
    assert 0 < high < 1
    assert wilson(n, n) == pytest.approx((1 - high, 1.0))
    assert wilson(n, n)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(3, 10), (50, 100), (999, 1000)])
def test_ends_are_where_the_observation_is_just_surprising(successes: int, n: int) -> None:
    """By definition: if an end were the truth, the observed share would lie 1.96 standard errors from it."""
    for end in wilson(successes, n):
        errors = (successes / n - end) / math.sqrt(end * (1 - end) / n)
        assert abs(errors) == pytest.approx(1.959964, rel=1e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_no_proportion_no_interval(successes: int, n: int) -> None:
    """Nothing tried, or more found than tried, is a mistake of the caller."""
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n)
