"""McNemar's test against scipy's exact binomial test; skipped where that is not installed."""

from __future__ import annotations

import pytest

from capt_engine.metrics.mcnemar import mcnemar

stats = pytest.importorskip("scipy.stats", reason="scipy is not installed; nox -s oracles brings it")


@pytest.mark.parametrize("n", [1, 7, 40, 1_999, 2_000, 2_001, 10_000, 100_000, 999_999, 1_000_000])
def test_mcnemar_is_the_binomial_test(n: int) -> None:
    """The same p to 1e-9 of it for equal counts, for a little more on one side, and down to where a float ends."""
    for deviations in (0.0, 0.3, 1.0, 3.0, 8.0, 15.0, 25.0, 36.0):
        k = max(0, round(n / 2 - deviations * n**0.5 / 2))
        assert mcnemar(k, n - k) == pytest.approx(stats.binomtest(k, n).pvalue, rel=1e-9, abs=1e-300)
