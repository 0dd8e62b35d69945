"""Pictures inside a page: PNG as data addresses, and perturbations as blue and orange around grey."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from capt_engine.records import Picture, SignedPicture

_GREY = (178, 178, 178)
_DARKER = (0, 74, 148)
_BRIGHTER = (206, 84, 0)
TINY = 96
"""Pictures below this width are shown with square pixels instead of a blur."""


def picture(seen: Picture) -> str:
    """Return the picture `seen` as a data address ("data:image/png;base64,…") for an image inside the page."""
    return _address(Image.frombytes("RGB", (seen.width, seen.height), seen.rgb))


def perturbation(change: SignedPicture) -> str:
    """Return the perturbation `change` as a data address ("data:image/png;base64,…") of a picture.

    Grey is no change, blue darker, orange brighter. The three colours of a pixel are averaged; the fullest colour
    stands for the perturbation's `scale`.
    """
    values = np.frombuffer(change.values, np.int8).reshape(change.height, change.width, 3)
    shades = np.rint(values.mean(axis=2)).clip(-127, 127).astype(np.int16) + 127
    drawn = Image.fromarray(shades.astype(np.uint8))
    drawn.putpalette([part for step in range(-127, 128) for part in _shade(step / 127)])
    return _address(drawn)


def _shade(value: float) -> tuple[int, ...]:
    end = _BRIGHTER if value > 0 else _DARKER
    return tuple(round(grey + (full - grey) * abs(value)) for grey, full in zip(_GREY, end, strict=True))


def _address(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
