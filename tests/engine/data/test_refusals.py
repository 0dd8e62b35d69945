"""What the decoder will not read gets one sentence: other formats, cut files, bombs, mazes, and things that are no files."""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from capt_engine.data import images
from capt_engine.data.images import read_photo
from capt_engine.errors import BadImage
from tests.engine.data.handmade import chunk, encoded, png, read, refusal, retagged, scene


def test_empty_file_and_text_are_refused(tmp_path: Path) -> None:
    """A file without a picture is called what it is, and never reaches a decoder."""
    assert "empty" in refusal(tmp_path, b"").message
    assert "text" in refusal(tmp_path, "Ein Text, und zwar größer als nötig.".encode()).message


def test_heic_hint_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone with a telephone's photograph learns which package reads it, or to export it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    images._reads_heic.cache_clear()
    refused = refusal(tmp_path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    images._reads_heic.cache_clear()
    assert "HEIC" in refused.message
    assert "pip install pillow-heif" in refused.hint
    assert "JPEG or PNG" in refused.hint


def test_avif_without_its_decoder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow may be built without libavif."""
    monkeypatch.setattr(images.features, "check", lambda _: False)
    assert "built without" in refusal(tmp_path, encoded(scene(), "AVIF")).message


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
