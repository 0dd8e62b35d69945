"""McNemar's exact test: the two-sided p of a fair coin that shows one side at most so often."""

from __future__ import annotations

import math

WHOLE = 2_000
"""Up to so many disagreements p is a ratio of whole numbers; above, logarithms give it to about 14 digits in milliseconds."""

# Coefficients B_2m / (2m (2m − 1)) of Stirling's series, of which five leave less than 1e-16 from n = 16 on.
_SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
_SMALL = 16


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test, from how many pictures only A and only B had right; 1.0 for none."""
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0 or 2 * fewer == n:
        return 1.0
    if n <= WHOLE:
        term = tail = 1
        for i in range(fewer):
            term = term * (n - i) // (i + 1)
            tail += term
        # Python divides whole numbers of any length, and rounds once.
        p = (2 * tail) / (1 << n)
        return min(1.0, p)
    return min(1.0, 2 * math.exp(_log_likeliest(n, fewer)) * _sum_of_ratios(n, fewer))


def _sum_of_ratios(n: int, k: int) -> float:
    """Σ_{i ≤ k} C(n, i) / C(n, k) for k < n/2: from k downwards each is i / (n − i + 1) of the one above it."""
    terms, term = [1.0], 1.0
    for i in range(k, 0, -1):
        term *= i / (n - i + 1)
        if term < 1e-20:
            break
        terms.append(term)
    return math.fsum(terms)


def _log_likeliest(n: int, k: int) -> float:
    """log of C(n, k) / 2^n by Loader's expansion (2000), which never subtracts large logarithms from each other."""
    if k == 0:
        return -n * math.log(2)
    exponent = _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)
    exponent -= _deviance(k, n / 2) + _deviance(n - k, n / 2)
    return exponent + 0.5 * math.log(n / (2 * math.pi * k * (n - k)))


def _stirling_error(n: int) -> float:
    """log(n!) − log(√(2πn) (n/e)^n)."""
    if n < _SMALL:
        return math.log(math.factorial(n)) - (0.5 * math.log(2 * math.pi * n) + n * math.log(n) - n)
    return math.fsum(c / n ** (2 * i + 1) for i, c in enumerate(_SERIES))


def _deviance(x: int, mean: float) -> float:
    """x log(x / mean) + mean − x, by its series where x is near the mean and the terms would cancel."""
    v = (x - mean) / (x + mean)
    if abs(v) >= 0.1:
        return x * math.log(x / mean) + mean - x
    total, term, power = (x - mean) * v, 2 * x * v, v * v
    for j in range(1, 1000):
        term *= power
        grown = total + term / (2 * j + 1)
        if grown == total:
            break
        total = grown
    return total
