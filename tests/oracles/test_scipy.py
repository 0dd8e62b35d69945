"""McNemar's test, the bootstrap, Friedman's test and Nemenyi's critical values against scipy's; skipped where that is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from capt_engine.metrics.bootstrap import Bootstrap
from capt_engine.metrics.friedman import critical_difference, friedman
from capt_engine.metrics.mcnemar import mcnemar

stats = pytest.importorskip("scipy.stats", reason="scipy is not installed; nox -s oracles brings it")


@pytest.mark.parametrize("n", [1, 7, 40, 1_999, 2_000, 2_001, 10_000, 100_000, 999_999, 1_000_000])
def test_mcnemar_is_the_binomial_test(n: int) -> None:
    """The same p to 1e-9 of it for equal counts, for a little more on one side, and down to where a float ends."""
    for deviations in (0.0, 0.3, 1.0, 3.0, 8.0, 15.0, 25.0, 36.0):
        k = max(0, round(n / 2 - deviations * n**0.5 / 2))
        assert mcnemar(k, n - k) == pytest.approx(stats.binomtest(k, n).pvalue, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("wins", "losses", "n"), [(60, 40, 500), (30, 5, 250), (4, 1, 300)])
def test_pictures_alone_are_scipys_bootstrap(wins: int, losses: int, n: int) -> None:
    """One seed of one data set: the ends of scipy's percentile interval of a mean, to a twentieth of its width."""
    one = np.array([1.0] * wins + [-1.0] * losses + [0.0] * (n - wins - losses))
    found = Bootstrap(39_999).difference([one[None]])
    low, high = stats.bootstrap(
        (one,), np.mean, n_resamples=39_999, method="percentile", rng=np.random.default_rng(3)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((low, high), abs=(high - low) / 20)


def test_seeds_alone_are_students_interval() -> None:
    """Where every picture of a seed is answered alike, seeds are all that varies: scipy's t interval of five of them, to a tenth."""
    shares = (1.0, 1.0, 0.0, 1.0, 0.0)
    found = Bootstrap(39_999).difference([np.tile(np.array(shares)[:, None], (1, 100))])
    error = stats.sem(shares)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(shares), scale=error)
    assert found.low == pytest.approx(low, abs=0.1 * (high - low))
    assert found.high == 1.0


def test_friedmans_statistic_and_p_are_scipys() -> None:
    """The statistic to 1e-12, ties included; p by shuffling, near that of χ² where there are many data sets."""
    rng = np.random.default_rng(5)
    for sets in (3, 5, 60):
        scores = np.round(rng.random((sets, 6)) + np.linspace(0, 0.15, 6), 1)
        ours, theirs = friedman(scores.tolist()), stats.friedmanchisquare(*scores.T)
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-12)
        if sets == 60:
            assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.015)


def test_critical_values_are_those_of_the_studentised_range() -> None:
    """For 2 to 20 methods, to four digits."""
    for methods in range(2, 21):
        q = stats.studentized_range.ppf(0.95, methods, np.inf) / 2**0.5
        ours = critical_difference(methods, 10)
        assert ours == pytest.approx(q * (methods * (methods + 1) / 60) ** 0.5, abs=2e-4)
