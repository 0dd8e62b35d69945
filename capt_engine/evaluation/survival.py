"""Does an attacked picture still fool the model after it has been saved and read again?

The most repeated surprise of this field: rounding to 8 bits or JPEG can undo an attack. So it is always asked.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_bytes(images: Tensor) -> Tensor:
    """Pixels (n, 3, h, w) in [0, 1] as 8-bit values (n, h, w, 3) on the CPU, rounded as a PNG would hold them."""
    return (images * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().contiguous()


def as_png(images: Tensor) -> Tensor:
    """The pictures after 8-bit rounding, which is all that PNG loses; (n, 3, h, w) in [0, 1]."""
    return (images * 255).round() / 255


def as_jpeg(images: Tensor, quality: int = 95) -> Tensor:
    """The pictures after a JPEG file of that quality (4:2:0 colour, Pillow's default); (n, 3, h, w) in [0, 1]."""
    read = []
    for picture in to_bytes(images).numpy():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        read.append(torch.from_numpy(np.array(Image.open(file, formats=["JPEG"]))))
    return (torch.stack(read).permute(0, 3, 1, 2).to(images.dtype) / 255).to(images.device)
