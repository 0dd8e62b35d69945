"""Random crops and flips, as CoOp, MaPLe and APT train with: what a picture becomes depends on seed, epoch and picture alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from capt_engine.attacks.base import PictureRngs

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
_TRIES = 10


class CropFlip:
    """Random crops: a part of 8 to 100 % of a picture, brought to `size` × `size` by a bicubic filter, and every second time mirrored."""

    def __init__(self, originals: Sequence[NDArray[np.uint8]], size: int, seed: int) -> None:
        self._originals = originals
        self._size = size
        self._seed = seed

    def __call__(self, epoch: int, batch: Tensor) -> Tensor:
        """Crop and mirror some pictures.

        Args:
            epoch: the number of the epoch, which decides the draws together with seed and picture.
            batch: indices (n,) of the pictures.

        Returns:
            Pictures (n, 3, size, size), uint8.
        """
        indices = [int(index) for index in batch]
        rngs = PictureRngs.of(self._seed, [f"{epoch}:{index}" for index in indices], "augmentation")
        chances = rngs.uniform(torch.empty(len(indices), 4 * _TRIES + 1)).tolist()
        return torch.stack([self._one(index, chance) for index, chance in zip(indices, chances, strict=True)])

    def _one(self, index: int, chances: list[float]) -> Tensor:
        picture = Image.fromarray(self._originals[index])
        mirrored, *tries = chances
        box = _box(picture.width, picture.height, tries)
        part = picture.resize((self._size, self._size), Image.Resampling.BICUBIC, box=box)
        pixels = torch.from_numpy(np.array(part)).permute(2, 0, 1)
        return pixels.flip(2) if mirrored < 0.5 else pixels.contiguous()


def _box(width: int, height: int, tries: list[float]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a part, by four chances in [0, 1) a try."""
    for size, shape, across, down in zip(*[iter(tries)] * 4, strict=True):
        area = width * height * (AREA[0] + (AREA[1] - AREA[0]) * size)
        ratio = RATIO[0] * (RATIO[1] / RATIO[0]) ** shape
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(across * (width - w + 1)), int(down * (height - h + 1))
            return left, top, left + w, top + h
    # A picture too narrow for any of them: the largest part in the middle of an allowed ratio.
    w, h = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
