"""Laws of the projections and of rounding inside a ball, for any perturbation that hypothesis thinks of."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import torch
from hypothesis import given, settings
from torch import Tensor

from capt_engine.attacks.base import LINF, NORMS, Norm
from capt_engine.attacks.gradients import clip_to_box, project

SHAPE = (2, 3, 2, 2)
VALUES = 24
TINY = 1e-6

law = settings(max_examples=200)
norms = st.sampled_from(list(NORMS))
# Zero, tiny and huge budgets, and those that lie just off a whole number of 255ths.
budgets = st.one_of(
    st.sampled_from([0.0, 1 / 255, 4 / 255, 0.5, 1.0]),
    st.integers(0, 300).map(lambda k: k / 255 * (1 + 1e-7)),
    st.floats(0, 2, width=32),
)


def tensors(low: float, high: float) -> Any:
    """Tensors (2, 3, 2, 2), float32, with values from `low` to `high`, often at the ends, at 0, and at 255ths."""
    whole = st.integers(int(low * 255), int(high * 255)).map(lambda k: k / 255)
    value = st.one_of(
        st.floats(low, high, width=32), st.sampled_from([low, high, 0.0]), whole, whole.map(lambda v: v / 2)
    )
    return st.lists(value, min_size=VALUES, max_size=VALUES).map(lambda values: torch.tensor(values).view(SHAPE))


perturbations = st.one_of(tensors(-2, 2), tensors(-0.125, 0.125))
pictures = tensors(0, 1)


def lengths(delta: Tensor, norm: Norm) -> Tensor:
    """The norms of perturbations, (n,), in double precision."""
    return norm.norm(delta.double())


@law
@given(norms, perturbations, budgets)
def test_a_projection_is_in_the_ball_and_stays_there(norm: Norm, delta: Tensor, eps: float) -> None:
    """Its norm is at most ε; projecting again changes nothing; and what was inside is untouched, bit for bit."""
    landed = norm.project(delta, eps)
    assert (lengths(landed, norm) <= eps + TINY).all()
    torch.testing.assert_close(norm.project(landed, eps), landed, rtol=TINY, atol=0)
    inside = lengths(delta, norm) <= eps * (1 - TINY)
    assert torch.equal(landed[inside], delta[inside])


@law
@given(norms, perturbations, perturbations, budgets)
def test_a_projection_is_the_nearest_point(norm: Norm, delta: Tensor, other: Tensor, eps: float) -> None:
    """No point of the ball is nearer in Euclidean distance: ⟨δ − p, q − p⟩ ≤ 0 for the projection p and any q of the ball."""
    landed, other = norm.project(delta, eps).double(), norm.project(other, eps).double()
    assert (((delta.double() - landed) * (other - landed)).flatten(1).sum(dim=1) <= 1e-5).all()


@law
@given(norms, pictures, perturbations, budgets)
def test_a_projected_step_stays_in_ball_and_box(norm: Norm, images: Tensor, delta: Tensor, eps: float) -> None:
    """Pixels stay in [0, 1], the change within ε and of δ's signs; under L∞ it is the nearest such change; doing it again does nothing."""
    step = project(images, delta, norm, eps)
    assert (lengths(step, norm) <= eps + TINY).all()
    assert ((images + step >= -TINY) & (images + step <= 1 + TINY)).all()
    assert (step * delta >= 0).all()
    torch.testing.assert_close(project(images, step, norm, eps), step, rtol=TINY, atol=0)
    if norm is LINF:
        low, high = (-images).clamp_min(-eps), (1 - images).clamp_max(eps)
        torch.testing.assert_close(step, torch.minimum(torch.maximum(delta, low), high), rtol=0, atol=TINY)


@law
@given(pictures, perturbations)
def test_clipping_only_shortens(images: Tensor, delta: Tensor) -> None:
    """No value grows or changes its sign, and one that already kept the pixel in [0, 1] stays bit for bit."""
    clipped = clip_to_box(images, delta)
    assert (clipped.abs() <= delta.abs()).all()
    assert (clipped * delta >= 0).all()
    kept = (delta <= 1 - images) & (delta >= -images)
    assert torch.equal(clipped[kept], delta[kept])


@law
@given(norms, perturbations, budgets)
def test_rounding_gives_whole_255ths_in_the_ball(norm: Norm, delta: Tensor, eps: float) -> None:
    """Every value is a multiple of 1/255 less than one of them away from δ in the ball, nearer to 0 or nearest; whole ones stay."""
    landed = norm.project(delta, eps)
    rounded = norm.quantize(landed, eps)
    counts = rounded.double() * 255
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-4)
    assert (lengths(rounded, norm) <= eps + TINY).all()
    moved = (counts - landed.double() * 255).abs()
    assert (moved < 1 + 1e-4).all()
    away = counts.abs() > landed.double().abs() * 255 + 1e-4
    assert (moved[away] <= 0.5 + 1e-4).all()
    torch.testing.assert_close(norm.quantize(rounded, eps), rounded, rtol=0, atol=0)


@law
@given(norms, perturbations)
def test_a_normalized_gradient_is_a_unit_step_uphill(norm: Norm, gradient: Tensor) -> None:
    """Its norm is 1 and it gains the dual norm of the gradient; a gradient of zero gives no step."""
    step = norm.normalize(gradient)
    gain = (step.double() * gradient.double()).flatten(1).sum(dim=1)
    dual = gradient.double().flatten(1).norm(p=1 if norm is LINF else 2, dim=1)
    some = dual > 1e-18
    torch.testing.assert_close(lengths(step, norm)[some], torch.ones_like(dual)[some], rtol=1e-5, atol=0)
    torch.testing.assert_close(gain[some], dual[some], rtol=1e-5, atol=1e-12)
    assert not step[(gradient == 0).flatten(1).all(dim=1)].any()
