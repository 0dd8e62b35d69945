"""One picture file as a model sees it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from capt_engine.data.images import Photo, read_photo
from capt_engine.errors import BadImage

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What is kept of a picture: what the model sees, and the photo without its own pixels."""

    photo: Photo
    pixels: T


def seen(path: str | os.PathLike[str], view: Callable[[Image.Image], T], size: int) -> Seen[T]:
    """Read a file and hand it to `view`, which makes it `size` × `size`; raises BadImage."""
    photo = read_photo(path)
    refuse_strips(photo, size)
    pixels = view(Image.fromarray(photo.rgb))
    return Seen(replace(photo, rgb=np.empty((0, 0, 3), np.uint8)), pixels)


def refuse_strips(photo: Photo, size: int) -> None:
    """Raises BadImage for a picture that, scaled until its short side fits, would fill the memory (one pixel by a million)."""
    short, long = sorted((photo.width, photo.height))
    if long > size * short:
        raise BadImage(
            f"The picture is {photo.width} × {photo.height}: a strip that the model could see next to nothing of.",
            "Cut out the part that matters.",
        )
