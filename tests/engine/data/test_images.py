"""The decoder gives one upright sRGB picture or one sentence, whatever the file holds."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from capt_engine.data.images import read_photo, thumbnail
from capt_engine.errors import BadImage
from tests.engine.data.handmade import chunk, close, encoded, png, read, retagged, scene

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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "GIF", "JPEG", "WEBP", "AVIF"])
def test_every_format_gives_its_pixels(tmp_path: Path, kind: str) -> None:
    """A picture saved in any format we read comes back with its size, its pixels and the hash of its bytes."""
    data = encoded(scene(), kind)
    photo = read(tmp_path, data)
    assert (photo.width, photo.height) == (48, 32)
    assert (photo.rgb.shape, photo.rgb.dtype) == ((32, 48, 3), np.uint8)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert photo.notes == ()
    assert close(photo, scene(), {"GIF": 40, "JPEG": 40, "WEBP": 40, "AVIF": 40}.get(kind, 0))


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_avif_comes_upright(tmp_path: Path, turn: int) -> None:
    """A telephone keeps the turn beside the pixels; transparency stands over white."""
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = scene().transpose(TRANSPOSED[turn]) if turn > 1 else scene()
    assert close(read(tmp_path, encoded(stored, "AVIF", exif=exif.tobytes(), quality=95)), scene(), 40)
    clear = read(tmp_path, encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 0)), "AVIF"))
    assert clear.rgb.min() > 250
    assert "transparency shown over white" in clear.notes


def test_heic_is_read_where_its_package_is_there(tmp_path: Path) -> None:
    """The optional extra `heic` makes a photograph of a telephone a picture like any other, upright."""
    package = pytest.importorskip("pillow_heif", reason="the extra heic is not installed")
    package.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = scene().transpose(TRANSPOSED[6])
    photo = read(tmp_path, encoded(stored, "HEIF", exif=exif.tobytes(), quality=95))
    assert close(photo, scene(), 40)


def test_reading_twice_gives_equal_photos(tmp_path: Path) -> None:
    """Reading is a function: the same file gives the same photo, and another file another one."""
    first = read(tmp_path, encoded(scene(), "JPEG"))
    again, other = read_photo(first.path), read(tmp_path, encoded(scene(), "JPEG", quality=30))
    assert (first.sha256, first.notes, first.rgb.tobytes()) == (again.sha256, again.notes, again.rgb.tobytes())
    assert first.sha256 != other.sha256
    assert not np.array_equal(first.rgb, other.rgb)


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
            photo = read_photo(path)
            return photo.sha256, photo.notes, photo.rgb.tobytes()
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
