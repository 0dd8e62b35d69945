"""The only writer of files: a place holds what it held before or all of the new, and a disk that refuses becomes a sentence."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
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
# Where a file says who wrote it: a PDF at its end, others at their beginning.
_MARKED = 1 << 16
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
    where `path` is a folder, a link, a device or anything else that is no file.
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
    wait until the file is on the disk. Raises CannotWrite where the disk refuses, BadRequest where `path` is a folder, a
    link, a device or anything else that is no file.
    """
    made: list[Path] = []
    partial: Path | None = None
    with refused(path):
        require_file_or_nothing(path)
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

    durable: wait first until the content is on the disk. Raises BadRequest where `path` is no file.
    """
    with refused(path):
        require_file_or_nothing(path)
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


def require_file_or_nothing(path: Path) -> None:
    """Raise BadRequest where `path` is there and is no plain file: it would be replaced, or would wait for a reader.

    A link is refused too, as it would be replaced instead of what it leads to.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode):
        return
    if path.is_dir() and not path.is_symlink():
        raise BadRequest(f"{str(path)!r} is a folder.", "Name a file in it.")
    if stat.S_ISLNK(mode):
        raise BadRequest(
            f"{str(path)!r} is a link, and would be replaced by a file.",
            f"Name the place that it leads to ({str(path.resolve())!r}), or remove the link.",
        )
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    what = next((what for is_it, what in kinds if is_it(mode)), "a device")
    raise BadRequest(f"{str(path)!r} is {what}, and would be replaced by a file.", "Name a file.")


def refuse_foreign_file(path: Path, ours: re.Pattern[bytes]) -> None:
    """Raise BadRequest where the file at `path` was not written by this program, so that it must not be replaced.

    ours: found in the first or the last 64 KB of every file of the kind that this program writes. A missing or an empty
    file passes; whatever is no file is refused.
    """
    require_file_or_nothing(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            first = file.read(_MARKED)
            file.seek(max(0, size - _MARKED))
            last = file.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_write(path, error) from error
    if size and not ours.search(first) and not ours.search(last):
        raise BadRequest(
            f"{str(path)!r} was not written by this program, and is not replaced.", "Choose another name, or remove it."
        )


def refuse_foreign_folder(path: Path, mark: str) -> None:
    """Raise BadRequest where the folder `path` holds something without the file `mark`, by which those of ours are known.

    A missing or an empty folder passes.
    """
    with refused(path):
        if path.exists() and not path.is_dir():
            raise BadRequest(f"{str(path)!r} is no folder.", "Choose another name.")
        if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
            raise BadRequest(
                f"{str(path)!r} holds files that this program did not write.", "Choose a new or an empty folder."
            )


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
        going = Path(tempfile.mkdtemp(_PART, f".{folder.name[:40]}.", folder.absolute().parent))
        shutil.rmtree(folder.rename(going / "removed").parent)


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn each OSError raised inside the `with` block into CannotWrite, whose message names `path`.

    path: the file or folder that the block writes.
    """
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def disk_problem(error: Exception) -> CannotWrite | None:
    """Return the CannotWrite for an error of the system that a full disk raised anywhere; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in FULL:
        return None
    return cannot_write(Path(os.fsdecode(error.filename)) if error.filename else _scratch(), error)


def _scratch() -> Path:
    """The system's folder for temporary files; on a full disk none may be usable, and then the folder that we stand in."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path()


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
