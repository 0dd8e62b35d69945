"""The engine's pictures as images of Qt."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from capt_engine.records import Picture


def to_image(picture: Picture) -> QImage:
    """Return the engine's 8-bit RGB `picture` as a QImage that holds a copy of the pixels."""
    return rgb_image(picture.rgb, picture.width, picture.height)


def rgb_image(rgb: bytes, width: int, height: int) -> QImage:
    """Return a QImage of `width` × `height` pixels with a copy of `rgb`: red, green and blue byte of each pixel, in rows from the top."""
    return QImage(rgb, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def png_bytes(image: QImage) -> bytes:
    """Return the content of a PNG file that holds `image`."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes, Qt takes str
    return bytes(buffer.data().data())
