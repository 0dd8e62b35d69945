"""Turns what the user named, files and folders, into the list of picture files to read."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capt_engine.data.kinds import looks_like_picture

# Formats we cannot read are here on purpose: the user sees them as pictures, and deserves the sentence that says why
# they are missing from the table. Text, films and archives are not, and are passed over in silence.
PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
    | {".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".heic", ".heif", ".hif", ".avif", ".avifs", ".jp2", ".j2k", ".jpx"}
    | {".j2c", ".jpc", ".jpf", ".jxl", ".jxr", ".wdp", ".psd", ".psb", ".xcf", ".kra", ".ora", ".svg", ".svgz", ".ico"}
    | {".cur", ".icns", ".dds", ".blp", ".ftc", ".ftu", ".tga", ".icb", ".vda", ".vst", ".sgi", ".rgb", ".rgba", ".bw"}
    | {".pcx", ".dcx", ".ras", ".sun", ".fli", ".flc", ".mng", ".jng", ".qoi", ".exr", ".hdr", ".pic", ".fit", ".fits"}
    | {".wmf", ".emf", ".eps", ".xbm", ".xpm", ".spider", ".msp", ".pcd", ".pixar", ".djvu", ".im", ".grb", ".gpl"}
    | {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw"}
    | {".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
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
    """The files to read, in natural order, and (path, sentence) for each named thing that could not be followed."""

    files: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()


def collect(paths: Sequence[str | Path], *, limit: int | None = None) -> Collected:
    """All picture files among `paths` and in the folders among them, each real file once; at most `limit` of them.

    A file named by itself is always taken, so that it can fail with its own sentence. A folder is searched to its
    depths, through links too, but never round a circle. The order is that of `paths`, within a folder the natural one.
    """
    search = _Search(limit)
    for path in paths:
        if search.is_full():
            break
        search.add_named(os.fspath(path))
    return Collected(tuple(search.files), tuple(search.skipped))


@dataclass
class _Search:
    limit: int | None
    files: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def is_full(self) -> bool:
        return self.limit is not None and len(self.files) >= self.limit

    def add_named(self, path: str) -> None:
        try:
            mode = Path(path).stat().st_mode
        except (OSError, ValueError) as error:
            self.skipped.append((path, _sentence(error)))
            return
        if stat.S_ISDIR(mode):
            self._add_folder(path)
        else:
            self._add_file(path)

    def _add_file(self, path: str) -> None:
        real = os.path.realpath(path)
        if real not in self._seen:
            self._seen.add(real)
            self.files.append(path)

    def _add_folder(self, top: str) -> None:
        # A list rather than recursion: a folder may be nested deeper than Python's stack.
        waiting = [top]
        while waiting and not self.is_full():
            path = waiting.pop()
            # Remembering real paths is what keeps links from leading round in a circle.
            real = os.path.realpath(path)
            if real in self._seen:
                continue
            self._seen.add(real)
            try:
                met = entries(path)
            except OSError as error:
                self.skipped.append((path, _sentence(error)))
                continue
            folders = []
            for entry in met:
                if self.is_full():
                    break
                if is_folder(entry):
                    folders.append(entry.path)
                elif is_picture(entry):
                    self._add_file(entry.path)
            waiting.extend(reversed(folders))


def entries(folder: str) -> list[os.DirEntry[str]]:
    """List a folder in natural order, without hidden things and files that operating systems leave behind. Raises OSError."""
    with os.scandir(folder) as found:
        kept = [entry for entry in found if not entry.name.startswith(".") and entry.name.lower() not in _CLUTTER]
    return sorted(kept, key=lambda entry: natural_key(entry.name))


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sorts img2 before img10, upper and lower case together; the plain name decides between equals.

    Numbers are compared by length first, as the digits of a long name may be too many for int().
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    digits = [part.lstrip("0") for part in parts]
    return [(1, len(digits[i]), digits[i]) if i % 2 else (0, 0, part) for i, part in enumerate(parts)], name


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one that can be followed."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_picture(entry: os.DirEntry[str]) -> bool:
    """Return whether a file met in a folder is, or claims to be, a picture; only names that say nothing are opened."""
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
