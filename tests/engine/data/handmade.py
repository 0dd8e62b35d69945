"""Pictures and broken files, written by hand, for the tests of the decoder."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capt_engine.data.images import Photo, read_photo
from capt_engine.errors import BadImage


def scene(width: int = 48, height: int = 32) -> Image.Image:
    """A smooth picture whose four corners differ, so that every turn and flip shows."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([255 * x / (width - 1), 255 * y / (height - 1), 255 * (x + y) / (width + height - 2)], axis=-1)
    return Image.fromarray(np.rint(rgb).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture saved as `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """One chunk of a PNG, with length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, samples: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand: `samples` are the packed rows, `extra` the chunks between header and pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    stride = len(samples) // height
    rows = b"".join(b"\0" + samples[y * stride : (y + 1) * stride] for y in range(height))
    body = b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def read(folder: Path, data: bytes, name: str = "picture", **limits: int) -> Photo:
    """The photo of these bytes, by way of a file."""
    path = folder / name
    path.write_bytes(data)
    return read_photo(path, **limits)


def refusal(folder: Path, data: bytes, name: str = "picture", **limits: int) -> BadImage:
    """The sentence with which these bytes are refused; there has to be one, with a hint."""
    with pytest.raises(BadImage) as caught:
        read(folder, data, name, **limits)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def retagged(tiff: bytes, tag: int, field: str, number: int) -> bytes:
    """The same TIFF with another "count" or "value" in the entry of one tag."""
    entry = re.search(re.escape(struct.pack("<H", tag)) + rb"[\x03\x04]\0", tiff)
    assert entry is not None
    at = entry.end() + (0 if field == "count" else 4)
    return tiff[:at] + struct.pack("<I", number) + tiff[at + 4 :]


def close(photo: Photo, image: Image.Image, tolerance: int = 0) -> bool:
    """Whether no sample differs by more than the tolerance."""
    difference = np.abs(photo.rgb.astype(int) - np.asarray(image.convert("RGB"), int))
    return bool(difference.max() <= tolerance)
