"""Writing a file so that its place holds either what it held before or all of the new one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from capt_engine.errors import BadRequest

_CHUNK = 1 << 20


def write_whole(path: Path, content: bytes, between: Callable[[], None] = lambda: None) -> None:
    """Write beside the place, then move there. between: called now and then, may raise to give up; nothing is left behind.

    Raises BadRequest, in one sentence, where the file cannot be written; what was there before is then still there.
    """
    if path.is_dir():
        raise BadRequest(f"{str(path)!r} is a folder.", "Name a file in it.")
    partial: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        partial = Path(name)
        with os.fdopen(number, "wb") as file:
            for start in range(0, len(content), _CHUNK):
                between()
                file.write(content[start : start + _CHUNK])
            file.flush()
            os.fsync(file.fileno())
        _as_others_may(partial, path)
        between()
        # Not Path.replace: a test puts a full disk, or a file that another program holds, in its place.
        os.replace(partial, path)  # noqa: PTH105
        partial = None
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        if partial is not None:
            with suppress(OSError):
                partial.unlink()


def _as_others_may(partial: Path, path: Path) -> None:
    """A new file gets the rights that files usually get, one that is replaced keeps its own."""
    if os.name != "posix":
        return
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    partial.chmod(mode)


def _refusal(path: Path, error: OSError) -> BadRequest:
    name = repr(str(path))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BadRequest(f"There is no room left on the disk for {name}.", "Free some space, or choose another disk.")
    if isinstance(error, PermissionError) and path.exists():
        return BadRequest(
            f"{name} cannot be replaced: it may not be written, or another program has it open.",
            "Close it there, or choose another name.",
        )
    return BadRequest(f"{name} cannot be written: {error.strerror or error}.", "Choose another folder.")
