"""The list of picture files to read, from the files and folders that a user named."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from capt_engine.data.kinds import RAW_SUFFIXES, TGA_SUFFIXES, looks_like_picture
from capt_engine.data.products import left_out, product

# Formats we cannot read are here on purpose: the user sees them as pictures, and deserves the sentence that says why
# they are missing from the table. Text, films and archives are not, and are passed over in silence.
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".heic", ".heif", ".hif", ".avif", ".avifs", ".jp2", ".j2k", ".jpx"}
    | {".j2c", ".jpc", ".jpf", ".jxl", ".jxr", ".wdp", ".psd", ".psb", ".xcf", ".kra", ".ora", ".svg", ".svgz", ".ico"}
    | {".cur", ".icns", ".dds", ".blp", ".ftc", ".ftu", ".sgi", ".rgb", ".rgba", ".bw"}
    | {".pcx", ".dcx", ".ras", ".sun", ".fli", ".flc", ".mng", ".jng", ".qoi", ".exr", ".hdr", ".pic", ".fit", ".fits"}
    | {".wmf", ".emf", ".eps", ".xbm", ".xpm", ".spider", ".msp", ".pcd", ".pixar", ".djvu", ".im", ".grb", ".gpl"}
    | TGA_SUFFIXES | RAW_SUFFIXES - {".raw"}
)  # fmt: skip

_OTHER_SUFFIXES = frozenset(
    {".txt", ".md", ".rst", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".xml"}
    | {".html", ".htm", ".css", ".js", ".py", ".ipynb", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".ods"}
    | {".ppt", ".pptx", ".odp", ".zip", ".gz", ".xz", ".bz2", ".tar", ".tgz", ".7z", ".rar", ".mp3", ".wav", ".flac"}
    | {".mp4", ".mov", ".avi", ".mkv", ".webm", ".mat", ".npy", ".npz", ".pt", ".pth", ".pkl", ".safetensors", ".whl"}
    | {".xmp", ".aae", ".thm", ".lnk", ".url", ".exe", ".dll", ".so", ".tmp", ".part", ".crdownload"}
)  # fmt: skip

_CLUTTER = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "icon\r"})


@dataclass(frozen=True)
class Collected:
    """The files to read, in natural order, and (path, sentence) for each named thing that could not be followed.

    left_out: likewise for each folder inside a named one that this program wrote.
    """

    files: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def collect(paths: Sequence[str | Path]) -> Collected:
    """Find all picture files among `paths` and in the folders among them, each real file once.

    A file named by itself is always taken, so that it can fail with its own sentence. Folders are searched to any
    depth, through links too, but never round a circle, and without the runs that this program kept in them. Files keep
    the order of `paths`, and natural order within a folder; a path that cannot be read, or that is such a run itself,
    is returned among the skipped ones with a sentence that says why.
    """
    files: dict[str, str] = {}
    skipped: list[tuple[str, str]] = []
    ours: list[tuple[str, str]] = []
    seen: set[str] = set()

    def skip(path: str, error: Exception) -> None:
        skipped.append((path, _sentence(error)))

    def leave(path: str, what: str) -> None:
        ours.append((path, left_out(os.path.relpath(path, top), what)))

    for path in [os.fspath(one) for one in paths]:
        top = path
        try:
            is_directory = stat.S_ISDIR(Path(path).stat().st_mode)
        except (OSError, ValueError) as error:
            skip(path, error)
            continue
        if is_directory and (what := product(Path(path))):
            skipped.append((path, f"This is {what}, not a folder of pictures."))
            continue
        found = map(os.fspath, filter(is_picture, files_below(path, seen, skip, leave))) if is_directory else [path]
        for file in found:
            files.setdefault(os.path.realpath(file), file)
    return Collected(tuple(files.values()), tuple(skipped), tuple(ours))


def files_below(
    top: str,
    seen: set[str],
    on_error: Callable[[str, Exception], None],
    on_product: Callable[[str, str], None] = lambda _path, _what: None,
    is_followed: Callable[[os.DirEntry[str]], bool] = lambda _: True,
    between: Callable[[], None] = lambda: None,
) -> Iterator[os.DirEntry[str]]:
    """Yield all files at any depth of the folder `top` in natural order, a folder's own before those of its subfolders.

    seen: real paths of folders to leave out; each folder that is entered is added, so that links never lead round in a
    circle. on_error: called with (path, error) for a folder that cannot be listed, which is then passed over.
    on_product: called with (path, what it is) for a subfolder that this program wrote, such as a run, which is passed
    over too. is_followed: returns True for a subfolder that is to be entered. between: called before each folder, may
    raise to stop.
    """
    # A list rather than recursion: a folder may be nested deeper than Python's stack.
    waiting = [top]
    while waiting:
        between()
        path = waiting.pop()
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        if path != top and (what := product(Path(path))):
            on_product(path, what)
            continue
        try:
            met = entries(path)
        except (OSError, ValueError) as error:
            on_error(path, error)
            continue
        yield from (entry for entry in met if not is_folder(entry))
        waiting += [entry.path for entry in met if is_folder(entry) and is_followed(entry)][::-1]


def entries(folder: str) -> list[os.DirEntry[str]]:
    """List what lies directly in a folder, in natural order, without hidden things and those that systems leave behind.

    Raises OSError where the folder cannot be listed, and ValueError where no folder can have this name.
    """
    with os.scandir(folder) as found:
        kept = [entry for entry in found if not entry.name.startswith(".") and entry.name.lower() not in _CLUTTER]
    return sorted(kept, key=lambda entry: natural_key(entry.name))


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key for a file name that puts img2 before img10 and ignores case; the name decides between equals.

    Numbers are compared by their count of digits first, as the digits of a long name may be too many for int().
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = [part.lstrip("0") for part in parts]
    return [(1, len(digits[i]), digits[i]) if i % 2 else (0, 0, part) for i, part in enumerate(parts)], name


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return True if a directory entry is a folder, or a link that leads to one."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_picture(entry: os.DirEntry[str]) -> bool:
    """Return True if a directory entry is a picture, by its name's ending or, where that is unknown, its first bytes.

    Formats that cannot be read count too, so that each can be reported. A file that cannot be opened gives False.
    """
    suffix = Path(entry.name).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return True
    if suffix in _OTHER_SUFFIXES:
        return False
    try:
        # Opening a pipe would wait for its writer, perhaps for ever.
        if not entry.is_file():
            return False
        with Path(entry.path).open("rb") as file:
            return looks_like_picture(file.read(4096))
    except OSError:
        return False


def _sentence(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "There is no such file or folder."
    if isinstance(error, PermissionError):
        return "You have no permission to look here."
    if isinstance(error, ValueError):
        return "No file can have this name."
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "This is a link that leads back to itself."
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
    return f"This cannot be read ({reason})."
