"""Damage by screens, files and programs."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions.base import blurred, chance, displaced, grey, pixels

_WAVE = 9.0


def contrast(picture: Tensor, left: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Draw every value towards the mean of its channel.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        left: the share of the distance from the mean that remains, in [0, 1].
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    mean = picture.mean(dim=(2, 3), keepdim=True)
    return mean + (picture - mean) * left


def saturate(picture: Tensor, gain: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Drive every value away from the grey (luma) of its pixel, as colours that are too strong.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        gain: the factor by which the distance from grey grows, above 1.
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    shade = grey(picture)
    return shade + (picture - shade) * gain


def pixelate(picture: Tensor, share: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Reduce the picture to a share of its width and height, and enlarge it again pixel by pixel.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        share: the share of width and height that is left in between, in (0, 1].
        stream: the picture's random stream; nothing is drawn.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    height, width = picture.shape[2:]
    small = F.interpolate(picture, size=(max(1, round(height * share)), max(1, round(width * share))), mode="area")
    return F.interpolate(small, size=(height, width), mode="nearest-exact")


def jpeg(picture: Tensor, quality: float, stream: PictureRngs | None = None) -> Tensor:  # noqa: ARG001
    """Write the picture as a JPEG file in memory and read it again, both by Pillow (4:2:0 colour, its default).

    Args:
        picture: pixels (1, 3, h, w) in [0, 1], on the CPU.
        quality: Pillow's JPEG quality, from 1 to 95; a fraction is cut off.
        stream: not used, as nothing is drawn.

    Returns:
        Pixels (1, 3, h, w) in [0, 1], multiples of 1/255, float32.
    """
    values = (picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return torch.from_numpy(through_jpeg(values, int(quality))).permute(2, 0, 1)[None].float() / 255


def through_jpeg(values: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Write a picture as a JPEG file in memory and read it again; most of that leaves Python's lock to other threads.

    Args:
        values: sRGB values (h, w, 3), uint8.
        quality: Pillow's JPEG quality, from 1 to 95.

    Returns:
        Values of the same shape, a copy.
    """
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=quality)
    with Image.open(file) as read:
        return np.asarray(read).copy()


def elastic(picture: Tensor, amplitude: float, stream: PictureRngs) -> Tensor:
    """Shift each pixel by a smooth random field, as if the picture were printed on rubber.

    Args:
        picture: pixels (1, 3, h, w) in [0, 1].
        amplitude: about twice the standard deviation of the shifts, in pixels of a 224-pixel picture.
        stream: the picture's random stream.

    Returns:
        Pixels (1, 3, h, w), not clipped.
    """
    height, width = picture.shape[2:]
    sigma = max(pixels(_WAVE, picture), 0.8)
    field = blurred(chance(stream, 2, height, width) * 2 - 1, sigma)
    # Blurring takes the field's strength down by a factor that depends on its size in pixels; this gives it back.
    field = field * math.sqrt(12 * math.pi) * sigma / 2 * pixels(amplitude, picture)
    return displaced(picture, field[0, 0], field[0, 1])
