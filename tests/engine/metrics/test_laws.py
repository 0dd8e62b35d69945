"""What holds for every metric, and what each says of pictures that are the same."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.metrics import METRICS
from capt_engine.metrics.alpha import ALPHAS, CONST, AlphaRule
from capt_engine.metrics.base import Metric, Outcomes

# What each metric must say when the attack changed nothing and the frozen model agrees; None: it depends on the picture.
OF_EQUAL_PICTURES = {
    "margin_clean": None,
    "margin_attacked": None,
    "margin_shift": 0.0,
    "confidence_clean": None,
    "confidence_attacked": None,
    "logit_shift": 0.0,
    "top5_kept": 1.0,
    "agreement": 1.0,
    "kl": 0.0,
    "js": 0.0,
    "cosine": 1.0,
    "frozen_agreement": 1.0,
    "frozen_kl": 0.0,
    "frozen_js": 0.0,
    "linf": 0.0,
    "l2": 0.0,
    "psnr": float("inf"),
    "ssim": 1.0,
    "top5_clean": None,
    "top5_attacked": None,
    "nll_clean": None,
    "nll_attacked": None,
    "brier_clean": None,
    "brier_attacked": None,
    "alpha": 0.5,
    "l0": 0.0,
    "mean_change": 0.0,
    "entropy_clean": None,
    "entropy_attacked": None,
    "label_cosine_clean": None,
    "label_cosine_attacked": None,
    "cosine_margin_clean": None,
    "cosine_margin_attacked": None,
    "high_frequency": float("nan"),
    "linf_png": 0.0,
    "l2_png": 0.0,
    "lpips": 0.0,
}


def outcomes(n: int = 12, k: int = 7, seed: int = 0, spread: float = 8.0) -> Outcomes:
    """Random outcomes: pictures, what became of them, and what two models made of it all."""
    stream = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=stream)

    images = torch.rand((n, 3, 16, 18), generator=stream)
    return Outcomes(
        images=images,
        adversarial_images=(images + 0.1 * normal(n, 3, 16, 18)).clamp(0, 1),
        labels=torch.randint(k, (n,), generator=stream),
        clean_logits=spread * normal(n, k),
        adversarial_logits=spread * normal(n, k),
        features=F.normalize(normal(n, 9), dim=1),
        adversarial_features=F.normalize(normal(n, 9), dim=1),
        cosines=normal(n, k).tanh(),
        adversarial_cosines=normal(n, k).tanh(),
        frozen=spread * normal(n, k),
        lpips=lambda one, other: (one - other).abs().flatten(1).mean(dim=1),
    )


def tensors(given: Outcomes) -> dict[str, Tensor]:
    """Everything of the pictures: not the network that LPIPS is measured with, nor the rule of α."""
    return {
        field.name: getattr(given, field.name) for field in fields(Outcomes) if field.name not in ("lpips", "alpha")
    }


def rearranged(given: Outcomes, order: list[int]) -> Outcomes:
    """The same pictures in another order, or some of them."""
    return replace(given, **{name: value[order] for name, value in tensors(given).items()})


@pytest.fixture(params=list(METRICS), ids=lambda metric: metric.name)
def metric(request: pytest.FixtureRequest) -> Metric:
    """Every metric."""
    chosen: Metric = request.param
    return chosen


@pytest.mark.parametrize("rule", [*ALPHAS, CONST])
def test_alpha_is_by_the_rule_of_the_prompts(rule: str) -> None:
    """Each rule of a single picture gives its own values, one by one and in [0, 1]; rules of a batch or of a run give none."""
    given = replace(outcomes(), alpha=AlphaRule(rule, 0.3))
    values = METRICS["alpha"].measure(given)
    if rule in ("batch", "schedule", "ramped"):
        assert values.isnan().all()
        return
    assert ((values >= 0) & (values <= 1)).all()
    one = METRICS["alpha"].measure(rearranged(given, [3]))
    assert torch.equal(one, values[3:4])
    usual = METRICS["alpha"].measure(outcomes())
    assert torch.equal(values, usual) == (rule == "label_prob")
    assert rule != CONST or values.tolist() == pytest.approx([0.3] * 12)


@pytest.mark.parametrize("k", [2, 7])
@pytest.mark.parametrize("spread", [0.1, 8.0, 200.0])
def test_stays_within_its_bounds(metric: Metric, k: int, spread: float) -> None:
    """One finite number a picture, inside the range the metric declares, also for logits of a model that is very sure."""
    values = metric.measure(outcomes(40, k, spread=spread))
    assert values.shape == (40,)
    assert values.isfinite().all()
    assert metric.low is None or values.min() >= metric.low
    assert metric.high is None or values.max() <= metric.high


def test_pictures_are_measured_one_by_one(metric: Metric) -> None:
    """Another order, or fewer pictures, changes no picture's value."""
    given = outcomes()
    values = metric.measure(given)
    for order in (list(range(11, -1, -1)), [3], [7, 0, 5]):
        torch.testing.assert_close(metric.measure(rearranged(given, order)), values[order])


def test_equal_pictures_give_the_neutral_value(metric: Metric) -> None:
    """Where nothing changed, distances are 0, similarities 1, PSNR is infinite; a new metric must say here what it gives."""
    given = outcomes()
    same = replace(
        given,
        adversarial_images=given.images,
        adversarial_logits=given.clean_logits,
        adversarial_features=given.features,
        adversarial_cosines=given.cosines,
        frozen=given.clean_logits,
    )
    expected = OF_EQUAL_PICTURES[metric.name]
    if expected is None:
        before = METRICS[metric.name.replace("attacked", "clean")].measure(same)
        assert torch.equal(metric.measure(same), before)
        assert before.unique().numel() > 1
    else:
        torch.testing.assert_close(metric.measure(same), torch.full((12,), expected), atol=1e-6, rtol=0, equal_nan=True)


def test_measuring_changes_nothing_given(metric: Metric) -> None:
    """A metric reads its outcomes and leaves them as they are."""
    given, untouched = outcomes(), outcomes()
    metric.measure(given)
    assert all(torch.equal(value, tensors(untouched)[name]) for name, value in tensors(given).items())


def test_info_is_what_a_tooltip_needs(metric: Metric) -> None:
    """A label, a sentence, and bounds in the right order."""
    info = metric.info
    assert (info.name, info.label, info.help) == (metric.name, metric.label, metric.help)
    assert info.label
    assert info.help.endswith(".")
    assert info.low is None or info.high is None or info.low < info.high


def test_every_metric_has_its_neutral_value_here() -> None:
    """The table above and METRICS hold the same names."""
    assert set(OF_EQUAL_PICTURES) == set(METRICS.names())
