"""Rotation and translation against moves that can be done by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from capt_engine.attacks.base import LINF, PictureRngs, Threat
from capt_engine.attacks.losses import adversarial_margin
from capt_engine.attacks.spatial import Spatial, rotate_translate
from capt_engine.model.classifier import Classifier
from capt_engine.progress import no_progress

Pixels = Callable[..., Tensor]


def run(attack: Spatial, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    """The attack; it draws nothing."""
    return attack.run(model, images, labels, Threat(LINF, 0.0), PictureRngs.of(0, [""] * len(images)), no_progress)


@pytest.mark.parametrize("shape", [(8, 8), (6, 10), (11, 4)])
def test_a_move_of_nothing_is_nothing(shape: tuple[int, int]) -> None:
    """No turn and no shift give the picture back."""
    images = torch.rand((2, 3, *shape), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rotate_translate(images, 0, 0, 0), images)


@pytest.mark.parametrize(("right", "down"), [(2, 0), (0, -3), (-1, 2)])
def test_shifts_by_whole_pixels_are_shifts(pixels: Pixels, right: int, down: int) -> None:
    """Pixels land where they are counted to, and what comes in is black."""
    images = pixels(2, 12)
    shifted = rotate_translate(images, 0, right / 12, down / 12)
    padded = torch.zeros(2, 3, 18, 18)
    padded[:, :, 3 + down : 15 + down, 3 + right : 15 + right] = images
    torch.testing.assert_close(shifted, padded[:, :, 3:15, 3:15], atol=1e-5, rtol=0)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_quarter_turns(pixels: Pixels, quarters: int) -> None:
    """90° is anticlockwise and exact."""
    images = pixels(2, 12)
    torch.testing.assert_close(
        rotate_translate(images, 90 * quarters, 0, 0), images.rot90(quarters, (2, 3)), atol=1e-5, rtol=0
    )


def test_a_turn_is_a_turn_whatever_the_shape() -> None:
    """A disc in the middle of a wide picture stays a disc: no shear, no stretching."""
    y, x = torch.meshgrid(torch.arange(40.0) - 19.5, torch.arange(90.0) - 44.5, indexing="ij")
    disc = ((x**2 + y**2) < 15**2).float().expand(1, 3, -1, -1)
    assert (rotate_translate(disc, 33, 0, 0) - disc).abs().mean() < 0.01


@pytest.mark.parametrize(("edge", "corner"), [("black", 0.0), ("stretched", 0.6), ("mirrored", 0.6)])
def test_what_comes_in_from_outside(edge: str, corner: float) -> None:
    """Black, the outermost pixels, or the mirror image."""
    images = torch.full((1, 3, 10, 10), 0.6)
    assert rotate_translate(images, 0, 0.3, 0.3, edge)[0, 0, 0, 0].item() == pytest.approx(corner, abs=1e-6)


def test_keeps_the_worst_of_the_whole_grid(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """What it returns is the strongest of all moves tried one by one, and of the clean picture."""
    images = pixels(5)
    labels = tiny_classifier(images).argmax(dim=1)
    attacked = run(Spatial(degrees=20, shift=0.1, turns=3, shifts=3), tiny_classifier, images, labels)
    tried = [images] + [
        rotate_translate(images, turn, right, down)
        for turn in (-20.0, 0.0, 20.0)
        for right in (-0.1, 0.0, 0.1)
        for down in (-0.1, 0.0, 0.1)
    ]
    with torch.no_grad():
        margins = torch.stack([adversarial_margin(tiny_classifier(one), labels) for one in tried])
        torch.testing.assert_close(adversarial_margin(tiny_classifier(attacked), labels), margins.amax(dim=0))


def test_one_of_each_is_none(tiny_classifier: Classifier, pixels: Pixels) -> None:
    """With a single turn and a single shift the grid is the picture itself."""
    images = pixels(2)
    labels = tiny_classifier(images).argmax(dim=1)
    torch.testing.assert_close(run(Spatial(turns=1, shifts=1), tiny_classifier, images, labels), images)
    assert Spatial(turns=3, shifts=2).work == 12
