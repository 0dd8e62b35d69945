"""HopSkipJump: that it hears only answers, and how near it comes where the nearest fooled picture is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.hop_skip_jump import HopSkipJump
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
KEYS = [f"picture {i}" for i in range(24)]


@pytest.fixture
def balanced(tiny_classifier: Classifier, pixels: Pixels) -> Callable[[Tensor], Tensor]:
    """The tiny classifier with what it answers to anything taken off: untrained, it would call nearly every picture the same."""
    with torch.no_grad():
        usual = tiny_classifier(pixels(64, seed=9)).mean(dim=0)
    return lambda images: tiny_classifier(images) - usual


def run(
    attack: HopSkipJump, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, threat: Threat
) -> Tensor:
    """The attack with one stream a picture."""
    return attack.run(model, images, labels, threat, PictureRngs.of(0, KEYS[: len(images)]), no_progress)


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_uses_nothing_but_the_answer(
    balanced: Callable[[Tensor], Tensor], pixels: Pixels, norm: Norm, targeted: bool
) -> None:
    """A model that gives only a one at the winning class gets bit for bit the pictures that the whole model gets."""
    images = pixels(4)
    labels = balanced(images).topk(2).indices[:, 1 if targeted else 0]
    threat = Threat(norm, {"linf": 0.3, "l2": 6.0}[norm.name], targeted)

    def answers_only(pictures: Tensor) -> Tensor:
        assert not pictures.requires_grad
        logits = balanced(pictures)
        return F.one_hot(logits.argmax(dim=1), logits.shape[1]).to(logits)

    attack = HopSkipJump(queries=120, probes=10)
    attacked = run(attack, balanced, images, labels, threat)
    assert (attacked != images).any(), "the test would show nothing"
    assert torch.equal(run(attack, answers_only, images, labels, threat), attacked)


@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_reaches_the_nearest_fooled_picture_of_a_linear_model(norm: Norm) -> None:
    """The distance to a plane is known: with a fifth more than that it always gets there, with a hundredth less it never can."""
    weights = torch.randn(48, generator=torch.Generator().manual_seed(3))
    images = torch.full((6, 3, 4, 4), 0.5)
    nearest = {"linf": 0.1, "l2": 0.5}[norm.name]
    dual = weights.abs().sum() if norm is LINF else weights.norm()

    def model(pictures: Tensor) -> Tensor:
        score = (pictures - 0.5).flatten(1).double() @ weights.double() / dual.double() - nearest
        return torch.stack([torch.zeros_like(score), score], dim=1)

    labels = torch.zeros(6, dtype=torch.long)
    attack = HopSkipJump(queries=2_500, probes=50)
    adversarial_margin = run(attack, model, images, labels, Threat(norm, 1.2 * nearest))
    assert (model(adversarial_margin).argmax(dim=1) == 1).all()
    assert torch.equal(run(HopSkipJump(queries=200), model, images, labels, Threat(norm, 0.99 * nearest)), images)


def test_what_comes_back_is_clean_or_fooled(balanced: Callable[[Tensor], Tensor], pixels: Pixels) -> None:
    """There is no half success: a picture is fooled inside the ball, or comes back as it was; and asks no more once fooled."""
    images = pixels(8)
    labels = balanced(images).argmax(dim=1)
    labels[:2] = (labels[:2] + 1) % 7
    asked: list[int] = []

    def model(pictures: Tensor) -> Tensor:
        asked.append(len(pictures))
        return balanced(pictures)

    attacked = run(HopSkipJump(queries=400, probes=10), model, images, labels, Threat(L2, 1.0))
    with torch.no_grad():
        fooled = balanced(attacked).argmax(dim=1) != labels
    changed = (attacked != images).flatten(1).any(dim=1)
    assert torch.equal(changed[2:], fooled[2:])
    assert not changed[:2].any()
    assert 0 < fooled[2:].sum() < 6, "the test would show little"
    assert asked[:2] == [8, 6]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] == 6 - int(fooled[2:].sum())
