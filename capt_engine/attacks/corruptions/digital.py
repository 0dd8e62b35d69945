"""Damage by screens, files and programs."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions.base import blurred, chance, displaced, grey, pixels

_WAVE = 9.0


def contrast(picture: Tensor, left: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Every value drawn towards the mean of its channel; `left` of the distance remains."""
    mean = picture.mean(dim=(2, 3), keepdim=True)
    return mean + (picture - mean) * left


def saturate(picture: Tensor, gain: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Colours too strong: every value driven away from the grey of its pixel."""
    shade = grey(picture)
    return shade + (picture - shade) * gain


def pixelate(picture: Tensor, share: float, stream: PictureRngs) -> Tensor:  # noqa: ARG001
    """Reduced to a share of its width and height, and enlarged again pixel by pixel."""
    height, width = picture.shape[2:]
    small = F.interpolate(picture, size=(max(1, round(height * share)), max(1, round(width * share))), mode="area")
    return F.interpolate(small, size=(height, width), mode="nearest-exact")


def jpeg(picture: Tensor, quality: float, stream: PictureRngs | None = None) -> Tensor:  # noqa: ARG001
    """A JPEG file of low quality, as Pillow writes it."""
    values = (picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=int(quality))
    with Image.open(file) as read:
        return torch.from_numpy(np.asarray(read).copy()).permute(2, 0, 1)[None].float() / 255


def elastic(picture: Tensor, amplitude: float, stream: PictureRngs) -> Tensor:
    """As if printed on rubber: pulled and pushed by a smooth random field."""
    height, width = picture.shape[2:]
    sigma = max(pixels(_WAVE, picture), 0.8)
    field = blurred(chance(stream, 2, height, width) * 2 - 1, sigma)
    # Blurring takes the field's strength down by a factor that depends on its size in pixels; this gives it back.
    field = field * math.sqrt(12 * math.pi) * sigma / 2 * pixels(amplitude, picture)
    return displaced(picture, field[0, 0], field[0, 1])
