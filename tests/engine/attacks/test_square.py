"""Square against what can be worked out on paper, and against its own promises about what it asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.square import Square
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
KEYS = [f"picture {i}" for i in range(24)]
LABELS = torch.zeros(3, dtype=torch.long)


def steadfast(size: int = 4) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The weights (3 · size²,) of a linear margin and its model, whose first class is far ahead: nothing stops the search early."""
    weights = torch.randn(3 * size * size, generator=torch.Generator().manual_seed(3))
    return weights, lambda images: torch.stack([torch.full((len(images),), 1e3), images.flatten(1) @ weights], dim=1)


def run(attack: Square, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, threat: Threat) -> Tensor:
    """The attack with one stream a picture."""
    return attack.run(model, images, labels, threat, PictureRngs.of(0, KEYS[: len(images)]), no_progress)


@pytest.mark.parametrize(
    ("norm", "eps", "mean", "each"), [(LINF, 0.02, 0.99, 0.99), (L2, 0.1, 0.51, 0.42)], ids=["linf", "l2"]
)
def test_comes_near_the_optimum_of_a_linear_model(norm: Norm, eps: float, mean: float, each: float) -> None:
    """The margin can rise by ε times the dual norm of the weights; random search gets all of it under L∞, and 0.53 ± 0.03 under L2."""
    weights, model = steadfast()
    images, labels = torch.full((12, 3, 4, 4), 0.5), torch.zeros(12, dtype=torch.long)
    attacked = run(Square(queries=2_000), model, images, labels, Threat(norm, eps))
    gained = adversarial_margin(model(attacked).double(), labels) - adversarial_margin(model(images).double(), labels)
    possible = eps * float(weights.abs().sum() if norm is LINF else weights.norm())
    assert gained.mean() >= mean * possible, gained / possible
    assert (gained >= each * possible).all(), gained / possible
    assert (gained <= 1.01 * possible).all()


def test_needs_no_gradient(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """Where rounded logits leave a gradient attack nothing to follow, it fools the same pictures as without rounding, or nearly."""
    images = pixels(24)
    labels = tiny_classifier(images).argmax(dim=1)
    threat = Threat(LINF, 24 / 255)

    def rounded(pictures: Tensor) -> Tensor:
        assert not pictures.requires_grad
        return (tiny_classifier(pictures).detach() * 500).round() / 500

    fooled = [
        int((tiny_classifier(run(Square(queries=400), model, images, labels, threat)).argmax(dim=1) != labels).sum())
        for model in (tiny_classifier, rounded)
    ]
    assert min(fooled) >= 12, "the test would show little"
    assert abs(fooled[0] - fooled[1]) <= 3


def test_fooled_pictures_ask_no_more(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """A picture that is wrong from the start is asked about once; the others until they are fooled, which the last query did."""
    images = pixels(12)
    labels = tiny_classifier(images).argmax(dim=1)
    labels[:4] = (labels[:4] + 1) % 7
    asked: list[int] = []

    def model(pictures: Tensor) -> Tensor:
        asked.append(len(pictures))
        return tiny_classifier(pictures)

    attacked = run(Square(queries=100), model, images, labels, Threat(LINF, 24 / 255))
    assert asked[:2] == [12, 8]
    assert asked == sorted(asked, reverse=True)
    still_right = int((tiny_classifier(attacked).argmax(dim=1) == labels).sum())
    assert 0 < still_right < 8, "the test would show little"
    assert asked[-1] == still_right
    assert torch.equal(attacked[:4], images[:4])


def test_squares_shrink_as_the_paper_says() -> None:
    """The area is halved after 10, 50, 200, 500, 1,000, … of 10,000 queries; for fewer in proportion under L∞, as they are under L2."""
    images = torch.zeros(1, 3, 100, 100)
    whole, tenth = Square(queries=10_000, share=0.64), Square(queries=1_000, share=0.64)
    sides = {
        0: 80,
        10: 80,
        11: 57,
        50: 57,
        51: 40,
        201: 28,
        501: 20,
        1_001: 14,
        2_001: 10,
        4_001: 7,
        6_001: 5,
        8_001: 4,
    }
    for norm in (LINF, L2):
        assert {query: whole._side(query, images, norm) for query in sides} == sides
    assert [tenth._side(query, images, LINF) for query in (1, 2, 999)] == [80, 57, 4]
    assert [tenth._side(query, images, L2) for query in (1, 2, 999)] == [80, 80, 20]


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_spends_its_whole_budget(tiny_classifier: Classifier, pixels: Pixels, norm: Norm) -> None:
    """Away from black and white, a perturbation that was kept lies on the edge of the ball, not inside."""
    images = pixels(12) / 2 + 0.25
    labels = tiny_classifier(images).argmax(dim=1)
    eps = {"linf": 8 / 255, "l2": 0.5}[norm.name]
    attacked = run(Square(queries=60), tiny_classifier, images, labels, Threat(norm, eps))
    lengths = norm.norm(attacked - images)
    project = lengths > 0
    assert project.sum() >= 10
    torch.testing.assert_close(lengths[project], torch.full_like(lengths[project], eps), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (5, 40), (7, 7)])
@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_any_shape_will_do(norm: Norm, shape: tuple[int, int]) -> None:
    """Pictures of a pixel, of odd sides, and long ones are searched like any other."""
    images = torch.full((2, 3, *shape), 0.5)

    def model(pictures: Tensor) -> Tensor:
        return torch.stack([torch.full((len(pictures),), 9.0), pictures.flatten(1).mean(dim=1)], dim=1)

    attacked = run(Square(queries=100), model, images, LABELS[:2], Threat(norm, 0.05))
    assert (model(attacked)[:, 1] > model(images)[:, 1]).all()
    assert (norm.norm(attacked - images) <= 0.05 + 1e-6).all()
