"""A picture file as a model sees it: read with care, then put through the model's own preprocessing up to the normalisation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from capt_engine.data.images import Photo, decoded, read_photo
from capt_engine.errors import BadImage
from capt_engine.model.clip import Backbone

if TYPE_CHECKING:
    from torch import Tensor


def view(path: str, backbone: Backbone, data: bytes | None = None) -> tuple[Photo, Tensor]:
    """Open a picture file as a model sees it.

    Args:
        path: the picture file.
        backbone: the model, whose preprocessing is used up to the normalisation.
        data: the whole file, where it was read already.

    Returns:
        The facts of the file with an empty `rgb`, and pixels (3, h, w) in [0, 1] at the model's input size.

    Raises:
        BadImage: the file cannot be read as a picture, or is a strip too thin for the model.
    """
    photo, rgb = read_whole(path, backbone, data)
    return photo, backbone.view(Image.fromarray(rgb))


def read_whole(
    path: str, backbone: Backbone, data: bytes | None = None
) -> tuple[Photo, np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]]:
    """Open a picture file at its own size.

    Args:
        path: the picture file.
        backbone: the model that will look at the picture; its input size decides how thin a strip is refused.
        data: the whole file, where it was read already.

    Returns:
        The facts of the file with an empty `rgb`, and its sRGB values (h, w, 3), uint8.

    Raises:
        BadImage: the file cannot be read as a picture, or is a strip too thin for the model.
    """
    photo = read_photo(path) if data is None else decoded(data, path)
    short, long = sorted((photo.width, photo.height))
    # Scaled until its short side fits, a picture of one pixel by a million would fill the memory.
    if long > backbone.size * short:
        raise BadImage(
            f"The picture is {photo.width} × {photo.height}: a strip that the model could see next to nothing of.",
            "Cut out the part that matters.",
        )
    return replace(photo, rgb=np.empty((0, 0, 3), np.uint8)), photo.rgb
