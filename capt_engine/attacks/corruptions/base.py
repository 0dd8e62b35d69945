"""The parts of corruptions: their description, sizes that follow the picture, and the few filters they share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.base import PictureRngs

SEVERITIES = 5

# The side for which all lengths are written down. On other pictures they grow and shrink with the shorter side.
_WRITTEN_FOR = 224


@dataclass(frozen=True)
class Corruption:
    """One way in which pictures go bad without anybody wanting it.

    apply(picture (1, 3, h, w) in [0, 1], *levels[severity − 1], stream) → the same shape, values not clipped yet. Lengths among the levels
    are pixels of a 224-pixel picture. held_out: one of the four that are kept apart from the fifteen of the benchmark's mean.
    """

    name: str
    label: str
    group: str
    apply: Callable[..., Tensor]
    levels: tuple[tuple[float, ...], ...]
    held_out: bool = False

    def __call__(self, picture: Tensor, severity: int, stream: PictureRngs) -> Tensor:
        """Corrupt one picture.

        Args:
            picture: pixels (1, 3, h, w) in [0, 1], on the CPU.
            severity: from 1 to 5.
            stream: the random stream of this one picture.

        Returns:
            Pixels (1, 3, h, w) in [0, 1].
        """
        return self.apply(picture, *self.levels[severity - 1], stream).clamp(0, 1)


def pixels(length: float, picture: Tensor) -> float:
    """Convert a length written for 224 pixels to a length for this picture.

    Args:
        length: in pixels of a picture whose shorter side has 224.
        picture: (1, c, h, w), for its size.

    Returns:
        The length in pixels of `picture`, not rounded.
    """
    return length * min(picture.shape[2:]) / _WRITTEN_FOR


def chance(stream: PictureRngs, *shape: int) -> Tensor:
    """Draw uniform values from the picture's own stream.

    Args:
        stream: the random stream of one picture.
        *shape: the sizes of the values after the first, which is 1.

    Returns:
        Values (1, *shape) in [0, 1), float32 on the CPU.
    """
    return stream.uniform(torch.empty(1, *shape))


def one_chance(stream: PictureRngs) -> float:
    """Draw a single uniform value in [0, 1) from `stream`, the random stream of one picture."""
    return float(chance(stream, 1))


def filtered(picture: Tensor, kernel: Tensor) -> Tensor:
    """Convolve each channel with a kernel; beyond the edge the picture's last pixel is repeated.

    Args:
        picture: (1, c, h, w).
        kernel: weights (odd, odd) that add up to 1.

    Returns:
        Filtered values (1, c, h, w).
    """
    channels = picture.shape[1]
    rows, columns = (side // 2 for side in kernel.shape)
    padded = F.pad(picture, (columns, columns, rows, rows), mode="replicate")
    return F.conv2d(padded, kernel.expand(channels, 1, -1, -1), groups=channels)


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """Blur with a Gaussian.

    Args:
        picture: (1, c, h, w).
        sigma: the Gaussian's standard deviation in pixels, at least 0; below 0.001 nothing is blurred.

    Returns:
        Blurred values (1, c, h, w).
    """
    if sigma < 1e-3:
        return picture
    reach = math.ceil(3 * sigma)
    # Each weight is the bell's area over its pixel, not its height in the middle, which would make narrow bells too narrow.
    borders = torch.arange(-reach, reach + 2, dtype=torch.float64) - 0.5
    line = torch.special.ndtr(borders / sigma).diff().float()
    line = line / line.sum()
    return filtered(filtered(picture, line[None, :]), line[:, None])


def streaked(picture: Tensor, length: float, degrees: float) -> Tensor:
    """Average along a line through each pixel.

    Args:
        picture: (1, c, h, w).
        length: the line's length in pixels, at least 0.
        degrees: the line's angle to the horizontal, clockwise.

    Returns:
        Averaged values (1, c, h, w).
    """
    reach = math.ceil(length / 2) + 1
    kernel = torch.zeros(2 * reach + 1, 2 * reach + 1)
    count = 4 * reach + 1
    for i in range(count):
        along = (i / (count - 1) - 0.5) * length
        x, y = (reach + along * turn(math.radians(degrees)) for turn in (math.cos, math.sin))
        # Each point of the line is shared out between the four pixels around it, so that no angle is jagged.
        left, top = math.floor(x), math.floor(y)
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            share = max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row))
            if share:
                kernel[row, column] += share
    return filtered(picture, kernel / kernel.sum())


def displaced(picture: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Give each pixel the value that lies `right` and `down` of it; beyond the edge the picture is mirrored.

    Args:
        picture: (1, c, h, w).
        right: horizontal offsets (h, w), in pixels; negative ones look to the left.
        down: vertical offsets (h, w), in pixels; negative ones look up.

    Returns:
        Displaced values (1, c, h, w).
    """
    height, width = picture.shape[2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    grid = torch.stack([(x + right) / width, (y + down) / height], dim=-1)[None] * 2 - 1
    return F.grid_sample(picture, grid, padding_mode="reflection", align_corners=False)


def clouds(picture: Tensor, stream: PictureRngs, *, first: int = 2, roughness: float = 0.55) -> Tensor:
    """Draw a random pattern of smooth light and dark lumps, from coarse to fine.

    Args:
        picture: (1, c, h, w), for its size.
        stream: the random stream of one picture.
        first: the number of lumps along the shorter side in the coarsest layer.
        roughness: the strength of each finer layer relative to the one before.

    Returns:
        Values (1, 1, h, w), from 0 to 1.
    """
    height, width = picture.shape[2:]
    short = min(height, width)
    total = torch.zeros(1, 1, height, width)
    lumps, strength = first, 1.0
    while True:
        rows, columns = (max(2, math.ceil(lumps * side / short) + 1) for side in (height, width))
        layer = chance(stream, 1, rows, columns)
        total = total + strength * F.interpolate(layer, size=(height, width), mode="bicubic", align_corners=True)
        lumps, strength = lumps * 2, strength * roughness
        if lumps > short / 2:
            return stretched(total)


def stretched(values: Tensor) -> Tensor:
    """Shift and scale values so that they fill 0 to 1.

    Args:
        values: of any shape.

    Returns:
        Values of the same shape, from 0 to 1; all 0 where they were all alike.
    """
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp_min(1e-6)


def grey(picture: Tensor) -> Tensor:
    """Compute the luma of each pixel (the weights of BT.601).

    Args:
        picture: pixels (1, 3, h, w).

    Returns:
        Luma (1, 1, h, w).
    """
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True)
