"""The noise control: as long as the budget, blind with one draw, the worst of several."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, NORMS, Norm, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.noise import Noise
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
EPS = {"linf": 0.05, "l2": 1.5}


def run(attack: Noise, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, norm: Norm) -> Tensor:
    """The attack with one stream a picture."""
    rngs = PictureRngs.of(0, [f"picture {i}" for i in range(len(images))])
    return attack.run(model, images, labels, Threat(norm, EPS[norm.name]), rngs, no_progress)


def blind(_: Tensor) -> Tensor:
    """A model that must not be asked."""
    raise AssertionError("one draw looks at nothing")


@pytest.mark.parametrize("kind", ["corners", "uniform", "gaussian"])
@pytest.mark.parametrize("norm", list(NORMS), ids=lambda norm: norm.name)
def test_one_draw_has_the_full_length_and_asks_nobody(norm: Norm, kind: str) -> None:
    """Under L2 every kind lies on the edge of the ball; under L∞ corners moves every value by ε, and the others reach far into it."""
    images = torch.full((4, 3, 24, 24), 0.5)
    delta = run(Noise(kind=kind), blind, images, torch.zeros(4, dtype=torch.long), norm) - images
    lengths = norm.norm(delta)
    if norm is L2 or kind == "corners":
        torch.testing.assert_close(lengths, torch.full((4,), EPS[norm.name]), rtol=1e-5, atol=1e-6)
    else:
        assert (lengths > 0.95 * EPS["linf"]).all()
    if norm is LINF and kind == "corners":
        torch.testing.assert_close(delta.abs(), torch.full_like(delta, EPS["linf"]))
    assert abs(float(delta.mean())) < 0.1 * float(delta.std())


def test_the_worst_of_several_draws_is_kept(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The first of nine draws is the only one of one, and what hurts most of them comes back."""
    images = pixels(6)
    labels = tiny_classifier(images).argmax(dim=1)
    once, often = (
        adversarial_margin(tiny_classifier(run(Noise(draws=draws), tiny_classifier, images, labels, LINF)), labels)
        for draws in (1, 9)
    )
    assert (often >= once - 1e-6).all()
    assert often.mean() > once.mean()
