"""The patch: how much it covers, where it lies, and that it is painted to the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.patch import Patch
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]


def run(attack: Patch, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, seed: int = 0) -> Tensor:
    """The attack with one stream a picture."""
    rngs = PictureRngs.of(seed, [f"picture {i}" for i in range(len(images))])
    return attack.run(model, images, labels, Threat(LINF, 0.0), rngs, no_progress)


@pytest.mark.parametrize("share", [0.0005, 0.04, 0.25, 1.0])
def test_covers_what_it_says_and_no_more(share: float) -> None:
    """On a linear model the patch ends as the best of all patches at its place: black or white by the sign of each weight."""
    weights = torch.randn((3, 20, 20), generator=torch.Generator().manual_seed(1))
    images = torch.full((5, 3, 20, 20), 0.5)

    def model(pictures: Tensor) -> Tensor:
        score = (pictures * weights).flatten(1).sum(dim=1)
        return torch.stack([torch.full_like(score, 1e3), score], dim=1)

    attacked = run(Patch(share=share, steps=20), model, images, torch.zeros(5, dtype=torch.long))
    side = max(1, round(20 * share**0.5))
    for picture in attacked:
        changed = (picture != 0.5).any(dim=0)
        rows, columns = changed.any(dim=1).nonzero().flatten(), changed.any(dim=0).nonzero().flatten()
        assert (len(rows), len(columns), int(changed.sum())) == (side, side, side**2)
        best = (weights > 0).float()
        inside = changed.expand(3, -1, -1)
        torch.testing.assert_close(picture[inside], best[inside])


def test_each_picture_has_a_place_of_its_own() -> None:
    """Places differ between pictures and seeds, and reach every part of the picture."""
    images = torch.full((64, 3, 16, 16), 0.5)
    touched = torch.zeros(16, 16, dtype=torch.bool)
    firsts = []

    def model(pictures: Tensor) -> Tensor:
        brightness = pictures.flatten(1).sum(dim=1)
        return torch.stack([brightness * 0, brightness], dim=1)

    for seed in (0, 1):
        attacked = run(Patch(share=0.06, steps=2), model, images, torch.zeros(64, dtype=torch.long), seed)
        touched |= (attacked != 0.5).any(dim=0).any(dim=0)
        firsts.append((attacked[0] != 0.5).any(dim=0))
    assert not torch.equal(*firsts)
    assert touched.float().mean() > 0.9


def test_more_places_and_steps_hurt_more(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """The first of four places is the only one of one; and thirty steps climb above three."""
    images = pixels(8)
    labels = tiny_classifier(images).argmax(dim=1)
    margins = [
        adversarial_margin(tiny_classifier(run(attack, tiny_classifier, images, labels)), labels).detach()
        for attack in (Patch(steps=3), Patch(steps=3, restarts=4), Patch(steps=30))
    ]
    assert (margins[1] >= margins[0] - 1e-6).all()
    assert margins[1].mean() > margins[0].mean()
    assert margins[2].mean() > margins[0].mean()


def test_says_what_it_may_do() -> None:
    """Its budget is given in words, with the share and the places."""
    assert Patch().budget == "a square patch over 5 % of the picture at a random place"
    assert (
        Patch(share=0.2, restarts=3).budget == "a square patch over 20 % of the picture at the worst of 3 random places"
    )
