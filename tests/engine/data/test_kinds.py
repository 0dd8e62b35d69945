"""First bytes tell what a file is, whatever its name says."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from capt_engine.data.kinds import kind_of, looks_like_picture, refuse_mazes
from capt_engine.errors import BadImage

READ = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF")


def encoded(kind: str) -> bytes:
    """A small grey picture saved as `kind`."""
    file = io.BytesIO()
    Image.new("RGB", (20, 12), (90, 120, 150)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", READ)
def test_formats_we_read_are_known_under_any_name(kind: str) -> None:
    """The bytes decide, not the suffix; an ordinary file is no maze."""
    data = encoded(kind)
    found = kind_of(data, "holiday.txt")
    assert found.pillow == kind
    refuse_mazes(found, data)
    assert looks_like_picture(data[:64])


@pytest.mark.parametrize(
    ("head", "decoder"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
    ],
)
def test_photographs_of_telephones_are_told_apart(head: bytes, decoder: str) -> None:
    """HEIC and AVIF share their container; the brand says which it is."""
    assert kind_of(head, "name.png").pillow == decoder


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"DDS |\0\0\0", "DDS"),
        (b"\0\0\1\0\1\0\x10\x10", "icon"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- a --><svg>", "SVG"),
        (b"PK\x03\x04", "archive"),
        (b"\0\0\0\x18ftypisom", "film"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("Ein Text, und zwar größer als nötig.".encode(), "text"),
        (b"\0" * 5000, "zero bytes"),
        (b"\x17\x99\x03\0garbage\0\1\2\3", "not a picture of a kind we know"),
    ],
)
def test_other_formats_are_refused_by_name(head: bytes, words: str) -> None:
    """A file that is no picture, or none we read, is called what it is."""
    padding = b"\0" * 64 if head[:1] in b"\0D8" else b""
    with pytest.raises(BadImage, match=words):
        kind_of(head + padding, "name.png")


def test_raw_suffix_turns_a_tiff_into_a_raw_photograph() -> None:
    """What a camera's suffix says of a TIFF is believed; of a JPEG it is not."""
    with pytest.raises(BadImage, match="raw photograph"):
        kind_of(encoded("TIFF"), "a.NEF")
    assert kind_of(encoded("JPEG"), "a.NEF").pillow == "JPEG"


def test_first_bytes_tell_pictures_from_the_rest() -> None:
    """Pictures we cannot read still look like pictures; text, documents, films and archives do not."""
    assert looks_like_picture(b"8BPS\0\1")
    for head in (b"", b"BMW is a car and not a bitmap", b"%PDF-1.4", b"\0\0\0\x18ftypisom", b"PK\x03\x04", b"P5.js"):
        assert not looks_like_picture(head)
