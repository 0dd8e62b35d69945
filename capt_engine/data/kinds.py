"""Which sort of file some bytes are, told by their first ones, and which files are mazes made to exhaust a decoder."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple

from capt_engine.errors import BadImage


class Kind(NamedTuple):
    """A sort of file: how it is called, its first bytes, and Pillow's name for it if we read it."""

    name: str
    pattern: bytes
    pillow: str = ""
    hint: str = "Open it in an image editor and save it as PNG or JPEG."
    is_picture: bool = True


_EXPORT = "Export it as JPEG or PNG, for instance from the phone or the photo program that made it."
_NOT_A_PICTURE = "Choose a picture: JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or PPM."

# Only these few decoders ever see foreign bytes: each one more is one more to be attacked through.
_KINDS = (
    Kind("a JPEG picture", rb"\xff\xd8\xff", "JPEG"),
    Kind("a PNG picture", rb"\x89PNG\r\n\x1a\n", "PNG"),
    Kind("a WebP picture", rb"RIFF....WEBP", "WEBP"),
    Kind("a GIF picture", rb"GIF8[79]a", "GIF"),
    Kind("a BMP picture", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", "BMP"),
    Kind("a Canon raw photograph", rb"II\*\0....CR", "", _EXPORT),
    Kind("a TIFF picture", rb"II[\*+]\0|MM\0[\*+]", "TIFF"),
    Kind("a Netpbm picture", rb"P[1-6f][\s#]", "PPM"),
    Kind("an AVIF picture", rb"....ftyp(avi[fs]|mi[fa][1f]....(....){0,20}?avi[fs])", "AVIF", _EXPORT),
    Kind("a HEIC photograph", rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)", "HEIF", _EXPORT),
    Kind("a Canon raw photograph", rb"....ftypcrx ", "", _EXPORT),
    Kind("a JPEG 2000 picture", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    Kind("a JPEG XL picture", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    Kind("a JPEG XR picture", rb"II\xbc[\x00\x01]"),
    Kind("a Photoshop document", rb"8BPS"),
    Kind("a GIMP document", rb"gimp xcf"),
    Kind("an icon file (ICO or CUR)", rb"\0\0[\x01\x02]\0[\x01-\xff]\0"),
    Kind("an icon file (ICNS)", rb"icns"),
    Kind("a DDS texture", rb"DDS "),
    Kind("a BLP texture", rb"BLP[12]"),
    Kind("an SGI picture", rb"\x01\xda[\x00\x01][\x01\x02]"),
    Kind("a PCX picture", rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]"),
    Kind("a Sun raster picture", rb"\x59\xa6\x6a\x95"),
    Kind("a FLI animation", rb"....[\x11\x12]\xaf"),
    Kind("an MNG animation", rb"\x8aMNG"),
    Kind("a QOI picture", rb"qoif"),
    Kind("an OpenEXR picture", rb"\x76\x2f\x31\x01"),
    Kind("a Radiance HDR picture", rb"#\?R(ADIANC|GB)E"),
    Kind("a FITS picture", rb"SIMPLE  ="),
    Kind("a Windows metafile", rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF"),
    Kind("a Fuji raw photograph", rb"FUJIFILMCCD-RAW", "", _EXPORT),
    Kind("an Olympus or Panasonic raw photograph", rb"II(RO|RS|U\0)|MMOR", "", _EXPORT),
    Kind("a DjVu document", rb"AT&TFORM"),
    Kind("an SVG drawing", rb"(\xef\xbb\xbf)?\s*<(svg|[?!].{0,3000}?<svg)[\s>]"),
    Kind("a PDF document", rb"%PDF", "", "Export the page as PNG or JPEG.", False),
    Kind("a PostScript document", rb"%!PS|\xc5\xd0\xd3\xc6", "", "Export the page as PNG or JPEG.", False),
    Kind("a web page", rb"(\xef\xbb\xbf)?\s*<(?i:!doctype html|html|head|body)", "",
          "It was probably saved in place of the picture; save the picture itself.", False),
    Kind("a film", rb"....(ftyp|moov|mdat)|RIFF....AVI |\x1a\x45\xdf\xa3", "", "Export a frame as PNG.", False),
    Kind("an archive", rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf|BZh|\xfd7zXZ", "", "Unpack it first.", False),
    Kind("a GRIB weather file", rb"GRIB", "", _NOT_A_PICTURE, False),
)  # fmt: skip
_PATTERNS = tuple(re.compile(kind.pattern, re.DOTALL) for kind in _KINDS)

_TEXT = Kind("text", b"", "", _NOT_A_PICTURE, False)
_ZEROS = Kind("nothing but zero bytes", b"", "", "It was probably not copied completely; fetch it again.", False)
_TGA = Kind("a TGA picture", b"")
_RAW = Kind("a raw photograph", b"", "", _EXPORT)

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw"}
    | {".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
)  # fmt: skip
TGA_SUFFIXES = frozenset({".tga", ".icb", ".vda", ".vst"})


def looks_like_picture(head: bytes) -> bool:
    """Return True if `head`, the first bytes of a file (some hundred are enough), are those of a known picture format.

    Known formats include some that cannot be read.
    """
    kind = _signature(head)
    return kind is not None and kind.is_picture


def _signature(head: bytes) -> Kind | None:
    return next((kind for kind, at in zip(_KINDS, _PATTERNS, strict=True) if at.match(head)), None)


def kind_of(data: bytes, name: str) -> Kind:
    """Return the format of a picture file that can be read, told by the file's bytes `data` and by its name.

    Raises BadImage, with the name of the format where it is known, for anything that is no picture or cannot be read.
    """
    kind = _signature(data[:4096])
    suffix = Path(name).suffix.lower()
    # Many raw photographs are TIFF files whose first picture is a stamp-sized preview: not what the user means.
    if suffix in RAW_SUFFIXES and (kind is None or kind.pillow == "TIFF"):
        kind = _RAW
    if kind is None:
        kind = _unsigned_kind(data, suffix)
    if kind is None:
        raise BadImage("This is not a picture of a kind we know.", _NOT_A_PICTURE)
    if kind in (_TEXT, _ZEROS):
        raise BadImage(f"The file holds {kind.name}, not a picture.", kind.hint)
    if not kind.is_picture:
        raise BadImage(f"This is {kind.name}, not a picture.", kind.hint)
    if not kind.pillow:
        raise BadImage(f"This is {kind.name}, a format that is not supported.", kind.hint)
    return kind


def _unsigned_kind(data: bytes, suffix: str) -> Kind | None:
    if suffix in TGA_SUFFIXES or data[-18:] == b"TRUEVISION-XFILE.\0":
        return _TGA
    if data.count(0) == len(data):
        return _ZEROS
    head = data[:4096]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _TEXT
    # Cutting at 4096 bytes may have cut a character in two.
    readable = head.decode("utf-8", "ignore")
    damage = len(head) - len(readable.encode())
    controls = sum(character < " " and character not in "\t\n\r\f\x1b" for character in readable)
    return _TEXT if damage <= 3 and not controls else None


# Real files stay far below: progressive JPEGs have some ten scans, a 100-megapixel PNG some thousands of chunks.
_MAX_SCANS = 100
_MAX_SEGMENTS = 20_000
_MAX_CHUNKS = 200_000
_MAX_STRIPS = 400_000

_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)


def refuse_mazes(kind: Kind, data: bytes) -> None:
    """Raise BadImage for a picture file made of so many parts that decoding would take minutes or fill the memory.

    kind: the file's format; only JPEG, PNG and TIFF are checked. data: the whole file. A limit on pixels does not catch
    these: a JPEG may ask to be painted over a million times, or a TIFF to be cut into more strips than it has rows.
    """
    walk = {"JPEG": _walk_jpeg, "PNG": _walk_png, "TIFF": _walk_tiff}.get(kind.pillow)
    if walk is not None and not walk(data):
        raise BadImage(
            f"The file is {kind.name} made of absurdly many parts, as if to exhaust the computer; it was not decoded.",
            "If you trust it, open it in an image editor and save it again as PNG or JPEG.",
        )


def _walk_jpeg(data: bytes) -> bool:
    at, segments, scans = 2, 0, 0
    while marker := _JPEG_MARKER.search(data, at):
        code = marker[1][0]
        if code == 0xD9:
            return True
        segments += 1
        scans += code == 0xDA
        if segments > _MAX_SEGMENTS or scans > _MAX_SCANS:
            return False
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return True


def _walk_png(data: bytes) -> bool:
    at, chunks = 8, 0
    while at < len(data) and chunks <= _MAX_CHUNKS:
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        chunks += 1
    return chunks <= _MAX_CHUNKS


def _walk_tiff(data: bytes) -> bool:
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    try:
        (first,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, first)
        if entries > 0xFFFF:
            return False
        for entry in range(entries):
            tag, _, count = struct.unpack_from(
                order + ("HHQ" if big else "HHI"), data, first + (8 + 20 * entry if big else 2 + 12 * entry)
            )
            if tag in (273, 324) and count > _MAX_STRIPS:
                return False
    except (struct.error, OverflowError):
        return True  # cut short: Pillow will say so
    return True
