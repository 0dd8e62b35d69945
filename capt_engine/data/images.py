"""Turns a file of unknown origin into an 8-bit RGB picture, or into one sentence that says why not."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import hashlib
import io
import logging
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# The plugins that Pillow does not load by itself: without them it would import all of its forty when it meets one.
from PIL import AvifImagePlugin, Image, ImageCms, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin, features  # noqa: F401

from capt_engine import formatting
from capt_engine.data.kinds import Kind, kind_of, refuse_mazes
from capt_engine.errors import BadImage

Pixels = NDArray[np.uint8]

_LARGEST = 200 * 1024 * 1024

# Without a handler of its own, what Pillow logs about broken files would be printed on the user's terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def _hush_libtiff() -> None:
    """Stops libtiff from printing remarks about broken files: it writes past Python, straight to the terminal.

    Only the copy that came with Pillow is touched; where that is not found, it goes on talking.
    """
    package = Path(Image.__file__).parent
    for folder in (package.parent / "pillow.libs", package / ".dylibs"):
        for library in folder.glob("libtiff*"):
            with contextlib.suppress(OSError, AttributeError):
                set_handler = ctypes.CDLL(str(library)).TIFFSetErrorHandler
                set_handler.argtypes, set_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
                set_handler(None)


_hush_libtiff()


@dataclass(frozen=True, eq=False)
class Photo:
    """One decoded picture: `rgb` is (height, width, 3) uint8 in sRGB, upright; `notes` tell what was changed."""

    path: str
    sha256: str
    width: int
    height: int
    rgb: Pixels
    notes: tuple[str, ...] = ()


def read_photo(path: str | os.PathLike[str], *, max_pixels: int = 100_000_000, max_bytes: int = _LARGEST) -> Photo:
    """Read the first picture in a file as 8-bit sRGB values, turned upright, with white behind transparent parts.

    path: the file. max_pixels, max_bytes: the largest picture, and the largest file, that is accepted. Safe to call
    from any thread. Raises BadImage, and nothing else, whatever the file holds.
    """
    return decoded(file_bytes(path, max_bytes=max_bytes), os.fspath(path), max_pixels=max_pixels)


def decoded(data: bytes, name: str, *, max_pixels: int = 100_000_000) -> Photo:
    """Decode the first picture in the bytes of a file, as `read_photo` does.

    data: the whole file. name: its name or path, for the result. max_pixels: the largest picture that is accepted.
    Raises BadImage, and nothing else, whatever `data` holds.
    """
    kind = kind_of(data, name)
    _quiet_pillow()
    _require_decoder(kind)
    try:
        refuse_mazes(kind, data)
        rgb, notes = _decode(kind, data, max_pixels)
    except BadImage:
        raise
    except Exception as error:  # Pillow answers broken files with nearly every built-in exception there is
        raise _damaged(kind, data, error) from error
    height, width = rgb.shape[:2]
    return Photo(name, hashlib.sha256(data).hexdigest(), width, height, rgb, notes)


def thumbnail(photo: Photo, size: int) -> Pixels:
    """Shrink a picture to fit into a square of `size` pixels, keeping its proportions; a smaller one keeps its size.

    Args:
        photo: the picture.
        size: the side of the square, which the longer side of the result does not exceed, in pixels.

    Returns:
        A copy of the pixels: sRGB values (h, w, 3), uint8.
    """
    scale = size / max(photo.width, photo.height)
    if scale >= 1:
        return photo.rgb.copy()
    shape = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    # Beyond three times the wanted size a box average is as good to the eye as Lanczos, and many times faster.
    small = Image.fromarray(photo.rgb).resize(shape, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(small)


def file_bytes(path: str | os.PathLike[str], *, max_bytes: int = _LARGEST) -> bytes:
    """Read all bytes of a regular file, once; raises BadImage for anything else, and for a file of more than `max_bytes`."""
    try:
        _require_regular(Path(path).stat().st_mode)
        # The name may have become a pipe since: opening must not wait for a writer, so the open file is asked again.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            _require_regular(status.st_mode)
            if status.st_size > max_bytes:
                raise _too_heavy(status.st_size, max_bytes)
            data = file.read(max_bytes + 1)
    except (OSError, ValueError, MemoryError) as error:
        raise _unreadable(path, error) from error
    if len(data) > max_bytes:
        raise _too_heavy(len(data), max_bytes)
    if not data:
        raise BadImage("The file is empty.", "It may not have been copied or downloaded completely; fetch it again.")
    return data


def _require_regular(mode: int) -> None:
    for is_it, what, hint in (
        (stat.S_ISREG, "", ""),
        (stat.S_ISDIR, "a folder", "Choose the pictures inside it."),
        (stat.S_ISFIFO, "a pipe", "Save the picture to a file first."),
        (stat.S_ISSOCK, "a socket", "Choose a picture file."),
    ):
        if is_it(mode):
            if what:
                raise BadImage(f"This is {what}, not a picture file.", hint)
            return
    raise BadImage("This is a device, not a picture file.", "Choose a picture file.")


def _too_heavy(size: int, max_bytes: int) -> BadImage:
    # Every byte, as the two may differ by one.
    has, limit = (formatting.counted(n, "byte") for n in (max(size, max_bytes + 1), max_bytes))
    return BadImage(
        f"The file has {has}; at most {limit} are read.",
        "Save it smaller, for instance as JPEG.",
    )


def _unreadable(path: str | os.PathLike[str], error: Exception) -> BadImage:
    code = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError):
        return BadImage("There is not enough memory to read the file.", "Close other programs, or save it smaller.")
    if isinstance(error, ValueError):
        return BadImage("No file can have this name.", "Check the path.")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if Path(path).is_symlink():
            return BadImage("This is a link to a file that does not exist.", "Choose the picture itself.")
        return BadImage("There is no such file.", "It may have been moved, renamed or deleted.")
    if isinstance(error, PermissionError):
        return BadImage("You have no permission to read this file.", "Change its permissions, or copy it elsewhere.")
    if code == errno.ELOOP:
        return BadImage("This is a link that leads back to itself.", "Choose the picture itself.")
    if code == errno.ENAMETOOLONG:
        return BadImage("The name of the file is too long for this system.", "Check the path.")
    reason = os.strerror(code) if code else type(error).__name__
    return BadImage(f"The file cannot be read ({reason}).", "Check the disk or the network, or copy it elsewhere.")


def _require_decoder(kind: Kind) -> None:
    """Raise BadImage where the decoder of a kind is not installed; that of HEIC is a package of its own, loaded at the first one."""
    if kind.pillow == "AVIF" and not features.check("avif"):
        raise BadImage("This is an AVIF picture, which the Pillow installed here was built without.", kind.hint)
    if kind.pillow == "HEIF" and not _reads_heic():
        raise BadImage(
            "This is a HEIC photograph, and the package that decodes them is not installed.",
            f"Install it with: pip install pillow-heif. Or {kind.hint[0].lower()}{kind.hint[1:]}",
        )


@functools.cache
def _reads_heic() -> bool:
    """Let Pillow open HEIC files, if the package pillow-heif is installed; return True if it is."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


_STRIP_PIXELS = 4_000_000


def _quiet_pillow() -> None:
    """Keeps Pillow's warnings to itself: what they tell is in the notes, or in the BadImage.

    `warnings.catch_warnings` would be the tidy way, but it swaps the filters of the whole process and puts the old ones
    back on leaving: two threads that overlap can leave each other's filters behind for good, or let a warning raise in
    the middle of a decoder. One lasting filter that concerns nobody but Pillow has nothing to put back.
    """
    quiet: object = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
    if not warnings.filters or warnings.filters[0] != quiet:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _decode(kind: Kind, data: bytes, max_pixels: int) -> tuple[Pixels, tuple[str, ...]]:
    notes: list[str] = []
    if kind.pillow == "WEBP":
        _check_webp(data, max_pixels)
    with Image.open(io.BytesIO(data), formats=(kind.pillow,)) as image:
        _check_size(image.size, max_pixels)
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            _check_tiles(image, max_pixels)
        raw_mode = _raw_mode(image)
        # A truncated file raises here, as ImageFile.LOAD_TRUNCATED_IMAGES is off. We leave it so: half a picture on
        # grey would be classified like a whole one, and nobody would notice in a table of a thousand rows.
        image.load()
        _check_size(image.size, max_pixels)
        frames = _frames(image, data)
        if frames:
            notes.append(frames)
        orientation = 1 if image.format == "TIFF" else _orientation(image, notes)  # Pillow turns TIFFs itself
        rgb = _to_rgb(image, raw_mode, notes)
    if orientation != 1:
        rgb = np.ascontiguousarray(_UPRIGHT[orientation](rgb))
        notes.append("turned upright as its EXIF orientation says")
    return rgb, tuple(notes)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise BadImage(
            f"The picture claims {width} × {height} pixels; at most {max_pixels} are decoded.",
            "Make it smaller in an image editor first.",
        )


def _check_webp(data: bytes, max_pixels: int) -> None:
    """Pillow allocates the canvas of a WebP while opening it, so its size has to be known before."""
    if data[12:16] == b"VP8X":
        size = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        _check_size(size, max_pixels)
    # The other two kinds hold at most 16 384 pixels a side, which Pillow's own limit catches.


def _check_tiles(image: TiffImagePlugin.TiffImageFile, max_pixels: int) -> None:
    """A TIFF of one pixel may come in one tile of a thousand million, or with strips missing at its end."""
    tags = image.tag_v2
    tile_size = tags.get(322, 0), tags.get(323, 0)
    if all(isinstance(side, int) for side in tile_size):
        _check_size(tile_size, max_pixels)
    if not image.use_load_libtiff and tags.get(284, 1) == 1:
        boxes = [tile.extents for tile in image.tile if tile.extents]
        # Stored size: `image.size` is already turned upright.
        if sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) < image.size[0] * image.size[1]:
            raise BadImage("A part of the picture is missing from the file.", _FETCH_AGAIN)


def _raw_mode(image: Image.Image) -> str:
    """Return the format of the stored samples in Pillow's words ("RGB;16B", "L;4"): it knows more than the mode after loading."""
    args = image.tile[0].args if image.tile else ""  # type: ignore[attr-defined]
    if isinstance(args, tuple):
        args = args[0] if args else ""
    return args if isinstance(args, str) else ""


def _frames(image: Image.Image, data: bytes) -> str:
    try:
        if image.format == "TIFF":
            # Its pages form a chain that has to be walked, and that a hostile file makes endless: no count.
            return "first page of several" if getattr(image, "is_animated", False) else ""
        if image.format == "GIF":
            if len(data) > 4 * 2**20:
                return ""
            # Counting makes Pillow drop what it has decoded, so another reader of the same bytes counts.
            with Image.open(io.BytesIO(data), formats=("GIF",)) as again:
                count = getattr(again, "n_frames", 1)
        else:
            count = getattr(image, "n_frames", 1)
    except Exception:  # a later frame is broken in some way; the first one is what we show
        return ""
    what = "picture of a file" if image.format == "MPO" else "frame of an animation"
    return f"first {what} of {count}" if count > 1 else ""


_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.transpose(1, 0, 2),
    6: lambda rgb: np.rot90(rgb, -1),
    7: lambda rgb: rgb[::-1, ::-1].transpose(1, 0, 2),
    8: lambda rgb: np.rot90(rgb),
}


def _orientation(image: Image.Image, notes: list[str]) -> int:
    try:
        exif = image.getexif()
        value = exif.get(0x0112, 1)
        damaged = bool(image.info.get("exif")) and len(exif) == 0
    except Exception:  # a hostile EXIF block fails in as many ways as a hostile picture, but the picture is fine
        value, damaged = 1, True
    if damaged:
        notes.append("damaged EXIF data ignored")
    if value in (0, 1):
        return 1
    if value not in _UPRIGHT:
        notes.append("EXIF orientation ignored, as it is none of 1 to 8")
        return 1
    return int(value)


def _to_rgb(image: Image.Image, raw_mode: str, notes: list[str]) -> Pixels:
    """The loaded picture as (h, w, 3) uint8, over white and in sRGB.

    Strip by strip, so that between the decoded picture and the result no third copy of a large one is needed.
    """
    wide = image.mode.startswith("I") or image.mode == "F"
    to_grey = _levels(image, raw_mode, notes) if wide else None
    if ";16" in raw_mode and not wide:
        notes.append("16 bits a channel brought to 8")
    to_srgb = _srgb_transform(image, notes)
    key = _transparent_key(image, raw_mode)
    transparent = image.mode.endswith(("A", "a")) or key is not None
    seen_through = False

    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        alpha: Pixels | None = None
        if to_grey is not None:
            values = np.asarray(strip)
            colour = Image.fromarray(to_grey(values))
            if isinstance(key, int):
                alpha = np.where(values == key, 0, 255).astype(np.uint8)
        elif transparent:
            if key is not None:
                strip.info["transparency"] = key
            rgba = strip.convert("RGBA")
            alpha = np.asarray(rgba.getchannel("A"))
            colour = rgba.convert("RGB")
        else:
            colour = strip
        part = np.asarray(to_srgb(colour))
        if alpha is not None and alpha.min() < 255:
            seen_through = True
            part = _over_white(part, alpha)
        rgb[top : top + part.shape[0]] = part
    if seen_through:
        notes.append("transparency shown over white")
    return rgb


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def _over_white(rgb: Pixels, alpha: Pixels) -> Pixels:
    """c·α + 255·(1 − α), rounded; the largest sum, 255² + 127, still fits in 16 bits."""
    a = alpha[..., None].astype(np.uint16)
    return ((rgb * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


def _transparent_key(image: Image.Image, raw_mode: str) -> int | tuple[int, ...] | bytes | None:
    """The transparent colour or palette entries of a picture without alpha, in the scale of its loaded samples.

    Pillow keeps the number of the file, but widens 1, 2 and 4 bits to 8 and narrows 16.
    """
    key: int | tuple[int, ...] | bytes | None = image.info.get("transparency")
    if image.mode not in ("1", "L", "P", "RGB", "I;16"):
        return None
    if isinstance(key, int) and image.mode in ("1", "L"):
        return min(255, key * {"1": 255, "L;2": 85, "L;4": 17}.get(raw_mode, 1))
    if isinstance(key, tuple) and ";16" in raw_mode:
        return tuple(sample >> 8 for sample in key)
    return key


def _levels(image: Image.Image, raw_mode: str, notes: list[str]) -> Callable[[NDArray[np.generic]], Pixels]:
    """Return a function that brings 16-bit, 32-bit or floating samples to 8 bits; `notes` gains a sentence about the scaling."""
    low, high = 0.0, 255.0
    if image.mode.startswith("I;16") or (image.format == "PPM" and image.mode == "I"):
        bits = 12 if raw_mode == "I;12" else 16
        high = float(2**bits - 1)
        notes.append(f"{bits} bits a channel brought to 8")
    else:
        least, most = _extremes(image)
        if least < 0 or most > 255:
            low, high = least, most
            notes.append(f"values from {low:.6g} to {high:.6g} stretched to black and white")
        elif image.mode == "F" and most <= 1:
            high = 1.0
            notes.append("floating values taken as 0 for black and 1 for white")
        else:
            notes.append("32 bits a channel brought to 8")
    # Pillow inverts white-is-zero pictures of up to 8 bits only.
    inverted = isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(262) == 0

    def to_grey(values: NDArray[np.generic]) -> Pixels:
        finite = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
        scaled = np.clip((finite - low) / ((high - low) or 1.0), 0, 1) * 255
        return np.rint(255 - scaled if inverted else scaled).astype(np.uint8)

    return to_grey


def _extremes(image: Image.Image) -> tuple[float, float]:
    least, most = np.inf, -np.inf
    for _, strip in _strips(image):
        values = np.asarray(strip, np.float64)
        values = values[np.isfinite(values)]
        if values.size:
            least, most = min(least, float(values.min())), max(most, float(values.max()))
    return (least, most) if least <= most else (0.0, 0.0)


def _srgb_transform(image: Image.Image, notes: list[str]) -> Callable[[Image.Image], Image.Image]:
    """Return a function that brings strips to sRGB: by the embedded profile if it is sound and fits the picture, else the plain way."""
    lab = image.mode == "LAB"
    grey = image.mode in ("1", "L", "LA", "La", "F") or image.mode.startswith("I")
    mode = "LAB" if lab else "CMYK" if image.mode == "CMYK" else "L" if grey else "RGB"
    icc = image.info.get("icc_profile")
    transform: ImageCms.ImageCmsTransform | None = None
    if icc:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            wanted = {"LAB": "Lab ", "CMYK": "CMYK", "L": "GRAY", "RGB": "RGB "}[mode]
            if profile.profile.xcolor_space != wanted:
                raise ValueError("a profile for another colour space")
            # Already what we want: leave every value exactly as it is.
            if not (mode == "RGB" and "srgb" in ImageCms.getProfileDescription(profile).lower()):
                transform = _to_srgb_from(profile, mode)
                notes.append("embedded colour profile converted to sRGB")
        except Exception:  # the profile is foreign bytes too; the picture does not depend on it
            notes.append("unsuitable colour profile ignored")
    if transform is None and lab:
        transform = _to_srgb_from(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), mode)
    if transform is None:
        return lambda strip: strip.convert("RGB")
    chosen = transform

    def convert(strip: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(strip if strip.mode == mode else strip.convert(mode), chosen)
        assert converted is not None  # None only where inPlace is asked for
        return converted

    return convert


def _to_srgb_from(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.buildTransform(profile, srgb, mode, "RGB")


_FETCH_AGAIN = "It was probably cut off while being copied or downloaded; fetch it again."


def _damaged(kind: Kind, data: bytes, error: Exception) -> BadImage:
    """The sentence for whatever a decoder raised."""
    reason = re.sub(r"[^ -~]+", " ", str(error)).strip()[:120] or type(error).__name__
    if isinstance(error, MemoryError):
        return BadImage("The picture needs more memory than there is.", "Make it smaller in an image editor first.")
    if isinstance(error, Image.DecompressionBombError):
        return BadImage("The picture claims far too many pixels to be decoded.", "Make it smaller in an image editor.")
    if "text chunk" in reason.lower() or "MAX_TEXT_CHUNK" in reason:
        return BadImage(
            "The text or colour profile packed into the file is absurdly large; the picture was not decoded.",
            "If you trust it, open it in an image editor and save it again as PNG or JPEG.",
        )
    webp_is_cut = kind.pillow == "WEBP" and int.from_bytes(data[4:8], "little") + 8 > len(data)
    cut = re.search(
        r"truncated|not enough image data|buffer is not large enough|EOF|unexpected end", reason, re.IGNORECASE
    )
    if cut or webp_is_cut:
        return BadImage("The file ends before the picture is complete.", _FETCH_AGAIN)
    if isinstance(error, UnidentifiedImageError):
        reason = "its header makes no sense, or is of a rare variant"
    return BadImage(
        f"This is {kind.name}, but it is damaged or unusual and cannot be decoded ({reason}).",
        "Open it in an image editor and save it again as PNG or JPEG.",
    )
