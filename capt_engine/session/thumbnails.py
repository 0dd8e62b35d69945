"""Thumbnails that came in a session of somebody else: decoded as any picture of unknown origin is."""

from __future__ import annotations

from capt_engine.errors import BadImage
from capt_engine.records import Picture

_MOST_BYTES, _MOST_PIXELS = 1 << 20, 1 << 20


def decoded_thumbnail(data: bytes) -> Picture | None:
    """Return the small picture in the bytes `data` of a picture file; None where they hold none, or a large one."""
    # Loaded at the first one only: the window opens without it.
    from capt_engine.data.images import decoded

    if not data or len(data) > _MOST_BYTES:
        return None
    try:
        photo = decoded(data, "thumbnail.jpg", max_pixels=_MOST_PIXELS)
    except BadImage:
        return None
    return Picture(photo.width, photo.height, photo.rgb.tobytes())
