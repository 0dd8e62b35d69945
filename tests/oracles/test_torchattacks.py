"""PGD and FGSM against torchattacks, another house's implementation; skipped where that is not installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, Norm, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.pgd import PGD
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

torchattacks = pytest.importorskip(
    "torchattacks", reason="it asks for a very old requests; put it beside the others by hand"
)

Pixels = Callable[..., Tensor]


class AsModule(torch.nn.Module):
    """A classifier as torchattacks wants it."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.weight = torch.nn.Parameter(torch.zeros(1))  # it asks a parameter for the device

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        return self.classifier(images)


def last_and_best(classifier: Classifier, images: Tensor, labels: Tensor, attack: PGD, threat: Threat) -> list[Tensor]:
    """The last point that our attack visits, and the one that it returns."""
    visited: list[Tensor] = []

    def model(pictures: Tensor) -> Tensor:
        visited.append(pictures.detach())
        return classifier(pictures)

    best = attack.run(
        model, images, labels, threat, PictureRngs.of(0, [str(i) for i in range(len(images))]), no_progress
    )
    return [visited[-1], best]


@pytest.mark.parametrize(("norm", "eps", "step"), [(LINF, 8 / 255, 2 / 255), (L2, 0.5, 0.1)], ids=["linf", "l2"])
def test_pgd_walks_the_same_way(
    tiny_classifier: Classifier, pixels: Pixels, norm: Norm, eps: float, step: float
) -> None:
    """From the same start, ten steps end at the same pixels but for gradients of nearly zero; what we return is at least as strong."""
    images = pixels(5)
    labels = tiny_classifier(images).argmax(dim=1)
    kind = torchattacks.PGD if norm is LINF else torchattacks.PGDL2
    theirs = kind(AsModule(tiny_classifier), eps=eps, alpha=step, steps=10, random_start=False)(images, labels)
    attack = PGD(steps=10, step_size=step, random_start=False)
    last, best = last_and_best(tiny_classifier, images, labels, attack, Threat(norm, eps))
    assert ((last - theirs).abs() < 1e-5).float().mean() > 0.99
    with torch.no_grad():
        ours, other = (adversarial_margin(tiny_classifier(found), labels) for found in (best, theirs))
    assert (ours >= other - 1e-3).all()


def test_fgsm_is_one_step(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """torchattacks' FGSM is our PGD with one step as long as the budget."""
    images = pixels(5)
    labels = tiny_classifier(images).argmax(dim=1)
    theirs = torchattacks.FGSM(AsModule(tiny_classifier), eps=6 / 255)(images, labels)
    attack = PGD(steps=1, step_size=6 / 255, random_start=False)
    last, _ = last_and_best(tiny_classifier, images, labels, attack, Threat(LINF, 6 / 255))
    assert ((last - theirs).abs() < 1e-6).float().mean() > 0.999
