"""FAB and Carlini-Wagner on models whose nearest boundary is known: they find it to 1 %."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.carlini_wagner import CarliniWagner
from capt_engine.attacks.criterion import Criterion
from capt_engine.attacks.fab import FAB, to_plane
from capt_engine.attacks.gradients import ProgressCounter
from capt_engine.attacks.minimal import SHORTENING, Nearest
from capt_engine.errors import BadRequest
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Model = Callable[[Tensor], Tensor]
Pixels = Callable[..., Tensor]
SEEKERS = [(FAB(), LINF), (FAB(), L2), (CarliniWagner(), L2)]
seekers = pytest.mark.parametrize(("attack", "norm"), SEEKERS, ids=["fab-linf", "fab-l2", "cw-l2"])


def weights_of(k: int, size: int = 4) -> Tensor:
    """Seeded weights (k, 3 · size²)."""
    return torch.randn((k, 3 * size * size), generator=torch.Generator().manual_seed(3))


def pictures(n: int, low: float, high: float, size: int = 4) -> Tensor:
    """Seeded pictures with all values in [low, high]."""
    return torch.rand((n, 3, size, size), generator=torch.Generator().manual_seed(1)) * (high - low) + low


def dual(weights: Tensor, norm: Norm) -> Tensor:
    """The norm by which a margin is divided to give a distance: L1 for L∞, L2 for L2."""
    return weights.abs().sum(dim=-1) if norm is LINF else weights.norm(dim=-1)


def found(
    attack: FAB | CarliniWagner, model: Model, images: Tensor, labels: Tensor, norm: Norm, targeted: bool = False
) -> Tensor:
    """How far away the attack finds another answer, (n,), with a budget beyond any picture; infinite where it finds none."""
    threat = Threat(norm, norm.high_eps, targeted)
    rngs = PictureRngs.of(0, [str(i) for i in range(len(images))])
    attacked = attack.run(model, images, labels, threat, rngs, no_progress)
    with torch.no_grad():
        won = (model(attacked).argmax(dim=1) == labels) == targeted
    return torch.where(won, norm.norm(attacked - images), torch.inf)


@seekers
@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_distance_to_a_linear_boundary(attack: FAB | CarliniWagner, norm: Norm, k: int, scale: float) -> None:
    """The least margin over the dual norm of the weights apart; whatever the scale of the logits."""
    weights, images = scale * weights_of(k), pictures(12, 0.35, 0.65)

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    labels = model(images).argmax(dim=1)
    margins = model(images).gather(1, labels[:, None]) - model(images)
    apart = dual(weights[None] - weights[labels][:, None], norm).clamp_min(1e-9)
    truth = (margins / apart).scatter(1, labels[:, None], torch.inf).amin(dim=1)
    distance = found(attack, model, images, labels, norm)
    assert (distance >= truth * (1 - 1e-4)).all()
    near = distance <= truth * 1.01
    if k == 10 and isinstance(attack, CarliniWagner):
        # It runs to the likeliest wrong class where it stands, which among ten need not be the nearest one.
        assert near.sum() >= 8
        assert (distance <= truth * 1.25).all()
    else:
        assert near.all()


@seekers
def test_distance_to_a_linear_boundary_among_black_and_white(attack: FAB | CarliniWagner, norm: Norm) -> None:
    """Where pixels cannot go on, the others go further: the truth is a bisection over how far all go at once, each to its end at most."""
    weights, images = weights_of(2), pictures(12, -0.5, 1.5).clamp(0, 1)

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    labels = model(images).argmax(dim=1)
    distance = found(attack, model, images, labels, norm)
    for image, label, adversarial_margin in zip(images, labels.tolist(), distance, strict=True):
        way = (weights[1 - label] - weights[label]).double()
        way = way.sign() if norm is LINF else way / way.norm()
        flat, apart = image.flatten().double(), (weights[1 - label] - weights[label]).double()
        low, high = 0.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            there = (flat + middle * way).clamp(0, 1)
            low, high = (low, middle) if there @ apart > 0 else (middle, high)
        truth = float(norm.norm(((flat + high * way).clamp(0, 1) - flat)[None]))
        assert truth * (1 - 1e-4) <= float(adversarial_margin) <= truth * 1.01


@seekers
def test_distance_out_of_a_slab(attack: FAB | CarliniWagner, norm: Norm) -> None:
    """A piecewise-linear model: the label holds within a width on both sides of a plane, so the nearer face counts."""
    way = weights_of(1)[0]
    images = pictures(12, 0.4, 0.6)
    along = images.flatten(1) @ way
    middle, width = along.mean(), 1.5 * (along - along.mean()).abs().max()

    def model(x: Tensor) -> Tensor:
        beyond = (x.flatten(1) @ way - middle).abs() - width
        return torch.stack([-beyond, beyond], dim=1)

    labels = torch.zeros(12, dtype=torch.long)
    truth = (width - (along - middle).abs()) / dual(way, norm)
    distance = found(attack, model, images, labels, norm)
    assert (distance >= truth * (1 - 1e-4)).all()
    assert (distance <= truth * 1.01).all()


@seekers
def test_distance_to_a_corner(attack: FAB | CarliniWagner, norm: Norm) -> None:
    """Two faces of a rectifier network that touch separate groups of pixels: the label is lost where the first of them is crossed."""
    way = weights_of(2)
    way[0, 24:], way[1, :24] = 0, 0
    images = pictures(12, 0.4, 0.6)
    along = images.flatten(1) @ way.T
    faces = along.amax(dim=0) + torch.tensor([0.5, 1.0])

    def model(x: Tensor) -> Tensor:
        over = (x.flatten(1) @ way.T - faces).amax(dim=1)
        return torch.stack([torch.zeros_like(over), over], dim=1)

    truth = ((faces - along) / dual(way, norm)).amin(dim=1)
    distance = found(attack, model, images, torch.zeros(12, dtype=torch.long), norm)
    assert (distance >= truth * (1 - 1e-4)).all()
    # From a point where the further face is the higher one, walking may lead to that face; most find the nearer one.
    assert ((distance <= truth * 1.01).float().mean() >= 0.75).all()


@seekers
def test_a_target_is_reached_the_shortest_way(attack: FAB | CarliniWagner, norm: Norm) -> None:
    """Between two linear classes, reaching the other one is as far as fleeing from the first."""
    weights, images = weights_of(2), pictures(8, 0.35, 0.65)

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    labels = model(images).argmin(dim=1)
    margins = model(images).amax(dim=1) - model(images).amin(dim=1)
    truth = margins / dual(weights[0] - weights[1], norm)
    distance = found(attack, model, images, labels, norm, targeted=True)
    assert (distance >= truth * (1 - 1e-4)).all()
    assert (distance <= truth * 1.01).all()


@seekers
def test_the_budget_decides_what_counts(attack: FAB | CarliniWagner, norm: Norm) -> None:
    """Just above the known distance the picture is broken, just below not, but it is brought nearer to the boundary as far as eps goes."""
    weights, images = weights_of(2), pictures(1, 0.35, 0.65)

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    labels = model(images).argmax(dim=1)
    gap = float(model(images).amax() - model(images).amin())
    truth = gap / float(dual(weights[0] - weights[1], norm))
    for share, broken in ((0.5, False), (0.98, False), (1.02, True), (3.0, True)):
        threat = Threat(norm, share * truth)
        attacked = attack.run(model, images, labels, threat, PictureRngs.of(0, ["x"]), no_progress)
        assert bool(model(attacked).argmax(dim=1) != labels) == broken
        if not broken:
            left = float(model(attacked).amax() - model(attacked).amin())
            assert left == pytest.approx((1 - share) * gap, abs=0.02 * gap)


@pytest.mark.parametrize("k", [2, 3, 1000])
@seekers
def test_any_number_of_classes_will_do(attack: FAB | CarliniWagner, norm: Norm, k: int) -> None:
    """With 2, 3 and 1,000 classes every picture of a linear model finds another answer."""
    weights, images = weights_of(k), pictures(3, 0.0, 1.0)

    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ weights.T

    assert found(attack, model, images, model(images).argmax(dim=1), norm).isfinite().all()


def test_more_restarts_come_no_less_near(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The first of three restarts is the only one of one, and the nearest is kept."""
    images = pixels(6)
    with torch.no_grad():
        labels = tiny_classifier(images).argmax(dim=1)
    once, thrice = (found(FAB(steps=5, restarts=restarts), tiny_classifier, images, labels, L2) for restarts in (1, 3))
    assert (thrice <= once * 1.001).all()


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_the_way_to_a_plane_is_the_shortest(norm: Norm) -> None:
    """It arrives, stays between its ends, and a bisection over all longer and shorter ways finds none shorter."""
    stream = torch.Generator().manual_seed(4)
    gradient = torch.randn((30, 3, 4, 4), generator=stream)
    low, high = -torch.rand(gradient.shape, generator=stream), torch.rand(gradient.shape, generator=stream)
    gap = torch.linspace(-8, 8, 30)
    way = to_plane(gradient, gap, low, high, norm)
    torch.testing.assert_close((gradient.flatten(1) * way).sum(dim=1), gap, atol=1e-4, rtol=1e-4)
    assert (way >= low.flatten(1) - 1e-6).all()
    assert (way <= high.flatten(1) + 1e-6).all()
    direction = norm.normalize(gradient * gap.sign().view(-1, 1, 1, 1)).flatten(1)
    for share in (0.99, 0.999):
        # The same kind of way with a smaller reach falls short, and any way as short gains no more than it.
        reach = (way / direction.where(direction != 0, torch.ones(()))).amax(dim=1, keepdim=True) * share
        shorter = (direction * reach).maximum(low.flatten(1)).minimum(high.flatten(1))
        assert ((gradient.flatten(1) * shorter).sum(dim=1).abs() < gap.abs()).all()


def test_a_plane_out_of_reach_is_approached_as_far_as_possible() -> None:
    """Every pixel goes to its end."""
    gradient = torch.tensor([[1.0, -2.0, 0.0]])
    way = to_plane(gradient, torch.tensor([100.0]), -torch.ones(1, 3), torch.full((1, 3), 0.5), LINF)
    assert way.tolist() == [[0.5, -1.0, 0.0]]


def test_shortening_stops_at_the_boundary() -> None:
    """A success far beyond is pulled back along its own line to within two thousandths, and still is one."""
    images, labels = torch.full((2, 3, 2, 2), 0.5), torch.zeros(2, dtype=torch.long)

    def model(x: Tensor) -> Tensor:
        return torch.stack([torch.full((len(x),), 0.6), x.flatten(1).mean(dim=1)], dim=1)

    nearest = Nearest(model, images, Criterion(labels, False), LINF)
    nearest.offer(torch.full_like(images, 0.45), torch.tensor([True, False]))
    nearest.shorten(ProgressCounter(no_progress, SHORTENING))
    assert nearest.distance[0].item() == pytest.approx(0.1, rel=0.005)
    assert nearest.distance[0] > 0.1
    assert nearest.distance[1] == torch.inf
    assert not nearest.delta[1].any()


def test_carlini_wagner_is_for_l2_only() -> None:
    """Under another norm it refuses with a sentence rather than answer another question."""
    images = torch.full((1, 3, 4, 4), 0.5)
    with pytest.raises(BadRequest, match="L2"):
        found(CarliniWagner(), lambda x: x.flatten(1)[:, :2], images, torch.zeros(1, dtype=torch.long), LINF)


def test_work_counts_the_ticks() -> None:
    """One a step, and those of the shortening."""
    assert FAB(steps=7, restarts=3).work == 21 + SHORTENING
    assert CarliniWagner(steps=7, searches=3).work == 21 + SHORTENING


def test_averaging_over_draws_keeps_fab_from_lucky_successes() -> None:
    """A model whose logits jump about lets a single pass believe in successes that come too early; the mean of many does not (EoT)."""
    weights = torch.randn((2, 48), generator=torch.Generator().manual_seed(5))
    weights[1] *= 0.2
    images = torch.full((1, 3, 4, 4), 0.5)
    label = (images.flatten(1) @ weights.T).argmax(dim=1)
    apart = weights[1 - label[0]] - weights[label[0]]
    gap = -(images.flatten(1) @ apart).item()
    true = gap / apart.norm().item()
    found = []
    for samples in (1, 200):
        stream = torch.Generator().manual_seed(2)

        def model(pictures: Tensor, stream: torch.Generator = stream) -> Tensor:
            logits = pictures.flatten(1) @ weights.T
            return logits + 0.3 * gap * torch.randn(logits.shape, generator=stream)

        attack = FAB(samples=samples)
        attacked = attack.run(model, images, label, Threat(L2, 10.0), PictureRngs.of(0, ["a"]), no_progress)
        found.append(float(L2.norm(attacked - images)) / true)
    assert found[0] < 0.7
    assert 0.85 < found[1] < 1.15
