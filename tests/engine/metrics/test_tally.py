"""Counting: accuracies, the worst case over attacks, the curve, and A against B, on cases counted by hand."""

from __future__ import annotations

from dataclasses import replace
from math import isclose

import pytest

from capt_engine.metrics.interval import newcombe_paired, wilson
from capt_engine.metrics.tally import Tally, Trial, paired
from capt_engine.records import AnalyzeResult, OutOfDistribution, TextDrift, ThreatModel

BLANK = AnalyzeResult(
    n=0,
    n_failed=0,
    label_source="folder",
    clean_accuracy=None,
    clean_interval=None,
    robust_accuracy=None,
    robust_interval=None,
    attacks=(),
    consistency=(),
    threat_model=ThreatModel(eps=0.02),
    model="demo",
    prompts="a",
    device="cpu",
    wall_s=1.0,
    images_per_s=1.0,
)


def trial(path: str, clean: str, adv: str = "", **other: object) -> Trial:
    """A picture of a cat."""
    given: dict[str, object] = {"prompts": "a", "attack": "pgd" if adv else "", "eps": 0.02} | other
    success = (adv != "cat" if clean == "cat" else None) if adv else None
    return Trial(path, "cat", clean, adv_pred=adv, success=success, **given)  # type: ignore[arg-type]


def test_accuracies_have_their_n_and_interval() -> None:
    """Three of four right when clean, one of four under attack; of the three, two were flipped."""
    rows = [("1", "cat", "cat"), ("2", "cat", "dog"), ("3", "cat", "dog"), ("4", "dog", "dog")]
    result = Tally(trial(*row) for row in rows).scored(BLANK)
    assert (result.n, result.clean_accuracy, result.robust_accuracy) == (4, 0.75, 0.25)
    assert (result.clean_interval, result.robust_interval) == (wilson(3, 4), wilson(1, 4))
    assert isclose(result.attacks[0].success_rate, 2 / 3)
    assert [(one.name, one.n, one.clean_correct, one.robust_correct) for one in result.per_class] == [("cat", 4, 3, 1)]


def test_the_worst_of_several_attacks_counts() -> None:
    """A picture is right only if it is right under every attack, so the worst case is below each attack's own accuracy."""
    rows = [("1", "cat", "dog", "x"), ("1", "cat", "cat", "y"), ("2", "cat", "cat", "x"), ("2", "cat", "dog", "y")]
    result = Tally(trial(path, clean, adv, attack=name) for path, clean, adv, name in rows).scored(BLANK)
    assert result.robust_accuracy == 0.0
    assert [attack.accuracy for attack in result.attacks] == [0.5, 0.5]


def one_after_the_other(order: tuple[str, ...] = ("fgsm", "pgd", "square")) -> list[Trial]:
    """Ten pictures: one wrong when clean, five lost to FGSM, three of the rest to PGD, none to Square; each shown to survivors only."""
    trials = []
    for i in range(10):
        clean = "dog" if i == 0 else "cat"
        reason = "wrong before" if i == 0 else ""
        for attack in order:
            fooled = (attack == "fgsm" and 1 <= i <= 5) or (attack == "pgd" and i <= 8)
            adv = "" if reason else "dog" if fooled else "cat"
            trials.append(trial(str(i), clean, adv, attack=attack, skipped=reason))
            if not reason and fooled:
                reason = f"broken by {attack}"
    return trials


def test_attacks_on_survivors_are_counted_over_all_pictures_too() -> None:
    """PGD finds more than FGSM, and so it says: 40 % after the one and 10 % after both, where of its own few pictures 25 % were left."""
    result = Tally(one_after_the_other()).scored(BLANK)
    found = {one.name: (one.n, one.accuracy, one.cumulative_accuracy) for one in result.attacks}
    assert found == {"fgsm": (9, 4 / 9, 0.4), "pgd": (4, 0.25, 0.1), "square": (1, 1.0, 0.1)}
    assert result.robust_accuracy == 0.1


@pytest.mark.parametrize("order", [("fgsm", "pgd", "square"), ("square", "pgd", "fgsm"), ("pgd", "fgsm", "square")])
def test_what_is_left_never_grows_and_ends_at_the_robust_accuracy(order: tuple[str, ...]) -> None:
    """In any order of attacks, whether all pictures were attacked or only those that were left."""
    rows = one_after_the_other(order)
    everything = [
        replace(one, adv_pred=one.adv_pred or "dog", skipped="", success=None if one.path == "0" else True)
        for one in rows
    ]
    for trials in (rows, everything):
        result = Tally(trials).scored(BLANK)
        left = [one.cumulative_accuracy for one in result.attacks]
        assert [one.name for one in result.attacks] == list(order)
        assert left == sorted(left, reverse=True)
        assert left[-1] == result.robust_accuracy == 0.1
        assert all(one.cumulative_accuracy <= one.accuracy for one in result.attacks if not one.skipped)


def test_a_picture_broken_at_a_smaller_budget_is_lost_from_the_first_attack_on() -> None:
    """What broke it there lies in the larger ball too."""
    carried = [trial("1", "cat", attack=one, skipped="broken at 2.55/255") for one in ("fgsm", "pgd")]
    stands = [trial("2", "cat", "cat", attack="fgsm"), trial("2", "cat", "dog", attack="pgd")]
    result = Tally(carried + stands).scored(BLANK)
    assert [one.cumulative_accuracy for one in result.attacks] == [0.5, 0.0]


def test_the_curve_has_a_point_per_budget_and_the_one_asked_for_is_the_result() -> None:
    """Budgets come in order, whatever order they were run in."""
    rows = [("1", 0.04, "dog"), ("1", 0.02, "cat"), ("2", 0.04, "cat"), ("2", 0.02, "cat")]
    blank = replace(BLANK, threat_model=ThreatModel(eps=0.04))
    result = Tally(trial(path, "cat", adv, eps=eps) for path, eps, adv in rows).scored(blank)
    assert [(point.eps, point.robust_accuracy) for point in result.curve] == [(0.02, 1.0), (0.04, 0.5)]
    assert result.robust_accuracy == 0.5


def test_pictures_out_of_distribution_are_counted_once() -> None:
    """Each picture counts once however many attacks it met; those not judged are no part of n, and without any there is no count."""
    rows = [("1", True), ("1", True), ("2", False), ("3", None)]
    judged = Tally(trial(path, "cat", "dog", out_of_distribution=odd) for path, odd in rows).scored(BLANK)
    assert judged.out_of_distribution == OutOfDistribution(1, 2)
    assert Tally([trial("1", "cat")]).scored(BLANK).out_of_distribution is None


def test_clean_trials_measure_no_robustness() -> None:
    """Without an attack the robust figures stay empty instead of reading zero."""
    result = Tally([trial("1", "cat")]).scored(BLANK)
    assert (result.clean_accuracy, result.robust_accuracy, result.robust_interval) == (1.0, None, None)


def test_two_sets_of_prompts_are_compared_picture_by_picture() -> None:
    """B keeps two pictures that A loses, and loses none."""
    mine = [trial("1", "cat", "dog"), trial("2", "cat", "dog"), trial("3", "cat", "cat")]
    theirs = [trial(str(i), "cat", "cat", prompts="b") for i in (1, 2, 3)]
    result = Tally(mine + theirs).scored(BLANK, "b")
    assert result.compared is not None
    test = result.compared.robust
    assert test is not None
    assert (test.only_a, test.only_b, test.n, test.p_value) == (0, 2, 3, 0.5)
    assert isclose(test.difference, 2 / 3)
    assert result.compared.other.robust_accuracy == 1.0


def test_unlabelled_pictures_have_no_paired_test_of_being_right() -> None:
    """Each model's own answer is its label there, so comparing clean accuracy would compare nothing."""
    rows = [trial("1", "cat", "cat"), Trial("1", "dog", "dog", "b", "pgd", 0.02, "cat", success=True)]
    result = Tally(rows).scored(BLANK.__class__(**{**vars(BLANK), "label_source": "model"}), "b")
    assert result.compared is not None
    assert result.compared.clean is None
    assert result.compared.robust is not None
    assert result.compared.robust.only_a == 1


def test_unrelated_answers_give_the_interval_of_two_unrelated_shares() -> None:
    """Where A's answers say nothing of B's, squares of the one-sided Wilson widths add up (Newcombe 1998, method 10 with φ = 0)."""
    low, high = newcombe_paired(both=30, only_a=10, only_b=30, neither=10)
    (low_a, high_a), (low_b, high_b) = wilson(40, 80), wilson(60, 80)
    assert low == pytest.approx(0.25 - ((0.75 - low_b) ** 2 + (high_a - 0.5) ** 2) ** 0.5)
    assert high == pytest.approx(0.25 + ((high_b - 0.75) ** 2 + (0.5 - low_a) ** 2) ** 0.5)


def test_answers_that_go_together_narrow_the_interval() -> None:
    """The same two shares are told apart better when the same pictures are right."""
    together, apart = newcombe_paired(40, 0, 20, 20), newcombe_paired(30, 10, 30, 10)
    assert together[1] - together[0] < apart[1] - apart[0]


def test_the_paired_interval_holds_the_difference_and_turns_with_the_sides() -> None:
    """Swapping A and B turns the interval around zero; it always holds the difference."""
    for counts in ((5, 3, 9, 2), (0, 4, 0, 6), (10, 0, 0, 0), (1, 1, 1, 1)):
        both, only_a, only_b, neither = counts
        low, high = newcombe_paired(*counts)
        assert low <= (only_b - only_a) / sum(counts) <= high
        assert newcombe_paired(both, only_b, only_a, neither) == (pytest.approx(-high), pytest.approx(-low))


def test_no_pair_is_no_test() -> None:
    """An empty comparison is refused rather than answered."""
    with pytest.raises(ValueError, match="no proportion"):
        paired([])


def test_what_was_forgotten_is_counted_against_the_frozen_answer() -> None:
    """Also of a picture that no attack was run on, as it was wrong before; not against labels that are the model's own answers."""
    trials = [
        trial("1", "cat", "cat", frozen_pred="cat"),
        trial("2", "dog", skipped="wrong before", attack="pgd", frozen_pred="cat"),
        trial("3", "cat", "dog", frozen_pred="dog"),
        trial("4", "cat", "dog"),
    ]
    found = {one.name: (one.value, one.n) for one in Tally(trials).scored(BLANK).figures}
    assert (found["zero_shot_change"], found["forgotten"], found["gained"]) == ((0, 3), (0.5, 2), (1, 1))
    own = Tally(trials).scored(replace(BLANK, label_source="model"))
    assert not {"forgotten", "gained"} & {one.name for one in own.figures}


def test_beside_plain_text_the_frozen_answer_need_not_be_told() -> None:
    """Rows of an older version are held against the same pictures' rows of plain text, which has nothing to forget itself."""
    trials = [trial("1", "dog", "dog"), trial("1", "cat", "cat", prompts="none")]
    tally = Tally(trials)
    assert {one.name: one.value for one in tally.figures("a", 0.02)}["forgotten"] == 1
    assert "forgotten" not in {one.name for one in tally.figures("none", 0.02)}


def test_drift_is_a_figure_of_the_prompts() -> None:
    """No row tells it: it comes with the result, and is told of as many classes as there are."""
    blank = replace(BLANK, text_drift=(TextDrift("a", 0.25, 8),))
    found = {one.name: one for one in Tally([trial("1", "cat", "cat")]).scored(blank).figures}
    assert (found["text_drift"].value, found["text_drift"].n) == (0.25, 8)
