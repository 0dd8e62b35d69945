"""The list of picture files to read, from the files and folders that a user named."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_NO_NAMES = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class Collected:
    """The files to read, in natural order, and (path, sentence) for each named thing that could not be followed.

    left_out: likewise for each folder inside a named one that this program wrote.
    """

    files: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


class RealPaths:
    """Real paths of files, with links resolved; a folder's own is asked of the system once, for all the files in it.

    What changes on disk while one of these lives may be missed, so it lives no longer than a search does.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Return `os.path.realpath(path)`."""
        folder, name = os.path.split(path)
        if name in _NO_NAMES or os.path.islink(path):  # noqa: PTH114 - Path costs as much as what is saved here
            return os.path.realpath(path)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        return os.path.join(real, name)  # noqa: PTH118 - as above


class Collection:
    """A search for the picture files among `paths` and in the folders among them, each real file once.

    A file named by itself is always taken, so that it can fail with its own sentence. Folders are searched to any
    depth, through links too, but never round a circle, and without the runs that this program kept in them. Files keep
    the order of `paths`, and natural order within a folder; a path that cannot be read, or that is such a run itself,
    is among the skipped ones with a sentence that says why.

    skipped: (path, sentence) for each named thing that could not be followed so far. left_out: likewise for each folder inside a
    named one that this program wrote.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._paths = [os.fspath(path) for path in paths]
        self.skipped: list[tuple[str, str]] = []
        self.left_out: list[tuple[str, str]] = []

    def files(self, real_paths: RealPaths | None = None) -> Iterator[tuple[str, str]]:
        """Yield the real path and the path of each file, as it is found.

        real_paths: those that are known already, where the caller goes on with them.
        """
        real_paths = real_paths or RealPaths()
        known: set[str] = set()
        seen: set[str] = set()
        for top in self._paths:
            for path in self._found(top, seen):
                real = real_paths.of(path)
                if real not in known:
                    known.add(real)
                    yield real, path

    def _found(self, top: str, seen: set[str]) -> Iterable[str]:
        try:
            is_directory = stat.S_ISDIR(Path(top).stat().st_mode)
        except (OSError, ValueError) as error:
            self._skip(top, error)
            return ()
        if not is_directory:
            return (top,)
        if what := product(Path(top)):
            self.skipped.append((top, f"This is {what}, not a folder of pictures."))
            return ()

        def leave(path: str, what: str) -> None:
            self.left_out.append((path, left_out(os.path.relpath(path, top), what)))

        return (entry.path for entry in files_below(top, seen, self._skip, leave) if is_picture(entry))

    def _skip(self, path: str, error: Exception) -> None:
        self.skipped.append((path, _sentence(error)))


def collect(paths: Sequence[str | Path]) -> Collected:
    """Find all picture files among `paths` and in the folders among them, each real file once, as a `Collection` does."""
    search = Collection(paths)
    files = tuple(path for _, path in search.files())
    return Collected(files, tuple(search.skipped), tuple(search.left_out))


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
    # not Path.suffix, which takes as long as all else here
    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
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
