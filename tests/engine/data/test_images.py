"""The decoder gives one upright sRGB picture or one sentence, whatever the file holds."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import socket
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from capt_engine.data.images import Photo, read_photo, thumbnail
from capt_engine.errors import BadImage

TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture is stored so that the orientation of that number brings it back."""


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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP"])
def test_every_format_gives_its_pixels(tmp_path: Path, kind: str) -> None:
    """A picture saved in any format we read comes back with its size, its pixels and the hash of its bytes."""
    data = encoded(scene(), kind)
    photo = read(tmp_path, data)
    assert (photo.width, photo.height) == (48, 32)
    assert (photo.rgb.shape, photo.rgb.dtype) == ((32, 48, 3), np.uint8)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert photo.notes == ()
    assert close(photo, scene(), {"GIF": 40, "JPEG": 40, "WEBP": 40}.get(kind, 0))


def test_reading_twice_gives_equal_photos(tmp_path: Path) -> None:
    """Reading is a function: the same file gives the same photo, and another file another one."""
    first = read(tmp_path, encoded(scene(), "JPEG"))
    assert first == read_photo(first.path)
    assert hash(first) == hash(read_photo(first.path))
    assert first != read(tmp_path, encoded(scene(), "JPEG", quality=30))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_brings_the_picture_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    """All eight EXIF orientations end upright, with width and height exchanged where they lie on their side."""
    stored = scene().transpose(TRANSPOSED[orientation]) if orientation in TRANSPOSED else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    photo = read(tmp_path, encoded(stored, kind, exif=exif, **options))
    assert (photo.width, photo.height) == (48, 32)
    assert close(photo, scene(), 30 if kind == "JPEG" else 0)


@pytest.mark.parametrize("value", [0, 9, 60000])
def test_senseless_orientation_is_ignored(tmp_path: Path, value: int) -> None:
    """An orientation outside 1 to 8 leaves the picture as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = value
    photo = read(tmp_path, encoded(scene(), "PNG", exif=exif))
    assert close(photo, scene())
    assert bool(photo.notes) == (value != 0)


def test_broken_exif_is_ignored_with_a_note(tmp_path: Path) -> None:
    """Garbage in the EXIF block does not cost the picture."""
    photo = read(tmp_path, encoded(scene(), "PNG", exif=b"Exif\0\0 this is no TIFF header"))
    assert close(photo, scene())
    assert photo.notes == ("damaged EXIF data ignored",)


def test_alpha_is_shown_over_white(tmp_path: Path) -> None:
    """Each pixel is c·α + 255·(1 − α), rounded."""
    alpha = Image.linear_gradient("L").resize((48, 32))
    image = scene()
    image.putalpha(alpha)
    photo = read(tmp_path, encoded(image, "PNG"))
    a = np.asarray(alpha, float)[..., None] / 255
    expected = np.asarray(scene(), float) * a + 255 * (1 - a)
    assert np.abs(photo.rgb - expected).max() <= 0.51
    assert photo.notes == ("transparency shown over white",)


def test_opaque_alpha_changes_nothing(tmp_path: Path) -> None:
    """An alpha channel that hides nothing leaves pixels as they are and needs no remark."""
    photo = read(tmp_path, encoded(scene().convert("RGBA"), "PNG"))
    assert close(photo, scene())
    assert photo.notes == ()


def test_grey_with_alpha_is_shown_over_white(tmp_path: Path) -> None:
    """A fully transparent grey pixel is white, an opaque one keeps its grey."""
    photo = read(tmp_path, png(2, 1, 8, 4, bytes([40, 0, 40, 255])))
    assert photo.rgb.tolist() == [[[255] * 3, [40] * 3]]


@pytest.mark.parametrize("alphas", [b"\x00", b"\x00\x80"])
def test_palette_transparency_is_shown_over_white(tmp_path: Path, alphas: bytes) -> None:
    """Palette entries carry their own alpha, whether one of them or several are transparent."""
    palette = chunk(b"PLTE", bytes([9, 9, 9, 200, 0, 0, 0, 0, 250]))
    photo = read(tmp_path, png(3, 1, 8, 3, bytes([0, 1, 2]), palette, chunk(b"tRNS", alphas)))
    middle = [200, 0, 0] if len(alphas) == 1 else [227, 127, 127]
    assert photo.rgb.tolist() == [[[255, 255, 255], middle, [0, 0, 250]]]


@pytest.mark.parametrize(
    ("depth", "colour", "samples", "key", "expected"),
    [
        (1, 0, bytes([0b01000000]), [0], [255, 255]),
        (1, 0, bytes([0b01000000]), [1], [0, 255]),
        (2, 0, bytes([0b01100000]), [1], [255, 170]),
        (4, 0, bytes([0x3C]), [3], [255, 204]),
        (8, 0, bytes([7, 60]), [7], [255, 60]),
        (16, 0, struct.pack(">2H", 257 * 10, 257 * 60), [257 * 10], [255, 60]),
        (8, 2, bytes([7, 7, 7, 60, 60, 60]), [7, 7, 7], [255, 60]),
        (16, 2, struct.pack(">6H", *[0x0A0B] * 3, *[0x3C3C] * 3), [0x0A0B] * 3, [255, 60]),
    ],
)
def test_transparent_colour_is_white(
    tmp_path: Path, depth: int, colour: int, samples: bytes, key: list[int], expected: list[int]
) -> None:
    """The one transparent colour of a PNG without alpha is found at every bit depth."""
    photo = read(tmp_path, png(2, 1, depth, colour, samples, chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))))
    assert photo.rgb[0, :, 0].tolist() == expected


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_divided_by_257(tmp_path: Path, kind: str) -> None:
    """Black stays black, white stays white, and the middle is where it belongs."""
    values = np.array([[0, 128 * 257, 65535, 257]], np.uint16)
    photo = read(tmp_path, encoded(Image.fromarray(values), kind))
    assert photo.rgb[0].tolist() == [[0] * 3, [128] * 3, [255] * 3, [1] * 3]
    assert photo.notes == ("16 bits a channel brought to 8",)


def test_16_bit_netpbm_is_divided_by_257(tmp_path: Path) -> None:
    """A 16-bit PGM, which Pillow loads as 32-bit integers, keeps its scale."""
    photo = read(tmp_path, b"P5 3 1 65535\n" + struct.pack(">3H", 0, 257 * 60, 65535))
    assert photo.rgb[0, :, 0].tolist() == [0, 60, 255]


def test_16_bit_colour_is_noted(tmp_path: Path) -> None:
    """Sixteen bits a channel become eight, and the reader is told."""
    photo = read(tmp_path, png(1, 1, 16, 2, struct.pack(">3H", 0x1000, 0x8000, 0xFF00)))
    assert photo.rgb.tolist() == [[[0x10, 0x80, 0xFF]]]
    assert photo.notes == ("16 bits a channel brought to 8",)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 128.0, 255.0], [0, 128, 255]),
        ([-1000.0, 0.0, 1000.0], [0, 128, 255]),
        ([7e8, 7e8, 7e8], [0, 0, 0]),
        ([float("nan"), float("inf"), 300.0], [0, 0, 0]),
        ([float("nan"), float("nan"), float("nan")], [0, 0, 0]),
    ],
)
def test_floating_values_are_brought_to_8_bits(tmp_path: Path, values: list[float], expected: list[int]) -> None:
    """Floats in [0, 1] and [0, 255] keep their scale; others are stretched; NaN and infinity do no harm."""
    photo = read(tmp_path, encoded(Image.fromarray(np.array([values], np.float32)), "TIFF"))
    assert photo.rgb[0, :, 0].tolist() == expected
    assert len(photo.notes) == 1


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    """Ink becomes light, in TIFF and in the inverted form in which JPEG stores it."""
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    for kind in ("TIFF", "JPEG"):
        photo = read(tmp_path, encoded(cyan, kind))
        assert np.abs(photo.rgb.astype(int) - [0, 255, 255]).max() <= 4


def test_lab_becomes_rgb(tmp_path: Path) -> None:
    """Lab white, black and a green come out as such."""
    lab = Image.merge("LAB", [Image.new("L", (1, 1), v) for v in (128, 78, 128)])
    red, green, blue = read(tmp_path, encoded(lab, "TIFF")).rgb[0, 0].tolist()
    assert green > red + 60
    assert green > blue
    white = Image.merge("LAB", [Image.new("L", (1, 1), v) for v in (255, 128, 128)])
    assert read(tmp_path, encoded(white, "TIFF")).rgb.min() >= 250


def test_ycbcr_tiff_becomes_rgb(tmp_path: Path) -> None:
    """A TIFF that holds luma and chroma comes back in colour."""
    photo = read(tmp_path, encoded(scene().convert("YCbCr"), "TIFF"))
    assert close(photo, scene(), 4)


def test_embedded_profile_is_converted(tmp_path: Path) -> None:
    """A profile that is not sRGB moves the colours, and the reader is told."""
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    photo = read(tmp_path, encoded(scene(), "PNG", icc_profile=linear))
    assert photo.notes == ("unsuitable colour profile ignored",)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = srgb.replace("sRGB".encode("utf-16-be"), "mRGB".encode("utf-16-be"))
    photo = read(tmp_path, encoded(scene(), "PNG", icc_profile=renamed))
    assert photo.notes == ("embedded colour profile converted to sRGB",)
    assert close(photo, scene(), 1)


def test_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    """A picture that says it is sRGB keeps every value."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read(tmp_path, encoded(scene(), "PNG", icc_profile=srgb))
    assert close(photo, scene())
    assert photo.notes == ()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_garbage_profile_is_ignored(tmp_path: Path, mode: str) -> None:
    """A damaged colour profile does not cost the picture."""
    photo = read(tmp_path, encoded(scene().convert(mode), "JPEG", quality=95, icc_profile=b"garbage" * 40))
    assert close(photo, scene().convert(mode), 30)
    assert photo.notes == ("unsuitable colour profile ignored",)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_first_frame_of_many_is_shown(tmp_path: Path, kind: str) -> None:
    """Of an animation, a film strip or a stack of pages the first picture is shown, with a note."""
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    photo = read(tmp_path, encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert np.abs(photo.rgb.astype(int) - [255, 0, 0]).max() <= 6
    expected = {"TIFF": "first page of several", "MPO": "first picture of a file of 3"}
    assert photo.notes == (expected.get(kind, "first frame of an animation of 3"),)


def test_white_is_zero_16_bit_tiff_is_inverted(tmp_path: Path) -> None:
    """A TIFF whose zero means white is not shown as its negative."""
    data = retagged(encoded(Image.fromarray(np.array([[0, 65535]], np.uint16)), "TIFF"), 262, "value", 0)
    assert read(tmp_path, data).rgb[0, :, 0].tolist() == [255, 0]


def test_large_picture_is_read_in_strips_without_a_seam(tmp_path: Path) -> None:
    """A picture of more than one strip is the same as if it had been converted whole."""
    image = scene(2600, 1700)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    photo = read(tmp_path, encoded(image, "PNG", compress_level=1))
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    assert close(photo, white, 1)


def test_empty_file_and_text_are_refused(tmp_path: Path) -> None:
    """A file without a picture is called what it is, and never reaches a decoder."""
    assert "empty" in refusal(tmp_path, b"").message
    assert "text" in refusal(tmp_path, "Ein Text, und zwar größer als nötig.".encode()).message


def test_heic_hint_says_how_to_go_on(tmp_path: Path) -> None:
    """Someone with a telephone's photograph learns to export it."""
    assert "JPEG or PNG" in refusal(tmp_path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").hint


def test_raw_photograph_is_not_replaced_by_its_preview(tmp_path: Path) -> None:
    """A raw file is a TIFF whose first page is a tiny preview: it is refused, a plain TIFF is read."""
    data = encoded(scene(), "TIFF")
    assert "raw" in refusal(tmp_path, data, "a.NEF").message
    assert read(tmp_path, data, "a.tif").width == 48


def test_tga_is_known_by_its_footer_or_name(tmp_path: Path) -> None:
    """TGA has no signature at its front, and is still called by its name."""
    data = encoded(scene(), "TGA")
    assert "TGA" in refusal(tmp_path, data, "a.tga").message
    assert "TGA" in refusal(tmp_path, data + b"\0" * 8 + b"TRUEVISION-XFILE.\0").message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_truncated_file_is_refused(tmp_path: Path, kind: str) -> None:
    """Cut anywhere in its pixels, a picture is refused rather than shown by half."""
    data = encoded(scene(64, 64), kind)
    for share in (0.2, 0.5, 0.8):
        refusal(tmp_path, data[: int(len(data) * share)])
    assert "ends before" in refusal(tmp_path, data[: int(len(data) * 0.8)]).message or kind == "TIFF"


def test_tiff_with_missing_strips_is_refused(tmp_path: Path) -> None:
    """A TIFF that lists fewer strips than it has rows would come out black below."""
    data = encoded(scene(64, 64), "TIFF")
    assert "missing" in refusal(tmp_path, retagged(data, 278, "value", 8)).message


def test_header_of_a_bomb_is_enough_to_refuse_it(tmp_path: Path) -> None:
    """A hundred thousand pixels a side are refused before any of them is decoded."""
    bombs = {
        "png": png(100_000, 100_000, 8, 2, bytes(100_000)),
        "bmp": b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHH6I", 40, 30000, 30000, 1, 24, *[0] * 6),
        "ppm": b"P6 100000 100000 255\n",
        "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(8) + b"\0\2\0;",
        "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\x01" * 2,
        "tif": encoded(Image.new("L", (1, 1)), "TIFF").replace(
            struct.pack("<HHII", 256, 4, 1, 1), struct.pack("<HHII", 256, 4, 1, 2_000_000_000)
        ),
    }
    for name, data in bombs.items():
        assert "pixels" in refusal(tmp_path, data, name).message, name


def test_own_pixel_limit_holds(tmp_path: Path) -> None:
    """The limit of the caller decides, to the pixel."""
    data = encoded(scene(), "PNG")
    assert read(tmp_path, data, max_pixels=48 * 32).width == 48
    assert "48 × 32" in refusal(tmp_path, data, max_pixels=48 * 32 - 1).message


def test_byte_limit_holds(tmp_path: Path) -> None:
    """A file heavier than the limit is not read."""
    data = encoded(scene(), "BMP")
    assert read(tmp_path, data, max_bytes=len(data)).width == 48
    assert "bytes are read" in refusal(tmp_path, data, max_bytes=len(data) - 1).message


def test_png_text_bomb_is_refused(tmp_path: Path) -> None:
    """A few kilobytes of text that unpack to many megabytes are refused."""
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8_000_000)))
    assert "absurdly large" in refusal(tmp_path, png(1, 1, 8, 0, b"\0", text)).message


def test_files_of_countless_parts_are_refused(tmp_path: Path) -> None:
    """Files that would keep the decoder busy with parts instead of pixels are refused."""
    jpeg = encoded(scene(), "JPEG", progressive=True)
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    assert read(tmp_path, jpeg).width == 48
    mazes = {
        "scans": jpeg[:-2] + scan * 200 + b"\xff\xd9",
        "segments": jpeg[:2] + b"\xff\xfe\0\2" * 30_000 + jpeg[2:],
        "chunks": png(1, 1, 8, 0, b"\0", chunk(b"prVt", b"") * 250_000),
        "strips": retagged(encoded(scene(), "TIFF"), 273, "count", 5_000_000),
        "tags": b"II\x2b\0\x08\0\0\0" + struct.pack("<QQ", 16, 10_000_000),
    }
    for name, data in mazes.items():
        assert "absurdly many parts" in refusal(tmp_path, data).message, name


def test_tile_bomb_is_refused(tmp_path: Path) -> None:
    """A TIFF of one pixel may not come in a tile of a thousand million."""
    # Width, height, bits, deflate, grey, samples, tile width and height, where the one tile is, and its length.
    tags = [(256, 1), (257, 1), (258, 8), (259, 8), (262, 1), (277, 1), (322, 60000), (323, 60000), (324, 0), (325, 9)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    assert "60000" in refusal(tmp_path, b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(64)).message


def sentence(path: Path | str) -> str:
    """What is said of a path that holds no picture."""
    with pytest.raises(BadImage) as caught:
        read_photo(path)
    return caught.value.message


def test_folder_missing_file_and_links_have_their_sentences(tmp_path: Path) -> None:
    """Everything that is no file says what it is."""
    assert "folder" in sentence(tmp_path)
    assert "no such file" in sentence(tmp_path / "gone.png")
    assert "No file can have this name" in sentence("a\0b.png")
    assert "too long" in sentence(tmp_path / ("n" * 5000))
    (tmp_path / "file").write_bytes(b"x")
    assert "no such file" in sentence(tmp_path / "file" / "below.png")


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and sockets are made the POSIX way")
def test_links_pipes_sockets_and_devices_have_their_sentences(tmp_path: Path) -> None:
    """Nothing that is not a regular file is opened, and a pipe without a writer is not waited for."""
    (tmp_path / "loop").symlink_to("loop")
    assert "leads back to itself" in sentence(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to("gone")
    assert "link to a file that does not exist" in sentence(tmp_path / "dangling")
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in sentence(tmp_path / "pipe")
    assert "device" in sentence("/dev/null")
    (tmp_path / "s").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        short = os.path.relpath(tmp_path / "s" / "ock")  # a socket's path may have no more than some 100 bytes
        listening.bind(short)
        assert "socket" in sentence(tmp_path / "s" / "ock")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_has_its_sentence(tmp_path: Path) -> None:
    """A file without read permission says so."""
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "secret.png").chmod(0)
    assert "permission" in sentence(tmp_path / "secret.png")


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="other systems refuse such names")
def test_odd_names_are_read(tmp_path: Path) -> None:
    """A name is only a name: spaces, newlines, right-to-left letters and bytes that are no text."""
    for name in ("a b\n.png", "תמונה.jpg", "\u202egnp.exe", os.fsdecode(b"caf\xe9.png"), "é" * 100, "%s{0}.png"):
        assert read(tmp_path, encoded(scene(), "PNG"), name).path == str(tmp_path / name)


SEEDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(scene(24, 16), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"),
    "progressive JPEG": lambda: encoded(scene(24, 16), "JPEG", progressive=True),
    "PNG": lambda: encoded(scene(24, 16).convert("RGBA"), "PNG"),
    "palette PNG": lambda: encoded(scene(24, 16).convert("P"), "PNG", transparency=3),
    "GIF": lambda: encoded(scene(24, 16), "GIF", save_all=True, append_images=[Image.new("RGB", (24, 16))]),
    "TIFF": lambda: encoded(scene(24, 16), "TIFF"),
    "packed TIFF": lambda: encoded(scene(24, 16), "TIFF", compression="tiff_lzw"),
    "WebP": lambda: encoded(scene(24, 16), "WEBP"),
    "BMP": lambda: encoded(scene(24, 16).convert("P"), "BMP"),
    "PPM": lambda: b"P2 3 2 9 # plain\n0 1 2 3 4 5\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", SEEDS)
def test_mutated_files_give_a_photo_or_a_sentence(tmp_path: Path, kind: str) -> None:
    """Whatever bytes are changed, cut or added, there is one photo or one BadImage, and never a warning."""
    original = SEEDS[kind]()
    rng = random.Random(f"fuzz {kind}")
    outcomes = {"photo": 0, "sentence": 0}
    for _ in range(400):
        data = bytearray(original)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            at = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(64, len(data)))
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        if rng.random() < 0.2:
            del data[rng.randrange(1, len(data)) :]
        try:
            photo = read(tmp_path, bytes(data), max_pixels=4_000_000)
            assert photo.rgb.shape == (photo.height, photo.width, 3)
            outcomes["photo"] += 1
        except BadImage:
            outcomes["sentence"] += 1
    assert min(outcomes.values()) > 0


def test_pillow_warnings_stay_inside(tmp_path: Path) -> None:
    """What Pillow would warn of is neither shown nor raised, and nobody else's warnings are silenced."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\1\3\0\1\0\0\0\6\0\0\0"
    data = encoded(scene(), "JPEG", exif=exif)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with Image.open(io.BytesIO(data)) as image:
            image.getexif()
        assert shown
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        read(tmp_path, data)
        assert not shown
        warnings.warn("still heard", stacklevel=1)
        assert len(shown) == 1


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    """Four threads reading good and bad files at once get what one alone gets."""
    paths = []
    for number, kind in enumerate(["JPEG", "PNG", "TIFF", "WEBP", "GIF"]):
        data = encoded(scene(), kind)
        for name, content in ((f"{number}", data), (f"{number} cut", data[: len(data) // 2])):
            (tmp_path / name).write_bytes(content)
            paths.append(tmp_path / name)

    def outcome(path: Path) -> object:
        try:
            return read_photo(path)
        except BadImage as error:
            return str(error)

    alone = [outcome(path) for path in paths]
    together: list[list[object]] = []
    threads = [threading.Thread(target=lambda: together.append([outcome(path) for path in paths])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 4


@pytest.mark.parametrize(("size", "shape"), [(24, (16, 24, 3)), (12, (8, 12, 3)), (1, (1, 1, 3)), (500, (32, 48, 3))])
def test_thumbnail_fits_its_square(tmp_path: Path, size: int, shape: tuple[int, int, int]) -> None:
    """A thumbnail keeps the proportions, never grows, and looks like the picture."""
    photo = read(tmp_path, encoded(scene(), "PNG"))
    small = thumbnail(photo, size)
    assert (small.shape, small.dtype) == (shape, np.uint8)
    assert np.abs(small.mean((0, 1)) - photo.rgb.mean((0, 1))).max() < 15
