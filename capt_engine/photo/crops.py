"""Crops of the training pictures as the trunk sees them, computed once into shards in the user's cache folder."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import PCG64, Generator
from PIL import Image
from torch import Tensor

from capt_engine.data.images import read_photo
from capt_engine.files import write_atomic
from capt_engine.model.trunk import Trunk
from capt_engine.photo.plan import MEAN, SIZE, STD
from capt_engine.progress import Progress

_BATCH, _STREAM = 50, 1
_SMALLEST, _NARROWEST = 0.3, 3 / 4


def centre_crop(picture: Image.Image, side: int = SIZE) -> Image.Image:
    """The middle square of a picture whose shorter side was made `side`, as the model's own preprocessing has it."""
    width, height = picture.size
    scale = side / min(width, height)
    whole = picture.resize(
        (max(side, round(width * scale)), max(side, round(height * scale))), Image.Resampling.BICUBIC
    )
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    return whole.crop((left, top, left + side, top + side))


def random_crop(picture: Image.Image, rng: Generator, side: int = SIZE) -> Image.Image:
    """A part of 30 to 100 % of a picture, between 3:4 and 4:3, made a square of `side`; mirrored half of the time."""
    width, height = picture.size
    cropped = None
    for _ in range(10):
        area = width * height * rng.uniform(_SMALLEST, 1)
        ratio = math.exp(rng.uniform(math.log(_NARROWEST), -math.log(_NARROWEST)))
        across, down = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if across <= width and down <= height:
            left, top = rng.integers(0, width - across + 1), rng.integers(0, height - down + 1)
            box = (int(left), int(top), int(left) + across, int(top) + down)
            cropped = picture.resize((side, side), Image.Resampling.BICUBIC, box=box)
            break
    square = cropped or centre_crop(picture, side)
    return square.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else square


def crop_maps(
    pictures: Sequence[Path], trunk: Trunk, crops: int, seed: int, folder: Path, progress: Progress
) -> Tensor:
    """Compute the maps of the trunk's last block before its head.

    Args:
        pictures: files.
        trunk: with its published weights.
        crops: of each picture; crop 0 is the centre, the others are drawn by seed, picture and crop.
        seed: of the draws.
        folder: where the maps are kept; those that are there are not computed again.
        progress: called after each 50 crops.

    Returns:
        Maps (crops * pictures, 320, 7, 7) in fp16: crop 0 of every picture, then crop 1 of every picture, and so on.
    """
    shards = []
    for crop in range(crops):
        for first in range(0, len(pictures), _BATCH):
            path = folder / f"{crop:02d}-{first:05d}.npy"
            if not path.exists():
                some = [
                    _crop(one, crop, Generator(PCG64([seed, _STREAM, crop, first + index])))
                    for index, one in enumerate(pictures[first : first + _BATCH])
                ]
                buffer = io.BytesIO()
                np.save(buffer, _maps(trunk, some).numpy())
                write_atomic(path, buffer.getvalue())
            shards.append(path)
            progress(crop * len(pictures) + first, crops * len(pictures), "looking at the training pictures")
    return torch.from_numpy(np.concatenate([np.load(one) for one in shards]))


def _crop(path: Path, crop: int, rng: Generator) -> Image.Image:
    picture = Image.fromarray(read_photo(path).rgb)
    return centre_crop(picture) if crop == 0 else random_crop(picture, rng)


@torch.no_grad()
def _maps(trunk: Trunk, pictures: Sequence[Image.Image]) -> Tensor:
    pixels = torch.from_numpy(np.stack([np.asarray(one) for one in pictures])).permute(0, 3, 1, 2).float() / 255
    x = (pixels - MEAN) / STD
    maps: Tensor = trunk.blocks(trunk.stem(x.contiguous(memory_format=torch.channels_last)))
    return maps.half().contiguous()
