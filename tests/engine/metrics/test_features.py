"""Cosines of a picture with the class texts, and how far texts have moved, on vectors drawn on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.metrics.features import text_drift


def measured(name: str, cosines: list[float], attacked: list[float], label: int) -> float:
    """A metric of one picture with these cosines before and after."""
    blank, logits = torch.zeros(1, 3, 4, 4), torch.zeros(1, len(cosines))
    before, after = torch.tensor([cosines]), torch.tensor([attacked])
    given = Outcomes(blank, blank, torch.tensor([label]), logits, logits, logits, logits, before, after, logits)
    return METRICS[name].measure(given).item()


def test_the_label_is_held_against_the_best_other_text() -> None:
    """0.3 against 0.1 before, 0.2 against 0.25 after."""
    given: tuple[list[float], list[float], int] = ([0.1, 0.3, -0.5], [0.25, 0.2, 0.1], 1)
    assert measured("label_cosine_clean", *given) == pytest.approx(0.3)
    assert measured("label_cosine_attacked", *given) == pytest.approx(0.2)
    assert measured("cosine_margin_clean", *given) == pytest.approx(0.2)
    assert measured("cosine_margin_attacked", *given) == pytest.approx(-0.05)


def test_a_single_class_leads_over_nothing() -> None:
    """There is no other text, so no margin: not finite, which no row repeats."""
    assert math.isinf(measured("cosine_margin_clean", [0.3], [0.2], 0))


def test_drift_is_the_mean_over_classes() -> None:
    """Not moved, turned by 60 degrees, turned over: (0 + 1/2 + 2) / 3; against itself 0."""
    hand = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    tuned = torch.tensor([[1.0, 0.0], [0.5, math.sqrt(0.75)], [0.0, -1.0]])
    assert text_drift(tuned, hand) == pytest.approx(2.5 / 3)
    assert text_drift(hand, hand) == 0
    one, other = (np.random.default_rng(seed).normal(size=(7, 5)) for seed in (0, 1))
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (one, other))
    expected = np.mean([1 - a @ b for a, b in zip(one, other, strict=True)])
    assert text_drift(torch.from_numpy(one), torch.from_numpy(other)) == pytest.approx(expected)
