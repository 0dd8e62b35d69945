"""The work folder of a protocol: a small file for each finished cell, the tuned prompts, and locks that let processes share the work."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.files import refused, write_atomic
from capt_engine.protocols.definitions import Cell
from capt_engine.reading import json_if_sound

FORMAT = 1
REVISION = 1
"""Raised by hand whenever the code gives other figures for the same cell: cells of another revision are marked, never mixed in."""
_WAIT_S = 0.5


@dataclass(frozen=True)
class Measured:
    """A finished cell, as far as tables need its file. right: for "clean" and each budget a character a picture: 1, 0, - for unusable.

    pictures: a fingerprint of which pictures they were, in order. failure: why there are no answers. tuned_with: the settings of the
    prompts, None for zero-shot. tune_s, evaluate_s: seconds. revision: REVISION of the code that measured it. commit: of that code, ""
    where it is not known. alpha_by_epoch: the mean of α in each epoch of tuning.
    """

    format: int = 0
    right: Mapping[str, str] = field(default_factory=dict)
    pictures: str = ""
    failure: str = ""
    cell: Cell | None = None
    versions: str = ""
    model_sha256: str = ""
    device: str = ""
    tuned_with: Mapping[str, object] | None = None
    tune_s: float = 0.0
    evaluate_s: float = 0.0
    revision: int = 0
    commit: str = ""
    alpha_by_epoch: tuple[float, ...] = ()


@dataclass(frozen=True)
class Tuned:
    """The seconds that tuning took, and the mean of α in each of its epochs, empty where they were not all seen."""

    tune_s: float = 0.0
    alpha_by_epoch: tuple[float, ...] = ()


class WorkFolder:
    """Cells and prompts of a protocol by their keys, in a folder in which any number of processes may work."""

    def __init__(self, path: Path, *, make: bool = True, cells: Path | None = None) -> None:
        """Make the folder, or take up one there is. cells: where cells are kept, None for inside. Raises BadRequest, CannotWrite."""
        self.path = path
        self.cells = path / "cells" if cells is None else cells
        if not make and not path.is_dir():
            raise BadRequest(f"There is no work folder {str(path)!r}.", "Leave --only-table away to begin one.")
        with refused(path):
            for folder in (self.cells, path / "prompts", path / "locks") if make else ():
                folder.mkdir(parents=True, exist_ok=True)

    def prompts(self, key: str) -> Path:
        """Return the path of the prompts file named `key` (by `Setting.recipe_key`); it need not exist."""
        return self.path / "prompts" / f"{key}.safetensors"

    def has(self, key: str) -> bool:
        """Return True where the cell (prompts on a data set) named `key` has a file, measured or failed."""
        return self._cell(key).is_file()

    def read(self, key: str) -> Measured | None:
        """Return the outcome of the cell (prompts measured on a data set) with the name `key`.

        None means that it must be computed: there is no file, or one that is damaged, of another version or of another
        revision (`is_older`).
        """
        found = self._read(key)
        return found if found is not None and found.revision == REVISION else None

    def is_older(self, key: str) -> bool:
        """Return True where the cell named `key` was measured, but by another revision of the program."""
        found = self._read(key)
        return found is not None and found.revision != REVISION

    def write(self, key: str, cell: Mapping[str, object]) -> None:
        """Write the outcome `cell` of a cell (prompts measured on a data set) into the file with the name `key`.

        A file that is there is replaced, whole or not at all. Raises CannotWrite where the disk refuses.
        """
        marks = {"format": FORMAT, "revision": REVISION}
        write_atomic(self._cell(key), json.dumps({**marks, **cell}, indent=1, ensure_ascii=False) + "\n")

    def tuned(self, key: str) -> Tuned | None:
        """Return how the prompts named `key` were tuned; None where no sound file says it."""
        return json_if_sound(self._tuned(key), Tuned)

    def write_tuned(self, key: str, tuned: Tuned) -> None:
        """Write down beside the prompts named `key` how they were tuned. Raises CannotWrite where the disk refuses."""
        write_atomic(self._tuned(key), json.dumps(asdict(tuned)) + "\n")

    @contextmanager
    def claimed(self, key: str) -> Iterator[bool]:
        """Try to reserve the cell or prompts with the name `key` for a `with` block, without waiting.

        Yields True where that worked, until the block ends, and False where another process has it. Raises CannotWrite.
        """
        with _locked(self.path / "locks" / f"{key}.lock") as is_ours:
            yield is_ours

    def _read(self, key: str) -> Measured | None:
        found = json_if_sound(self._cell(key), Measured)
        return found if found is not None and found.format == FORMAT else None

    def _tuned(self, key: str) -> Path:
        return self.path / "prompts" / f"{key}.json"

    def _cell(self, key: str) -> Path:
        return self.cells / f"{key}.json"


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock file `path`, and hold it until the `with` block ends.

    Raises CannotWrite where the file cannot be made.
    """
    while True:
        with _locked(path) as is_ours:
            if is_ours:
                yield
                return
        time.sleep(_WAIT_S)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Try to lock a file that names the holder's process. The system drops a dead process's lock, so none goes stale.

    The file stays: were it removed, another process could hold the lock of the removed one while a third makes it anew.
    """
    with refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+b")
    with opened as file:
        is_ours = _try(file.fileno())
        if is_ours:
            with refused(path):
                file.truncate(0)
                file.write(f"{os.getpid()}\n".encode())
                file.flush()
        # Closing the file is what lets go.
        yield is_ours


if sys.platform == "win32":
    import msvcrt

    def _try(number: int) -> bool:
        # A byte far behind the end: a locked byte cannot be read by others, and the process's number should be.
        os.lseek(number, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
