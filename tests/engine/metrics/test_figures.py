"""Figures of a whole run, on a run counted by hand; every figure says its bounds and keeps to them."""

from __future__ import annotations

import random

import pytest
import torch

from capt_engine.metrics.calibration import BINS, Calibration, brier, nll
from capt_engine.metrics.figures import FIGURES, Answers, figures
from capt_engine.metrics.tally import Tally, Trial


def answers(pictures: list[tuple[str, bool, bool | None]]) -> Answers:
    """Without confidences."""
    return Answers(pictures, Calibration(), Calibration())


def test_the_accuracy_family_has_its_denominators() -> None:
    """Five cats, four right, two robust; two dogs, one right, none robust; one bird nobody attacked."""
    cats = [("cat", True, True)] * 2 + [("cat", True, False)] * 2 + [("cat", False, False)]
    dogs: list[tuple[str, bool, bool | None]] = [("dog", True, False), ("dog", False, False)]
    found = {one.name: (one.value, one.n) for one in figures(answers([*cats, *dogs, ("bird", True, None)]))}
    expected = {
        "clean_accuracy": (6 / 8, 8),
        "robust_accuracy": (2 / 7, 7),
        "attack_success": (3 / 5, 5),
        "accuracy_gap": (3 / 7, 7),
        "robust_ratio": (2 / 5, 7),
        "harmonic_clean_robust": (2 / (7 / 5 + 7 / 2), 7),
        "balanced_clean": ((4 / 5 + 1 / 2 + 1) / 3, 8),
        "balanced_robust": ((2 / 5 + 0) / 2, 7),
        "worst_class_clean": (1 / 2, 8),
        "worst_class_robust": (0.0, 7),
    }
    assert found == {name: (pytest.approx(value), n) for name, (value, n) in expected.items()}


def test_change_against_zero_shot_has_three_figures() -> None:
    """Of five pictures zero-shot had four right, of which the prompts lost one, and they won the fifth: no change, and yet."""
    against = [(True, True), (True, True), (True, True), (True, False), (False, True)]
    given = Answers([("cat", True, None)], Calibration(), Calibration(), against, (0.125, 3))
    found = {one.name: (one.value, one.n) for one in figures(given)}
    assert found["zero_shot_change"] == (0, 5)
    assert found["forgotten"] == (1 / 4, 4)
    assert found["gained"] == (1.0, 1)
    assert found["text_drift"] == (0.125, 3)
    missing = {one.name for one in figures(answers([("cat", True, None)]))}
    assert not missing & {"zero_shot_change", "forgotten", "gained", "text_drift"}, (
        "plain text has not moved from itself"
    )


def test_a_share_and_a_difference_say_their_unit() -> None:
    """What is shown in percent or points is kept as a fraction; what is neither has no such unit."""
    assert {info.name for info in FIGURES if info.unit == "points"} == {"accuracy_gap", "zero_shot_change"}
    for info in FIGURES:
        assert info.unit in ("%", "points", "")
        assert (info.low, info.high) == {"%": (0, 1), "points": (-1, 1)}.get(info.unit, (info.low, info.high))
        assert info.help.endswith(".")


def test_calibration_is_the_gap_of_each_bin() -> None:
    """Two answers of 0.9 of which one is right, and one of 0.1 that is wrong: (0.8 + 0.1) / 3; fooled with 0.5 on average."""
    one = Calibration()
    for confidence, right in ((0.9, True), (0.9, False), (0.1, False)):
        one.add(confidence, right=right)
    found = {figure.name: figure.value for figure in figures(Answers([("cat", True, True)], one, one))}
    assert found["ece_clean"] == found["ece_attacked"] == pytest.approx((abs(1.8 - 1) + 0.1) / 3)
    assert found["confidence_when_fooled"] == pytest.approx(0.5)
    assert (one.n, one.n_wrong, one.over, len(one.bins)) == (3, 2, pytest.approx((1.9 - 1) / 3), BINS)


def test_every_figure_keeps_to_its_bounds() -> None:
    """Over runs made up by a seed; what is undefined is left out rather than guessed."""
    for seed in range(30):
        stream = random.Random(seed)
        some = [
            (stream.choice("abc"), stream.random() < 0.7, stream.random() < 0.3) for _ in range(stream.randint(1, 40))
        ]
        one = Calibration()
        for _, clean, _ in some:
            one.add(stream.random(), right=clean)
        against = [(stream.random() < 0.6, clean) for _, clean, _ in some]
        for figure in figures(Answers(some, one, one, against, (2 * stream.random(), 1))):
            info = FIGURES[figure.name]
            assert info.low is None or figure.value >= info.low
            assert info.high is None or figure.value <= info.high
            assert 1 <= figure.n <= len(some)
    assert figures(answers([])) == ()
    assert {one.name for one in figures(answers([("a", True, None)]))} == {
        "clean_accuracy",
        "balanced_clean",
        "worst_class_clean",
    }


def test_brier_and_nll_of_known_answers() -> None:
    """Sure and right, sure and wrong, and no idea."""
    logits, labels = torch.tensor([[30.0, -30.0], [-30.0, 30.0], [0.0, 0.0]]), torch.zeros(3, dtype=torch.long)
    torch.testing.assert_close(brier(logits, labels), torch.tensor([0.0, 2.0, 0.5]))
    torch.testing.assert_close(nll(logits, labels), torch.tensor([0.0, 60.0, 0.6931472]))


def test_smallest_budgets_have_quartiles_and_those_that_never_break() -> None:
    """Of four right pictures one never breaks; the wrong one is not among them."""
    found = (0.01, 0.02, 0.04, float("inf"))
    trials = [Trial(str(i), "cat", "cat", "a", "pgd", 0.1, "dog", True, minimal_eps=eps) for i, eps in enumerate(found)]
    told = Tally([*trials, Trial("x", "cat", "dog", "a", "pgd", 0.1, "dog")]).smallest("a", 0.05)
    assert told is not None
    assert (told.n, told.unbroken, told.lower, told.median, told.upper) == (4, 1, 0.01, 0.02, 0.04)
    assert Tally([Trial("x", "cat", "dog", "a", "pgd", 0.1, "dog")]).smallest("a", 0.05) is None
