"""Margins, confidences and kept classes on cases small enough for paper."""

from __future__ import annotations

import math

import pytest
import torch

from capt_engine.attacks import losses
from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.metrics.prediction import entropy, margin

CLEAN = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 4.0]])
ATTACKED = torch.tensor([[0.0, 1.0, 0.5], [0.0, 2.0, 4.0]])


def measured(name: str, labels: tuple[int, int] = (0, 1)) -> list[float]:
    """A metric of the two pictures above."""
    blank, features = torch.zeros(2, 3, 4, 4), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    given = Outcomes(
        blank, blank, torch.tensor(labels), CLEAN, ATTACKED, features, features, CLEAN / 10, ATTACKED / 10, CLEAN
    )
    return METRICS[name].measure(given).tolist()


def test_margin_before_after_and_between() -> None:
    """The label's lead over the best other class: 3 − 1 and 0 − 1 for the first picture, 2 − 4 twice for the second."""
    assert measured("margin_clean") == [2.0, -2.0]
    assert measured("margin_attacked") == [-1.0, -2.0]
    assert measured("margin_shift") == [-3.0, 0.0]


def test_margin_is_what_the_margin_loss_brings_down() -> None:
    """The number shown to the user and the one the attack climbs are opposites, bit for bit."""
    logits = torch.randn((50, 6), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 6
    assert torch.equal(margin(logits, labels), -losses.adversarial_margin(logits, labels))


def test_confidence_is_the_probability_of_the_label() -> None:
    """The softmax written out."""
    before = math.exp(3) / (math.exp(3) + math.exp(1) + 1)
    after = 1 / (1 + math.exp(1) + math.exp(0.5))
    assert measured("confidence_clean")[0] == pytest.approx(before)
    assert measured("confidence_attacked")[0] == pytest.approx(after)


def test_logit_shift_is_the_mean_over_classes() -> None:
    """(3 + 0 + 0.5) / 3 for the picture that moved, 0 for the one that did not."""
    assert measured("logit_shift") == pytest.approx([3.5 / 3, 0.0])


def test_top_five_kept_counts_what_is_still_there() -> None:
    """Of ten classes whose order is turned round, none of the best five stays; of six, four do."""
    for k, share in ((10, 0.0), (6, 0.8), (5, 1.0), (2, 1.0)):
        logits = torch.arange(k, dtype=torch.float32)[None]
        one = torch.zeros(1, 3, 4, 4)
        given = Outcomes(one, one, torch.tensor([0]), logits, -logits, logits, logits, logits, logits, logits)
        assert METRICS["top5_kept"].measure(given).item() == pytest.approx(share)


def test_entropy_is_its_sum() -> None:
    """0 for a model that is sure, ln k for one that has no idea, and −Σ p · log p written out in between."""
    logits = torch.tensor([[900.0, 0.0, 0.0], [2.0, 2.0, 2.0], [3.0, 1.0, 0.0]])
    powers = [math.exp(value) for value in (3, 1, 0)]
    written_out = -sum(p / sum(powers) * math.log(p / sum(powers)) for p in powers)
    assert entropy(logits).tolist() == pytest.approx([0.0, math.log(3), written_out])
    assert measured("entropy_clean")[0] == pytest.approx(written_out)
