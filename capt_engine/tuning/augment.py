"""Random crops and flips, as CoOp, MaPLe and APT train with: what a picture becomes depends on seed, epoch and picture alone."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
_TRIES = 10


class CropFlip:
    """A part of 8 to 100 % of the picture, brought to `size` × `size` by a bicubic filter, and every second time mirrored."""

    def __init__(self, originals: Sequence[NDArray[np.uint8]], size: int, seed: int) -> None:
        self._originals = originals
        self._size = size
        self._seed = seed

    def __call__(self, epoch: int, batch: Tensor) -> Tensor:
        """Pictures (n, 3, size, size), uint8, of the indices `batch` (n,) in this epoch."""
        return torch.stack([self._one(epoch, int(index)) for index in batch])

    def _one(self, epoch: int, index: int) -> Tensor:
        rng = random.Random(f"{self._seed}:{epoch}:{index}")
        picture = Image.fromarray(self._originals[index])
        box = _box(picture.width, picture.height, rng)
        part = picture.resize((self._size, self._size), Image.Resampling.BICUBIC, box=box)
        pixels = torch.from_numpy(np.array(part)).permute(2, 0, 1)
        return pixels.flip(2) if rng.random() < 0.5 else pixels.contiguous()


def _box(width: int, height: int, rng: random.Random) -> tuple[int, int, int, int]:
    for _ in range(_TRIES):
        area = width * height * rng.uniform(*AREA)
        ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.randint(0, width - w), rng.randint(0, height - h)
            return left, top, left + w, top + h
    # A picture too narrow for any of them: the largest part in the middle of an allowed ratio.
    w, h = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
