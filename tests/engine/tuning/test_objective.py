"""The CAPT loss, its relatives and α: against their equations written out, and at the limits where they must become each other."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from capt_engine.errors import UnknownName
from capt_engine.metrics.alpha import ALPHAS, AlphaInput
from capt_engine.metrics.consistency import KL_DIRECTIONS, divergence
from capt_engine.tuning.objective import (
    OBJECTIVES,
    Settings,
    Views,
    capt,
    fap,
    pmg_aft,
    trades,
)


def views(seed: int = 0, n: int = 6, k: int = 5, dtype: torch.dtype = torch.float32) -> Views:
    """Random logits of the size CLIP's are."""
    stream = torch.Generator().manual_seed(seed)

    def logits() -> torch.Tensor:
        return (torch.randn(n, k, generator=stream, dtype=torch.float64) * 4).to(dtype)

    def features() -> torch.Tensor:
        return F.normalize(torch.randn(n, 8, generator=stream, dtype=torch.float64).to(dtype), dim=1)

    labels = torch.randint(0, k, (n,), generator=stream)
    return Views(labels, logits(), logits(), logits(), logits(), features(), features(), progress=0.25)


def softmax(logits: torch.Tensor) -> np.ndarray:
    """Probabilities in plain numpy, double precision."""
    z = logits.double().numpy()
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p ‖ q) per row, written out."""
    return np.array([sum(a * math.log(a / b) for a, b in zip(x, y, strict=True)) for x, y in zip(p, q, strict=True)])


def test_capt_is_its_equation() -> None:
    """The loss equals CE + λ·mean[(1−α)·KL(pc‖pa) + α·KL(pf‖pa)] computed in numpy, α being pF / (pT + pF) of the label."""
    given = views()
    pc, pa, pf = softmax(given.clean), softmax(given.adversarial), softmax(given.frozen)
    y, rows = given.labels.numpy(), np.arange(len(given.labels))
    alpha = pf[rows, y] / (pc[rows, y] + pf[rows, y])
    expected = -np.log(pc[rows, y]).mean() + 2.5 * ((1 - alpha) * kl(pc, pa) + alpha * kl(pf, pa)).mean()
    terms = capt(given, Settings())
    assert float(terms.loss) == pytest.approx(expected, rel=1e-5)
    assert terms.alpha.numpy() == pytest.approx(alpha, abs=1e-5)


def test_relatives_are_their_equations() -> None:
    """FAP, PMG-AFT and the two plain cross-entropies equal their published formulas computed in numpy."""
    given = views(1)
    pc, pa, pfa = softmax(given.clean), softmax(given.adversarial), softmax(given.frozen_adversarial)
    y, rows = given.labels.numpy(), np.arange(len(given.labels))
    ce_clean, ce_adv = -np.log(pc[rows, y]).mean(), -np.log(pa[rows, y]).mean()
    cosine = (given.clean_features.double() * given.adversarial_features.double()).sum(dim=1).numpy()
    assert float(fap(given, Settings(lambda_=1.5)).loss) == pytest.approx(
        ce_clean + 1.5 * ((cosine + 1) * kl(pc, pa)).mean(), rel=1e-5
    )
    assert float(pmg_aft(given, Settings()).loss) == pytest.approx(ce_adv + (kl(pc, pa) + kl(pfa, pa)).mean(), rel=1e-5)
    assert float(OBJECTIVES["clean"](given, Settings()).loss) == pytest.approx(ce_clean, rel=1e-5)
    assert float(OBJECTIVES["adversarial"](given, Settings()).loss) == pytest.approx(ce_adv, rel=1e-5)


def test_alpha_zero_is_trades() -> None:
    """With α = 0 the CAPT loss is clean cross-entropy plus λ·KL(clean ‖ adversarial), whatever the rule was set to."""
    given = views(2)
    pc, pa = softmax(given.clean), softmax(given.adversarial)
    y, rows = given.labels.numpy(), np.arange(len(given.labels))
    expected = -np.log(pc[rows, y]).mean() + 2.0 * kl(pc, pa).mean()
    assert float(trades(given, Settings(lambda_=2.0, alpha="entropy")).loss) == pytest.approx(expected, rel=1e-5)


def test_alpha_one_forgets_its_own_clean_prediction() -> None:
    """With α = 1 the consistency term is pure distillation: the adversarial logits get no gradient from the clean ones."""
    given = views(3)
    clean = given.clean.clone().requires_grad_()
    terms = capt(replace(given, clean=clean), Settings(alpha="const", alpha_const=1.0))
    (terms.loss - terms.cross_entropy).backward()
    assert torch.equal(clean.grad, torch.zeros_like(clean))  # type: ignore[arg-type]


def test_weight_zero_is_clean_cross_entropy() -> None:
    """With λ = 0 only CE(clean) is left."""
    given = views(4)
    assert torch.equal(capt(given, Settings(lambda_=0.0)).loss, OBJECTIVES["clean"](given, Settings()).loss)


@pytest.mark.parametrize("direction", KL_DIRECTIONS)
def test_consistency_vanishes_where_all_agree(direction: str) -> None:
    """Equal logits everywhere leave no consistency term, in every direction."""
    given = views(5)
    same = replace(given, adversarial=given.clean, frozen=given.clean)
    terms = capt(same, Settings(kl_direction=direction))
    assert float(terms.train) == pytest.approx(0, abs=1e-6)
    assert float(terms.reference) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("direction", KL_DIRECTIONS)
def test_divergences_are_never_negative(direction: str) -> None:
    """KL and JS of random logits are at least zero, and JS at most ln 2."""
    found = divergence(views(6, n=200).clean, views(7, n=200).clean, direction)
    assert float(found.min()) >= -1e-6
    if direction == "js":
        assert float(found.max()) <= math.log(2) + 1e-6


def test_an_unknown_direction_is_named() -> None:
    """A direction that does not exist is refused with the ones that do."""
    with pytest.raises(UnknownName, match="sideways"):
        divergence(views().clean, views().adversarial, "sideways")


def alpha_input(given: Views) -> AlphaInput:
    """What a rule would see of these views."""
    train, reference = divergence(given.clean, given.adversarial), divergence(given.frozen, given.adversarial)
    return AlphaInput(given.clean, given.frozen, given.labels, train, reference, given.progress)


@pytest.mark.parametrize("rule", ALPHAS)
def test_alpha_is_a_share_without_gradient(rule: str) -> None:
    """Every rule gives one value in [0, 1] a picture, and none of them can be lowered by the optimiser."""
    given = views(8, n=50)
    clean = given.clean.clone().requires_grad_()
    alpha = capt(replace(given, clean=clean), Settings(alpha=rule)).alpha
    assert alpha.shape == (50,)
    assert not alpha.requires_grad
    assert float(alpha.min()) >= 0
    assert float(alpha.max()) <= 1


@pytest.mark.parametrize("rule", [rule for rule in ALPHAS if rule not in ("schedule", "ramped", "tempered")])
def test_alpha_is_half_for_equal_models(rule: str) -> None:
    """A tuned model that still is the frozen one trusts both equally."""
    given = views(9)
    found = ALPHAS[rule](alpha_input(replace(given, frozen=given.clean)))
    assert found.numpy() == pytest.approx(np.full(6, 0.5), abs=1e-4)


def test_alpha_goes_to_its_limits() -> None:
    """A frozen model that is wrong is ignored; one that is right pulls back a tuned model that knows nothing."""
    labels = torch.zeros(1, dtype=torch.long)
    right, wrong, blank = torch.tensor([[60.0, 0, 0]]), torch.tensor([[0.0, 60, 0]]), torch.zeros(1, 3)
    nothing = torch.zeros(1)
    rule = ALPHAS["label_prob"]
    assert float(rule(AlphaInput(right, wrong, labels, nothing, nothing, 0))) < 1e-6
    assert float(rule(AlphaInput(wrong, right, labels, nothing, nothing, 0))) > 1 - 1e-6
    assert float(rule(AlphaInput(blank, right, labels, nothing, nothing, 0))) == pytest.approx(
        1 / (1 + 1 / 3), abs=1e-5
    )


def test_alpha_by_labels_is_the_ratio_of_probabilities() -> None:
    """sigmoid(CE tuned − CE frozen) is the ratio of the label's probabilities, as the identity says."""
    given = views(10)
    pt = given.clean.softmax(dim=1).gather(1, given.labels[:, None]).squeeze(1)
    pf = given.frozen.softmax(dim=1).gather(1, given.labels[:, None]).squeeze(1)
    assert ALPHAS["label_prob"](alpha_input(given)).numpy() == pytest.approx((pf / (pt + pf)).numpy(), abs=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    """Automatic gradients in the logits equal central differences of the equations in double precision, α held constant."""
    given = views(11, n=3, k=4, dtype=torch.float64)
    settings = Settings(alpha="const", alpha_const=0.3)

    def loss(flat: torch.Tensor) -> torch.Tensor:
        clean, adversarial = flat.view(2, 3, 4)
        # The objective computes in fp32, too coarse for differences: the same function, with `float` meaning double here.
        moved = replace(given, clean=clean, adversarial=adversarial)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.Tensor, "float", torch.Tensor.double)
            return OBJECTIVES[name](moved, settings).loss

    point = torch.stack([given.clean, given.adversarial]).flatten().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(point), point)
    step = 1e-5
    for i in range(0, point.numel(), 3):
        ahead, behind = point.detach().clone(), point.detach().clone()
        ahead[i] += step
        behind[i] -= step
        difference = (loss(ahead) - loss(behind)) / (2 * step)
        assert float(gradient[i]) == pytest.approx(float(difference), abs=1e-6)


def test_alpha_ramped_clipped_and_tempered_are_made_of_the_ratio() -> None:
    """The ratio of the label's probabilities times the progress, at most a half, and with the frozen logits halved."""
    given = replace(views(10), progress=0.25)
    pt, pf, pf_tempered = (
        logits.softmax(dim=1).gather(1, given.labels[:, None]).squeeze(1)
        for logits in (given.clean, given.frozen, given.frozen / 2)
    )
    ratio = (pf / (pt + pf)).numpy()
    assert ratio.max() > 0.5 > ratio.min()
    for rule, right in (
        ("ramped", 0.25 * ratio),
        ("clipped", np.minimum(ratio, 0.5)),
        ("tempered", (pf_tempered / (pt + pf_tempered)).numpy()),
    ):
        assert ALPHAS[rule](alpha_input(given)).numpy() == pytest.approx(right, abs=1e-5), rule
