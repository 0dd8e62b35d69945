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
    """Write `content` into the file `path`, over what is there; at every moment the file is the old one or the new one.

    content: text (written as UTF-8), bytes, or a function that fills the open binary file. between: called now and then
    while text or bytes are written; what it raises ends the writing. durable: wait until the file is on the disk; False
    is faster, for files that can be made again.

    Missing folders are made. Nothing is left behind by a failure. Raises CannotWrite where the disk refuses, BadRequest
    where `path` is a folder.
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
    """Give, for a `with` block, the path of a temporary file to fill; at the block's end the file is moved to `path`.

    For code that writes to a path instead of an open file. An error inside the block leaves `path` as it was. durable:
    wait until the file is on the disk. Raises CannotWrite where the disk refuses, BadRequest where `path` is a folder.
    """
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
    """Move the finished file `partial` to `path`, over a file that is there; raises CannotWrite where the disk refuses.

    durable: wait first until the content is on the disk.
    """
    with refused(path):
        if durable:
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
        _set_mode(partial, path, 0o666)
        # Not Path.replace: a test puts a full disk, or a file that another program holds, in its place.
        os.replace(partial, path)  # noqa: PTH105


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give, for a `with` block, the path of a temporary folder to fill; at its end that becomes the folder `path`.

    An empty folder at `path` is kept and filled. An error inside the block leaves nothing behind. Raises CannotWrite
    where the disk refuses, BadRequest where `path` is taken by then.
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
    """Move the finished file or folder `staged` to `path`, in one step.

    Nothing is written over: raises BadRequest where `path` exists, CannotWrite where the disk refuses.
    """
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
    """Copy the file `source` to `path`, over what is there, whole or not at all.

    Raises OSError where `source` cannot be read, CannotWrite where the disk refuses, BadRequest where `path` is a
    folder.
    """
    with source.open("rb") as file:
        write_atomic(path, lambda written: shutil.copyfileobj(file, written), durable=False)


def set_aside(path: Path) -> Path | None:
    """Rename the damaged file NAME.SUFFIX at `path` to NAME.bad-N.SUFFIX beside it, with the first free N from 1.

    Returns the new path, or None where the file could not be renamed.
    """
    number = 1
    while (aside := path.with_name(f"{path.stem}.bad-{number}{path.suffix}")).exists():
        number += 1
    try:
        return path.rename(aside)
    except OSError:
        return None


def remove_folder(folder: Path) -> None:
    """Delete `folder` with everything in it; raises CannotWrite where the system refuses.

    The folder is renamed first, so that a half-deleted one is never taken for a whole one.
    """
    with refused(folder):
        going = folder.with_name(f".{folder.name}.removed")
        shutil.rmtree(going, ignore_errors=True)
        shutil.rmtree(folder.rename(going))


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn each OSError raised inside the `with` block into CannotWrite, whose message names `path`.

    path: the file or folder that the block writes.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return the CannotWrite that says in a sentence why the system refused to write `path`, as `error` tells."""
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
    """Return the SHA-256 of the content of the file `path`, in hexadecimal; raises OSError where it cannot be read."""
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
