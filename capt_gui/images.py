"""The engine's pictures as images of Qt."""

from __future__ import annotations

from PySide6.QtGui import QImage

from capt_engine.records import Picture


def to_image(picture: Picture) -> QImage:
    """Return an engine's picture as an image of Qt, with pixels of its own."""
    return rgb_image(picture.rgb, picture.width, picture.height)


def rgb_image(rgb: bytes, width: int, height: int) -> QImage:
    """Return an image of so many pixels, three bytes each in rows from the top, as an image of Qt with pixels of its own."""
    return QImage(rgb, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
