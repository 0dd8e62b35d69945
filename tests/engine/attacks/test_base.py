"""The norms against what geometry says of them, and random draws that know their own picture only."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs

EPS = {"linf": 0.1, "l2": 0.7}
KEYS = ["a", "b", "c", "d"]


def deltas(n: int = 4, seed: int = 0) -> Tensor:
    """Perturbations far outside every ball."""
    return torch.randn((n, 3, 5, 6), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=list(NORMS), ids=lambda norm: norm.name)
def norm(request: pytest.FixtureRequest) -> Norm:
    """Every norm."""
    chosen: Norm = request.param
    return chosen


def test_lengths_are_those_of_the_textbook() -> None:
    """L∞ is the largest absolute value, L2 the root of the sum of squares, picture by picture."""
    delta = deltas()
    for i, one in enumerate(delta):
        assert LINF.norm(delta)[i] == max(abs(value) for value in one.flatten().tolist())
        expected = sum(value * value for value in one.double().flatten().tolist()) ** 0.5
        assert L2.norm(delta)[i].item() == pytest.approx(expected, rel=1e-6)


def test_projection_is_the_closed_form() -> None:
    """L∞ clips each value, L2 shortens the whole."""
    delta = deltas()
    clipped = [[max(-0.1, min(0.1, value)) for value in one.flatten().tolist()] for one in delta]
    torch.testing.assert_close(LINF.project(delta, 0.1).flatten(1), torch.tensor(clipped))
    torch.testing.assert_close(L2.project(delta, 0.7), torch.stack([0.7 * one / one.norm() for one in delta]))


def test_projection_lands_on_the_nearest_point_of_the_ball(norm: Norm) -> None:
    """What is inside stays bit for bit, what is outside lands on the edge, and no point of the ball is closer."""
    eps = EPS[norm.name]
    delta = deltas()
    landed = norm.project(delta, eps)
    torch.testing.assert_close(norm.norm(landed), torch.full((4,), eps))
    inside = delta * (0.5 * eps / norm.norm(delta).amax())
    assert torch.equal(norm.project(inside, eps), inside)
    distance = (delta - landed).flatten(1).norm(dim=1)
    for seed in range(20):
        other = norm.random(PictureRngs.of(seed, KEYS), delta, eps)
        # On the line from the landing point to any other point of the ball the distance only grows.
        towards = landed + 0.01 * (other - landed)
        assert ((delta - towards).flatten(1).norm(dim=1) >= distance - 1e-6).all()


def test_projection_onto_nothing_is_nothing(norm: Norm) -> None:
    """A ball of radius 0 holds only the picture itself, also for a perturbation of 0."""
    assert not norm.project(deltas(), 0.0).any()
    assert not norm.project(torch.zeros(2, 3, 4, 4), 0.0).any()


def test_normalized_step_climbs_as_far_as_the_dual_norm_allows(norm: Norm) -> None:
    """A step of length 1 gains the gradient's dual norm: the sum of its absolute values for L∞, its length for L2."""
    gradient = deltas()
    step = norm.normalize(gradient)
    torch.testing.assert_close(norm.norm(step), torch.ones(4))
    gain = (gradient * step).flatten(1).sum(dim=1)
    dual = gradient.flatten(1).abs().sum(dim=1) if norm is LINF else gradient.flatten(1).norm(dim=1)
    torch.testing.assert_close(gain, dual)


def test_no_gradient_no_step(norm: Norm) -> None:
    """A gradient of zero gives a step of zero, not NaN."""
    assert torch.equal(norm.normalize(torch.zeros(2, 3, 4, 4)), torch.zeros(2, 3, 4, 4))


def test_random_points_fill_the_ball(norm: Norm) -> None:
    """They stay inside, reach both halves of the radius, and lie on every side."""
    eps = EPS[norm.name]
    points = norm.random(PictureRngs.of(0, [str(i) for i in range(200)]), torch.empty(200, 3, 4, 4), eps)
    lengths = norm.norm(points)
    assert lengths.max() <= eps + 1e-6
    assert lengths.max() > 0.9 * eps
    assert points.mean().abs() < 0.05 * eps
    if norm is L2:
        assert lengths.min() < 0.1 * eps


def test_info_says_what_a_form_needs(norm: Norm) -> None:
    """The first budget offered is one that may be chosen."""
    info = norm.info
    assert NORMS[info.name] is norm
    assert 0 < info.default_eps <= info.high_eps
    assert info.summary.endswith(".")


def test_a_picture_draws_the_same_in_any_company() -> None:
    """The stream of a picture depends on the run's seed and its own key, not on who stands beside it."""
    like = torch.empty(4, 3, 5, 5)
    together = PictureRngs.of(7, KEYS)
    uniform, normal = together.uniform(like), together.normal(like)
    for i, key in enumerate(KEYS):
        alone = PictureRngs.of(7, [key])
        assert torch.equal(alone.uniform(like[:1])[0], uniform[i])
        assert torch.equal(alone.normal(like[:1])[0], normal[i])


def test_seeds_keys_and_calls_draw_apart() -> None:
    """Another seed, another key or a second call gives other values, spread over [0, 1)."""
    like = torch.empty(4, 3, 30, 30)
    rngs = PictureRngs.of(7, KEYS)
    drawn = [*rngs.uniform(like), *rngs.uniform(like), *PictureRngs.of(8, KEYS).uniform(like)]
    for i, one in enumerate(drawn):
        assert one.min() >= 0
        assert one.max() < 1
        assert one.mean().item() == pytest.approx(0.5, abs=0.03)
        assert all(
            abs(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) < 0.1 for other in drawn[:i]
        )


def test_draws_take_the_kind_of_number_asked_for() -> None:
    """Values come shaped like the pictures; the normal ones have mean 0 and spread 1."""
    values = PictureRngs.of(0, ["x", "y"]).normal(torch.empty(2, 3, 40, 40))
    assert values.shape == (2, 3, 40, 40)
    assert values.mean().abs() < 0.05
    assert values.std().item() == pytest.approx(1, abs=0.05)
