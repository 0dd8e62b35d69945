"""The hierarchical bootstrap against variances known in closed form, exact tests, and worlds in which nothing differs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from capt_engine.metrics.bootstrap import DRAWS, Bootstrap, Difference, Differences, corrected, draws_for
from capt_engine.metrics.mcnemar import mcnemar

RNG = np.random.default_rng


def answers(wins: int, losses: int, n: int, seeds: int = 1) -> Differences:
    """One data set in which every seed has the same `wins` and `losses` of `n` pictures."""
    return np.tile(np.array([1.0] * wins + [-1.0] * losses + [0.0] * (n - wins - losses)), (seeds, 1))


def test_the_difference_is_the_mean_of_the_data_sets_means() -> None:
    """A set of 10 pictures and one of 1,000 count alike, and n, seeds and sets are told."""
    found = Bootstrap().difference([answers(5, 0, 10, seeds=3), answers(100, 0, 1_000, seeds=2)])
    assert found.difference == pytest.approx(0.3)
    assert (found.n, found.seeds, found.sets, found.p_holm) == (1_010, 2, 2, None)


def test_pictures_alone_give_the_binomial_interval() -> None:
    """One seed of one set: half the interval is 1.96 standard errors of a mean, within 2 % of it."""
    one = answers(60, 40, 500)
    error = one.std(ddof=1) / 500**0.5
    found = Bootstrap(29_999).difference([one])
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.02)
    assert (found.high + found.low) / 2 == pytest.approx(0.04, abs=0.002)


def test_seeds_on_the_same_pictures_are_not_more_pictures() -> None:
    """Three seeds that answer alike tell no more than one: the interval is as wide. Nested draws would make it 1.7 times as narrow."""
    one, three = (Bootstrap().difference([answers(60, 40, 500, seeds)]) for seeds in (1, 3))
    assert three.high - three.low == pytest.approx(one.high - one.low, rel=0.05)


def test_three_seeds_are_worth_no_more_than_a_t_test_of_them() -> None:
    """Where only seeds differ (all pictures alike) the interval is about that of Student's t with two degrees of freedom."""
    one = np.array([[1.0] * k + [0.0] * (1_000 - k) for k in (100, 400, 700)])
    # Each seed's pictures in an order of its own, so that no picture is harder than another.
    one = np.stack([RNG(k).permutation(row) for k, row in enumerate(one)])
    found = Bootstrap(29_999).difference([one])
    by_hand = 4.303 * one.mean(axis=1).std(ddof=1) / 3**0.5
    assert found.difference - found.low == pytest.approx(by_hand, rel=0.15)
    assert found.p_value > 0.05


def test_an_only_member_of_a_level_is_not_drawn_from() -> None:
    """One seed in one set, with every picture won: no chance is left that this could see, but p stays above 0."""
    found = Bootstrap(999).difference([answers(40, 0, 40)])
    assert (found.low, found.high) == (1.0, 1.0)
    assert found.p_value == pytest.approx(2 / 1_000)


@pytest.mark.parametrize(("wins", "losses"), [(5, 0), (6, 0), (9, 1), (12, 4), (3, 3)])
def test_no_p_is_smaller_than_mcnemars(wins: int, losses: int) -> None:
    """Where a handful of pictures tells two rows apart, chance in pictures is what the exact test says it is, and not less."""
    found = Bootstrap(29_999).difference([answers(wins, losses, 300)])
    exact = mcnemar(losses, wins)
    assert found.p_value >= exact * 0.85
    assert found.p_value <= max(exact * 1.15, 0.05) or wins == losses


def test_the_same_answers_get_the_same_interval_on_any_page() -> None:
    """What else was computed before changes nothing, and neither does another object; the other side is its mirror image."""
    one, other = answers(30, 20, 200, 3), answers(9, 4, 150, 2)
    first, second = Bootstrap(), Bootstrap()
    second.difference([other])
    assert first.difference([one, other]) == second.difference([one, other])
    mirrored = first.difference([-one])
    found = first.difference([one])
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=0.006)


def test_data_sets_that_differ_widen_the_interval() -> None:
    """Two sets with +30 and −10 points are less sure of +10 than two with +10 each, as the claim is about sets in general."""
    alike = Bootstrap().difference([answers(20, 0, 200), answers(20, 0, 200)])
    unlike = Bootstrap().difference([answers(60, 0, 200), answers(0, 20, 200)])
    assert alike.difference == pytest.approx(unlike.difference)
    assert unlike.high - unlike.low > 3 * (alike.high - alike.low)
    assert alike.p_value < 0.05 < unlike.p_value


def test_prompts_shared_by_data_sets_share_their_luck() -> None:
    """A seed that is lucky everywhere is one piece of luck, not one a set: the interval is wider."""
    lucky = [np.stack([RNG((k, s)).permutation([1.0] * won + [0.0] * (400 - won)) for s, won in enumerate((20, 60, 100))])
             for k in range(4)]  # fmt: skip
    alone = Bootstrap().difference(lucky)
    shared = Bootstrap().difference(lucky, shared_seeds=True)
    assert shared.high - shared.low > 1.3 * (alone.high - alone.low)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Bootstrap().difference([]),
        lambda: Bootstrap().difference([np.zeros((0, 5))]),
        lambda: Bootstrap().difference([np.zeros(5)]),
        lambda: Bootstrap().difference([np.zeros((2, 5)), np.zeros((3, 5))], shared_seeds=True),
    ],
)
def test_nothing_to_compare_is_refused(wrong: Callable[[], Difference]) -> None:
    """No set, no seed, no picture axis, and shared seeds that are not equally many."""
    with pytest.raises(ValueError, match=r"must have the same number|needs a data set"):
        wrong()


def test_a_family_is_corrected_by_holm() -> None:
    """Of three claims with p 0.01, 0.04 and 0.03 the corrected ones are 0.03, 0.06 and 0.06; nothing else changes."""
    family = [Difference(0.1, 0.0, 0.2, p, 10, 1, 1) for p in (0.01, 0.04, 0.03)]
    assert [one.p_holm for one in corrected(family)] == pytest.approx([0.03, 0.06, 0.06])
    assert [one.p_value for one in corrected(family)] == [0.01, 0.04, 0.03]


def test_a_page_of_many_claims_is_given_draws_enough() -> None:
    """The smallest p, times the number of claims, stays at 0.02 or below, so that a claim among many can be told at all."""
    assert draws_for(0) == draws_for(100) == DRAWS
    for claims in (1, 99, 101, 450, 2_000):
        assert claims * 2 / (draws_for(claims) + 1) <= 0.02


def _nothing_differs(rng: np.random.Generator, sets: int, of_seed: float, of_set: float) -> list[Differences]:
    """Two methods that are drawn alike, three seeds each: no method is better, though seeds, sets and pictures have likings."""
    found = []
    for _ in range(sets):
        hardness, right = rng.normal(0.5, 2, 200), []
        for _ in range(2):
            liking = rng.normal(0, of_set) + rng.normal(0, 1, 200) + rng.normal(0, of_seed, (3, 1))
            right.append((hardness + liking + rng.logistic(0, 1, (3, 200)) > 0).astype(float))
        found.append(right[0] - right[1])
    return found


@pytest.mark.parametrize(
    ("sets", "of_seed", "of_set"),
    [(1, 0.0, 0.0), (1, 0.3, 0.0), (1, 1.0, 0.0), (5, 0.3, 0.3), (5, 0.3, 1.0), (3, 0.3, 1.0)],
)
def test_where_nothing_differs_few_intervals_miss(sets: int, of_seed: float, of_set: float) -> None:
    """Of 300 worlds without a difference at most 10 % are called one at 0.05, however much seeds and data sets vary."""
    bootstrap, rng = Bootstrap(999), RNG(7)
    called = [bootstrap.difference(_nothing_differs(rng, sets, of_seed, of_set)).p_value <= 0.05 for _ in range(300)]
    assert np.mean(called) <= 0.10, np.mean(called)
