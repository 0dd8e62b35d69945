"""The divergences against their sums written out, and the laws a divergence obeys."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from capt_engine.metrics import METRICS
from capt_engine.metrics.base import Outcomes
from capt_engine.metrics.consistency import js as js_divergence
from capt_engine.metrics.consistency import kl as kl_divergence


def logits(seed: int, n: int = 30, k: int = 6, spread: float = 5.0) -> Tensor:
    """Random logits."""
    return spread * torch.randn((n, k), generator=torch.Generator().manual_seed(seed))


def shares(row: Tensor) -> list[float]:
    """The softmax of one row, in double precision."""
    powers = [math.exp(value) for value in row.tolist()]
    return [power / sum(powers) for power in powers]


def kl(p: list[float], q: list[float]) -> float:
    """Σ p · log(p / q)."""
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def test_kl_and_js_are_their_sums() -> None:
    """Each picture's divergence, written out from its two predictions."""
    one, other = logits(0), logits(1)
    for i in range(30):
        p, q = shares(one[i]), shares(other[i])
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        assert kl_divergence(one, other)[i].item() == pytest.approx(kl(p, q), rel=1e-4, abs=1e-6)
        js = (kl(p, middle) + kl(q, middle)) / 2
        assert js_divergence(one, other)[i].item() == pytest.approx(js, rel=1e-4, abs=1e-6)


def test_kl_is_never_negative_and_not_symmetric() -> None:
    """Zero only for equal predictions, whatever was added to all logits; its direction matters."""
    one, other = logits(0), logits(1)
    assert (kl_divergence(one, other) > 0).all()
    assert kl_divergence(one, one + 3).max() < 1e-5
    assert not torch.allclose(kl_divergence(one, other), kl_divergence(other, one))


def test_js_is_symmetric_and_ends_at_ln_2() -> None:
    """The same both ways, and ln 2 for predictions that share nothing."""
    one, other = logits(0), logits(1)
    torch.testing.assert_close(js_divergence(one, other), js_divergence(other, one))
    apart = js_divergence(torch.tensor([[500.0, 0.0]]), torch.tensor([[0.0, 500.0]]))
    assert apart.item() == pytest.approx(math.log(2))


def test_agreement_asks_for_the_same_best_class() -> None:
    """Against the clean answer and against the frozen model's, which may differ."""
    clean = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    attacked = torch.tensor([[5.0, 4.0], [4.0, 5.0]])
    frozen = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    blank = torch.zeros(2, 3, 4, 4)
    given = Outcomes(blank, blank, torch.tensor([0, 0]), clean, attacked, clean, attacked, clean, attacked, frozen)
    assert METRICS["agreement"].measure(given).tolist() == [1.0, 0.0]
    assert METRICS["frozen_agreement"].measure(given).tolist() == [0.0, 1.0]


def test_cosine_of_unit_features() -> None:
    """1 for the same direction, 0 across, −1 for the opposite one."""
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    turned = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    blank, same = torch.zeros(3, 3, 4, 4), torch.zeros(3, 2)
    given = Outcomes(blank, blank, torch.tensor([0, 0, 0]), same, same, features, turned, same, same, same)
    assert METRICS["cosine"].measure(given).tolist() == [1.0, 0.0, -1.0]
