"""The only writer of files: a place holds what it held before or all of the new, and a disk that refuses becomes a sentence."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from capt_engine.errors import BadRequest, CannotWrite

_CHUNK = 1 << 20
# A name that nobody gives a file of their own.
_PART = ".capt-part"
_STALE_S = 24 * 3600.0
# EFBIG: a limit on the size of files, of the file system or of the process.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomic(
    path: Path,
    content: str | bytes | Callable[[BinaryIO], object],
    between: Callable[[], object] = lambda: None,
    *,
    durable: bool = True,
) -> None:
    """Write a file beside its place, then move it there; content: text (as UTF-8), bytes, or a function that fills the open file.

    between: called now and then while bytes are written; what it raises ends the writing. durable: wait until it is on the disk, which
    many small files that can be made again need not. Nothing is left behind by any failure; what a killed writer left goes a day later,
    when the same file is written again and waited for.
    Raises CannotWrite, in one sentence; BadRequest where the place is a folder.
    """
    data = content.encode() if isinstance(content, str) else content
    with replacing(path, durable=durable) as partial, partial.open("wb") as file:
        if callable(data):
            data(file)
        else:
            for start in range(0, len(data), _CHUNK):
                between()
                file.write(data[start : start + _CHUNK])
        between()


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a temporary file beside `path` to be filled, for what writes by path; at the end it is moved there. Raises as `write_atomic`."""
    made: list[Path] = []
    partial: Path | None = None
    with refused(path):
        if path.is_dir():
            raise BadRequest(f"{str(path)!r} is a folder.", "Name a file in it.")
        try:
            made = _missing_parents(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            if durable:
                _sweep(path)
            number, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=_PART, dir=path.parent)
            os.close(number)
            partial = Path(name)
            yield partial
            put(partial, path, durable=durable)
        except BaseException:
            _remove(partial, made)
            raise


def put(partial: Path, path: Path, *, durable: bool = True) -> None:
    """Move the finished file `partial` to `path`, over what is there; raises CannotWrite."""
    with refused(path):
        if durable:
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
        _set_mode(partial, path, 0o666)
        # Not Path.replace: a test puts a full disk, or a file that another program holds, in its place.
        os.replace(partial, path)  # noqa: PTH105


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to be filled, which becomes `path` at the end; an empty folder that is there is filled at the end.

    Raises CannotWrite; BadRequest where something of that name has come up meanwhile.
    """
    place = path.absolute()
    made: list[Path] = []
    partial: Path | None = None
    with refused(path):
        try:
            made = _missing_parents(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            # An empty folder may be a disk of its own, or the one we stand in: it is kept, and filled from inside.
            is_there = place.is_dir()
            partial = Path(tempfile.mkdtemp(_PART, f".{place.name[:40]}.", place if is_there else place.parent))
            yield partial
            if is_there:
                if any(one != partial for one in place.iterdir()):
                    raise _taken(path)
                for one in list(partial.iterdir()):
                    one.rename(place / one.name)
                partial.rmdir()
            else:
                _set_mode(partial, place, 0o777)
                move_new(partial, place)
        except BaseException:
            _remove(partial, made)
            raise


def move_new(staged: Path, path: Path) -> None:
    """Move a finished file or folder to `path`, at once and never over another; raises BadRequest, CannotWrite."""
    with refused(path):
        try:
            if staged.is_dir():
                if os.path.lexists(path):
                    raise FileExistsError
                staged.rename(path)
            elif os.name == "nt":
                staged.rename(path)  # which refuses to replace, there
            else:
                os.link(staged, path)
                staged.unlink()
        except FileExistsError as error:
            raise _taken(path) from error


def copy(source: Path, path: Path) -> None:
    """Copy a file, whole or not at all; raises CannotWrite, and OSError where the source cannot be read."""
    with source.open("rb") as file:
        write_atomic(path, lambda written: shutil.copyfileobj(file, written), durable=False)


def set_aside(path: Path) -> Path | None:
    """Rename a damaged file to the next free NAME.bad-N.SUFFIX beside it; None where the disk refuses."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.bad-{number}{path.suffix}")).exists():
        number += 1
    try:
        return path.rename(aside)
    except OSError:
        return None


def remove_folder(folder: Path) -> None:
    """Delete a folder; it is renamed first, so that a half-deleted one is never taken for a whole one."""
    with refused(folder):
        going = folder.with_name(f".{folder.name}.removed")
        shutil.rmtree(going, ignore_errors=True)
        shutil.rmtree(folder.rename(going))


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn an OSError of what is written below into CannotWrite; for files that grow, which cannot be replaced whole."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Make the error for a file or folder that the system refused to write."""
    name = repr(str(path))
    if error.errno in FULL:
        return CannotWrite(f"There is no room left on the disk for {name}.", "Free some space, or choose another disk.")
    if error.errno == errno.ENAMETOOLONG:
        return CannotWrite(f"The name {name} is too long for this disk.", "Choose a shorter one.")
    if error.errno == errno.EROFS:
        return CannotWrite(f"{name} cannot be written: the disk is read-only.", "Choose another folder.")
    if isinstance(error, FileExistsError | NotADirectoryError):
        return CannotWrite(f"{name} cannot be written: a file stands where a folder should.", "Choose another folder.")
    if isinstance(error, PermissionError) and os.path.lexists(path) and not path.is_dir():
        return CannotWrite(
            f"{name} cannot be replaced: it may not be written, or another program has it open.",
            "Close it there, or choose another name.",
        )
    return CannotWrite(f"{name} cannot be written: {error.strerror or error}.", "Choose another folder.")


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a whole file, in hexadecimal; raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _taken(path: Path) -> BadRequest:
    return BadRequest(f"There is already something called {path.name!r}.", "Choose another name, or remove it first.")


def _missing_parents(path: Path) -> list[Path]:
    """The folders on the way that are not there, innermost first."""
    return [folder for folder in path.parents if not folder.exists()]


def _remove(partial: Path | None, made: list[Path]) -> None:
    with suppress(OSError):
        if partial is not None and partial.is_dir():
            shutil.rmtree(partial)
        elif partial is not None:
            partial.unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


def _sweep(path: Path) -> None:
    """Remove the temporary files of writers of this file that were killed: our own name, a plain file, untouched for a day."""
    for left in path.parent.glob(f".{glob.escape(path.name[:40])}.????????{_PART}"):
        with suppress(OSError):
            status = left.lstat()
            if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > _STALE_S:
                left.unlink()


def _set_mode(partial: Path, path: Path, usual: int) -> None:
    """A new file gets the rights that files usually get, one that is replaced keeps its own; a temporary one is its owner's alone."""
    if os.name != "posix":
        return
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = usual & ~mask
    partial.chmod(mode)
