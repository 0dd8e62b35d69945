"""McNemar's exact test beside the binomial sum in whole numbers, and beside 60 decimal digits where whole numbers take minutes."""

from __future__ import annotations

import time
from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb

import pytest

from capt_engine.metrics.mcnemar import WHOLE, mcnemar

PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
# B_2m / (2m (2m − 1)), in Stirling's series.
SERIES = [(1, 12), (-1, 360), (1, 1260), (-1, 1680), (1, 1188), (-691, 360360), (1, 156)]


def log_factorial(n: int) -> Decimal:
    """log(n!) to far more digits than a float has: by Stirling's series from 10,000 on, where its first terms say all."""
    shift, up = Decimal(1), n
    while up < 10_000:
        up += 1
        shift *= up
    x = Decimal(up)
    rest = sum((Decimal(a) / (b * x ** (2 * i + 1)) for i, (a, b) in enumerate(SERIES)), Decimal(0))
    return x * x.ln() - x + (2 * PI * x).ln() / 2 + rest - shift.ln()


def tail(n: int, k: int) -> Decimal:
    """Twice the chance that a fair coin shows one side at most k times in n, in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        term = (log_factorial(n) - log_factorial(k) - log_factorial(n - k) - n * Decimal(2).ln()).exp()
        total, least = term, term * Decimal("1e-30")
        for i in range(k, 0, -1):
            term *= Decimal(i) / (n - i + 1)
            total += term
            if term < least:
                break
        return min(Decimal(1), 2 * total)


@pytest.mark.parametrize(
    ("a", "b"), [(0, 0), (1, 0), (3, 9), (9, 3), (50, 50), (700, 800), (40, 1960), (980, 1020), (990, 1012), (40, 4000)]
)
def test_p_is_the_binomial_sum(a: int, b: int) -> None:
    """Twice the smaller tail of a fair coin, at most 1; equal to the sum in whole numbers on both sides of the bound."""
    n = a + b
    whole = Fraction(sum(comb(n, i) for i in range(min(a, b) + 1)), 2**n)
    assert mcnemar(a, b) == pytest.approx(min(1.0, float(2 * whole)), rel=1e-12)


@pytest.mark.parametrize("n", [WHOLE + 1, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("deviations", [0.0, 0.5, 2.0, 6.0, 20.0, 34.0])
def test_large_counts_are_exact_too(n: int, deviations: float) -> None:
    """To 1e-9 of p up to a million disagreements, from 1 down to 1e-250, in milliseconds where whole numbers took minutes."""
    k = max(0, round(n / 2 - deviations * n**0.5 / 2))
    begun = time.process_time()
    found = mcnemar(k, n - k)
    # A slow machine is no failure: this takes at most half a millisecond, and whole numbers take longer than anybody waits.
    assert time.process_time() - begun < 0.1
    assert found == mcnemar(n - k, k)
    assert found == pytest.approx(float(tail(n, k)), rel=1e-9)


@pytest.mark.parametrize("k", [700, 950, 990])
def test_the_two_ways_meet(k: int) -> None:
    """One throw more: Pascal's rule ties the last sum of whole numbers to the first of logarithms."""
    whole = mcnemar(k, WHOLE - k) + mcnemar(k - 1, WHOLE - k + 1)
    assert mcnemar(k, WHOLE + 1 - k) == pytest.approx(whole / 2, rel=1e-11)


def test_p_may_be_too_small_for_a_float() -> None:
    """It is 0 then, as a sum in whole numbers rounds to."""
    assert mcnemar(0, 1_000_000) == mcnemar(1_000, 100_000) == 0.0
