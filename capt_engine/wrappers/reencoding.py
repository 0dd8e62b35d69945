"""Pictures after saving and reading: PNG, JPEG and resizing, which can undo an attack (Kurakin et al. 2016, arXiv 1607.02533)."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from capt_engine.attacks.corruptions.digital import through_jpeg

# A batch's pictures are saved side by side.
_WORTH_THREADS, _THREADS = 4, 4


def to_bytes(images: Tensor) -> Tensor:
    """Round pixels to 8-bit values, as a PNG file would hold them.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        uint8 values (n, h, w, 3), on the CPU.
    """
    return (images * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().contiguous()


def as_png(images: Tensor) -> Tensor:
    """Round pixels to multiples of 1/255, the only loss of PNG.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        Pixels in [0, 1] of the same shape, type and device.
    """
    return (images * 255).round() / 255


def as_jpeg(images: Tensor, quality: int = 95) -> Tensor:
    """Write each picture as a JPEG file in memory (4:2:0 colour, Pillow's default) and read it again.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].
        quality: Pillow's JPEG quality, 1 to 95.

    Returns:
        Pixels in [0, 1] of the same shape, type and device, without gradient.
    """
    values = (images.cpu() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    save = partial(through_jpeg, quality=quality)
    if len(values) < _WORTH_THREADS:
        read = [save(one) for one in values]
    else:
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "jpeg") as pool:
            read = list(pool.map(save, values))
    return (torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 255).to(images)


def as_resized(images: Tensor) -> Tensor:
    """Scale pictures to half their height and width and back to their own size.

    Both steps are bicubic with antialiasing and rounded to 8 bits, as a picture is that was saved small and enlarged.

    Args:
        images: pixels (n, 3, h, w) in [0, 1].

    Returns:
        Pixels in [0, 1] of the same shape, type and device, multiples of 1/255.
    """
    height, width = images.shape[-2:]
    for size in ((max(1, height // 2), max(1, width // 2)), (height, width)):
        images = as_png(F.interpolate(as_png(images), size, mode="bicubic", antialias=True).clamp(0, 1))
    return images


SAVINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "png": as_png,
    "jpeg95": as_jpeg,
    "jpeg75": partial(as_jpeg, quality=75),
    "resize": as_resized,
}
"""The ways of saving a picture, by the last part of the `survives_…` field that says whether the attack survived it."""
