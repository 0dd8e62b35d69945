"""What is left of a picture after it has been saved and read again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from capt_engine.wrappers.reencoding import as_jpeg, as_png, to_bytes

Pixels = Callable[..., Tensor]


def test_bytes_are_rounded_to_the_nearest(pixels: Pixels) -> None:
    """Eight bits hold v · 255 to half a step, rows from the top and colours last."""
    images = pixels(3, 20)
    values = to_bytes(images)
    assert (values.shape, values.dtype, values.is_contiguous()) == ((3, 20, 20, 3), torch.uint8, True)
    assert (values.permute(0, 3, 1, 2) / 255 - images).abs().max() <= 0.5 / 255 + 1e-6
    assert values[1, 4, 7, 2] == round(images[1, 2, 4, 7].item() * 255)


def test_png_in_memory_is_png_on_disk(pixels: Pixels, tmp_path: Path) -> None:
    """Rounding alone gives what a file written and read again gives, to the last bit of fp32."""
    images = pixels(2, 16)
    for i, picture in enumerate(to_bytes(images).numpy()):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        read = torch.from_numpy(np.array(Image.open(tmp_path / f"{i}.png"))).permute(2, 0, 1) / 255
        assert torch.equal(as_png(images)[i], read)


def test_a_picture_of_eight_bits_survives_png_untouched() -> None:
    """All 256 values come back."""
    images = (torch.arange(256).float() / 255).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    assert torch.equal(as_png(images), images)


def test_jpeg_is_what_pillow_writes_and_reads(pixels: Pixels) -> None:
    """The pictures pass through a real file of quality 95, one by one."""
    images = pixels(3, 32)
    through = as_jpeg(images)
    for i, picture in enumerate(to_bytes(images).numpy()):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=95)
        expected = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) / 255
        assert torch.equal(through[i], expected)
    assert (through.dtype, through.shape) == (images.dtype, images.shape)


def test_lower_quality_loses_more() -> None:
    """On a smooth picture quality 95 stays close, 20 does not."""
    ramp = torch.linspace(0, 1, 32).view(1, 1, 1, 32).repeat(1, 3, 32, 1)
    near, far = ((as_jpeg(ramp, quality) - ramp).abs().mean() for quality in (95, 20))
    assert near < far
    assert near < 2 / 255
