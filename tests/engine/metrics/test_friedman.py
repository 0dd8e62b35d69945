"""Ranks, Friedman's test and Nemenyi's critical difference against the worked example of Demšar's paper and tables of the small cases."""

from __future__ import annotations

import itertools

import pytest

from capt_engine.metrics.friedman import cliques, critical_difference, friedman

# Demšar (2006), table 6: AUC of C4.5 without and with pruning (m, cf, both) on 14 data sets. In the thirteenth he prints 0.975 twice and
# ranks them 2 and 3, by digits that he does not print; here they have one.
DEMSAR = (
    (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967), (0.628, 0.661, 0.654, 0.657),
    (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931), (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625),
    (0.775, 0.838, 0.866, 0.875), (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
)  # fmt: skip


def test_the_papers_example() -> None:
    """Average ranks 3.143, 2.000, 2.893, 1.964 and a critical difference of 1.25 at 0.05, as the paper has them (there at q = 2.569)."""
    found = friedman(DEMSAR)
    assert found.average == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    assert (found.sets, found.critical_difference) == (14, pytest.approx(1.25, abs=0.005))
    # The paper's 9.28 is without the correction for ties: 12 N / (k (k + 1)) (Σ R² − k (k + 1)² / 4).
    plain = 12 * 14 / 20 * (sum(rank**2 for rank in found.average) - 25)
    assert plain == pytest.approx(9.28, abs=0.01)
    assert found.statistic > plain
    assert 0.005 < found.p_value < 0.05


@pytest.mark.parametrize("statistic", [6.0, 14 / 3])
def test_p_is_exact_where_it_can_be_counted(statistic: float) -> None:
    """Three methods on three sets have 216 orders: p is the share of those at least so uneven (6: 1/36; 4.667: 7/36)."""
    orders = list(itertools.permutations((1.0, 2.0, 3.0)))
    least = [
        rows for rows in itertools.product(orders, repeat=3) if friedman(rows, draws=1).statistic >= statistic - 1e-9
    ]
    rows = next(rows for rows in least if friedman(rows, draws=1).statistic == pytest.approx(statistic))
    assert friedman(rows).p_value == pytest.approx(len(least) / 216, abs=0.012)


def test_equal_scores_share_their_ranks() -> None:
    """Two that are best together are both 1.5; where all are equal everywhere nothing can be told."""
    assert friedman([(0.5, 0.5, 0.1), (0.9, 0.9, 0.2)]).average == (1.5, 1.5, 3.0)
    same = friedman([(0.5, 0.5), (0.7, 0.7)])
    assert (same.statistic, same.p_value) == (0.0, 1.0)


def test_critical_differences_of_the_paper() -> None:
    """Seven methods on five sets must differ by 4.03 ranks; one method, or more than the table has, has none."""
    assert critical_difference(7, 5) == pytest.approx(2.949 * (7 * 8 / 30) ** 0.5, rel=1e-3)
    assert critical_difference(2, 10) == pytest.approx(1.960 * (2 * 3 / 60) ** 0.5, rel=1e-4)
    assert (critical_difference(1, 5), critical_difference(21, 5)) == (None, None)


def test_cliques_are_the_largest_groups_within_the_difference() -> None:
    """Ranks 1, 2, 3.2 and 5 under 1.5: (1, 2), (2, 3.2); not 5, and no group inside another."""
    assert cliques((3.2, 1.0, 5.0, 2.0), 1.5) == ((1, 3), (3, 0))
    assert cliques((1.0, 1.2, 1.4), 1.0) == ((0, 1, 2),)
    assert cliques((1.0, 3.0), 1.0) == ()


@pytest.mark.parametrize("scores", [[(1.0, 2.0)], [(1.0,), (2.0,)], [(1.0, 2.0), (1.0,)]])
def test_too_little_to_rank_is_refused(scores: list[tuple[float, ...]]) -> None:
    """One set, one method, or a missing score."""
    with pytest.raises(ValueError, match="two data sets and two methods"):
        friedman(scores)
