"""Blur of five kinds. All lengths are pixels of a 224-pixel picture."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions.base import blurred, chance, displaced, filtered, one_chance, pixels, streaked

_ZOOMS = 16
_FINE = 5


def gaussian_blur(picture: Tensor, sigma: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Blur with a Gaussian, as a soft lens does.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        sigma: standard deviation of the Gaussian, in pixels of a 224-pixel picture.
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    return blurred(picture, pixels(sigma, picture))


def defocus_blur(picture: Tensor, radius: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Blur as a lens out of focus does: every point becomes a disc.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        radius: the disc's radius, in pixels of a 224-pixel picture.
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    return filtered(picture, _disc(pixels(radius, picture)))


def glass_blur(picture: Tensor, reach: float, rounds: float, stream: PictureRngs) -> Tensor:
    """Give each pixel the value of a random place nearby, again and again, then blur a little, as frosted glass does.

    Pixels look aside by fractions too, where the benchmark swaps whole ones, so that small pictures are scattered
    alike.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        reach: how far away that place may lie, right or left and up or down, in pixels of a 224-pixel picture.
        rounds: how often it is done, a whole number.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    far = pixels(reach, picture)
    height, width = picture.shape[2:]
    for _ in range(int(rounds)):
        right, down = ((chance(stream, height, width)[0] * 2 - 1) * far for _ in range(2))
        picture = displaced(picture, right, down)
    return blurred(picture, far / 4)


def motion_blur(picture: Tensor, length: float, stream: PictureRngs) -> Tensor:
    """Blur along a line, as a camera that moved: in a random direction, up to 45° to either side of level.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        length: the line's length, in pixels of a 224-pixel picture.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    return streaked(picture, pixels(length, picture), 90 * one_chance(stream) - 45)


def zoom_blur(picture: Tensor, largest: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Average the picture over zooms from 1 up to the largest, as a camera that came nearer while it looked.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        largest: the largest zoom, a factor above 1.
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    total = picture
    for step in range(1, _ZOOMS + 1):
        zoom = 1 + (largest - 1) * step / _ZOOMS
        grid = F.affine_grid(
            torch.tensor([[[1 / zoom, 0, 0], [0, 1 / zoom, 0]]]), list(picture.shape), align_corners=False
        )
        total = total + F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    return total / (_ZOOMS + 1)


def _disc(radius: float) -> Tensor:
    """A disc as a kernel; pixels on its rim count by the share of them that lies inside, so that any radius is one."""
    reach = math.ceil(radius)
    side = 2 * reach + 1
    at = (torch.arange(side * _FINE) + 0.5) / _FINE - side / 2
    covered = (at[:, None].square() + at[None].square() <= max(radius, 0.5) ** 2).float()
    kernel = covered.view(side, _FINE, side, _FINE).mean(dim=(1, 3))
    return kernel / kernel.sum()
