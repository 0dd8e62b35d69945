"""Pictures inside a page: PNG as data addresses, and perturbations on their symmetric scale."""

from __future__ import annotations

import base64
import io

from PIL import Image

from capt_engine.records import Picture, SignedPicture, SignedScale, palette

TINY = 96
"""Pictures below this width are shown with square pixels instead of a blur."""


def picture(seen: Picture) -> str:
    """Return the picture `seen` as a data address ("data:image/png;base64,…") for an image inside the page."""
    return _address(Image.frombytes("RGB", (seen.width, seen.height), seen.rgb))


def perturbation(change: SignedPicture) -> str:
    """Return the perturbation `change` as a data address ("data:image/png;base64,…") of a picture, on the scale of its own units."""
    drawn = Image.frombytes("L", (change.width, change.height), SignedScale(change.scale).levels(change))
    return _address(_coloured(drawn))


def scale_bar() -> str:
    """Return the bar of the scale that perturbations are drawn on as a data address, one pixel high, its lower end on the left."""
    count = len(palette()) // 3
    return _address(_coloured(Image.frombytes("L", (count, 1), bytes(range(count)))))


def _coloured(levels: Image.Image) -> Image.Image:
    levels.putpalette(palette())
    return levels


def _address(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
