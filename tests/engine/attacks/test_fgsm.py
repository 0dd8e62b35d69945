"""FGSM against its formula."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import L2, LINF, PictureRngs, Threat
from capt_engine.attacks.fgsm import FGSM
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]
KEYS = [f"picture {i}" for i in range(6)]


@pytest.mark.parametrize("targeted", [False, True])
def test_it_is_the_formula_wherever_that_helps(tiny_classifier: Classifier, pixels: Pixels, targeted: bool) -> None:
    """x ± eps · sign(gradient), clipped; the picture itself where the model would be surer of the label there."""
    eps, images = 6 / 255, pixels(6)
    with torch.no_grad():
        labels = torch.full((6,), 2) if targeted else tiny_classifier(images).argmax(dim=1)
    x = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(tiny_classifier(x), labels, reduction="sum"), x)
    formula = (images + (-eps if targeted else eps) * gradient.sign()).clamp(0, 1)
    threat = Threat(LINF, eps, targeted)
    attacked = FGSM().run(tiny_classifier, images, labels, threat, PictureRngs.of(0, KEYS), no_progress)
    sign = -1 if targeted else 1
    with torch.no_grad():
        better = sign * adversarial_margin(tiny_classifier(formula), labels) > sign * adversarial_margin(
            tiny_classifier(images), labels
        )
    assert better.sum() >= 4, "the test would show little"
    torch.testing.assert_close(attacked[better], formula[better], atol=1e-6, rtol=0)
    assert torch.equal(attacked[~better], images[~better])


def test_under_l2_it_goes_along_the_gradient_itself() -> None:
    """For two linear classes the step is eps long and points along the difference of their weights."""
    weights = torch.randn((2, 48), generator=torch.Generator().manual_seed(3))
    images = torch.full((1, 3, 4, 4), 0.5)

    def model(pictures: Tensor) -> Tensor:
        return pictures.flatten(1) @ weights.T

    label = model(images).argmax(dim=1)
    attacked = FGSM().run(model, images, label, Threat(L2, 0.3), PictureRngs.of(0, KEYS[:1]), no_progress)
    apart = weights[1 - label[0]] - weights[label[0]]
    torch.testing.assert_close((attacked - images).flatten(), 0.3 * apart / apart.norm(), atol=1e-6, rtol=1e-4)


def test_averaging_over_draws_finds_the_gradient_under_noise() -> None:
    """Where each answer's gradient is drowned in noise, the mean of many points along the true one more often (EoT)."""
    weights = torch.randn((2, 48), generator=torch.Generator().manual_seed(3))
    images = torch.full((1, 3, 4, 4), 0.5)
    label = (images.flatten(1) @ weights.T).argmax(dim=1)
    agreed = []
    for samples in (1, 100):
        stream = torch.Generator().manual_seed(11)

        def model(pictures: Tensor, stream: torch.Generator = stream) -> Tensor:
            return pictures.flatten(1) @ (weights + 5 * torch.randn(weights.shape, generator=stream)).T

        attack = FGSM(loss="margin", samples=samples)
        attacked = attack.run(model, images, label, Threat(LINF, 0.2), PictureRngs.of(0, KEYS[:1]), no_progress)
        towards = (weights[1 - label[0]] - weights[label[0]]).sign()
        agreed.append(float(((attacked - images).flatten().sign() == towards).float().mean()))
    assert agreed[1] > 0.85
    assert agreed[1] > agreed[0] + 0.2
