"""The work folder of a protocol: a small file for each finished cell, the tuned prompts, and locks that let processes share the work."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from capt_engine.errors import BadRequest
from capt_engine.evaluation.protocols import Part, Setting, Work, budget_text
from capt_engine.reports.protocol_page import Page
from capt_engine.reports.protocol_table import CLEAN, Chapter, Line, Measured, table

FORMAT = 1
_WAIT_S = 0.5


class WorkFolder:
    """Cells and prompts by their keys. Any number of processes may work in one folder."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """Make the folder, or take up one there is; raises BadRequest."""
        self.path = path
        if not make and not path.is_dir():
            raise BadRequest(f"There is no work folder {str(path)!r}.", "Leave --only-table away to begin one.")
        try:
            for name in ("cells", "prompts", "locks") if make else ():
                (path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadRequest(
                f"{str(path)!r} cannot be made: {error.strerror or error}.", "Choose another folder."
            ) from error

    def prompts(self, key: str) -> Path:
        """Where a recipe's prompts are, or will be."""
        return self.path / "prompts" / f"{key}.safetensors"

    def has(self, key: str) -> bool:
        """Is a cell finished, well or not?"""
        return self._cell(key).is_file()

    def read(self, key: str) -> dict[str, Any] | None:
        """A finished cell; None where there is none, or where a file is damaged, as it can be computed again."""
        try:
            told = json.loads(self._cell(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) and told.get("format") == FORMAT else None

    def write(self, key: str, told: Mapping[str, Any]) -> None:
        """Keep a finished cell, at once."""
        partial = self._cell(key).with_suffix(".part")
        partial.write_text(
            json.dumps({"format": FORMAT, **told}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        partial.replace(self._cell(key))

    @contextmanager
    def claimed(self, key: str) -> Iterator[bool]:
        """Is the work of that name ours to do? Nobody else gets it until the block ends, or this process does, however it does."""
        with _locked(self.path / "locks" / f"{key}.lock") as is_ours:
            yield is_ours

    def _cell(self, key: str) -> Path:
        return self.path / "cells" / f"{key}.json"


@contextmanager
def waited_for(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for whoever has it."""
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
    with path.open("a+b") as file:
        is_ours = _try(file.fileno())
        if is_ours:
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


def page_of(name: str, work: Work, setting: Setting, folder: WorkFolder, command: str) -> Page:
    """The tables of a work, from whatever cells are there."""
    cells = {cell: folder.read(setting.cell_key(cell)) for part in work.parts for cell in part.cells}
    found = [told for told in cells.values() if told is not None]
    chapters = tuple(table(_chapter(part, setting, cells)) for part in work.parts)
    title = "Results" if name == "results" else f"Protocol: {name}"
    return Page(title, _facts(setting, len(cells), found, command), chapters)


def _chapter(part: Part, setting: Setting, cells: Mapping[Any, dict[str, Any] | None]) -> Chapter:
    metrics = (CLEAN, *(budget_text(eps) for eps in setting.budgets))
    lines = tuple(
        Line(
            row.dataset,
            row.method,
            row.variant,
            row.half,
            tuple(cell.recipe.seed for cell in row.cells if cell.recipe is not None),
            tuple(_measured(cells[cell]) for cell in row.cells),
        )
        for row in part.rows
    )
    return Chapter(part.name, part.title, metrics, lines)


def _measured(told: Mapping[str, Any] | None) -> Measured | None:
    if told is None:
        return None
    return Measured(told.get("right", {}), told.get("pictures", ""), told.get("failure", ""))


def _facts(setting: Setting, asked: int, found: list[dict[str, Any]], command: str) -> tuple[tuple[str, str], ...]:
    """What a reader must know of every figure."""

    def of(name: str) -> list[str]:
        return sorted({told[name] for told in found if told.get(name)})

    seconds = sum(told.get("tune_s", 0.0) + told.get("evaluate_s", 0.0) for told in found)
    pictures = f"{setting.limit}, evenly over the classes, or all where there are fewer" if setting.limit else "all"
    aimed = (
        "computed on each row's own model"
        if setting.aim == "each"
        else "computed on the zero-shot model, the same for all"
    )
    models = of("model_sha256")
    mixed = " These are different models under one name: the figures cannot be compared." if len(models) > 1 else ""
    return (
        ("Command", f"`{command}`"),
        ("Versions", "; ".join(of("versions")) or "nothing was measured"),
        ("Model", f"{setting.model}, SHA-256 {', '.join(models) or 'not known'}.{mixed}"),
        ("Device", ", ".join(of("device")) or "none"),
        ("Cells", f"{len(found)} of {asked} are measured, in {seconds / 3600:.1f} hours of computing"),
        (
            "Test pictures",
            f"{pictures}; drawn once by a fixed seed, so every row of a data set, zero-shot included, is about the same pictures",
        ),
        (
            "Attack",
            f"PGD, L∞, untargeted, {setting.attack_steps} steps of ε / {min(4, setting.attack_steps)}, one random start, "
            f"white-box, {aimed}; it stops at a picture once that is fooled, which changes no accuracy. "
            "Robust accuracy is an upper bound: another attack may find more",
        ),
        (
            "Figures",
            "accuracy in percent: mean over seeds ± sample standard deviation, and in brackets Wilson's 95 % interval for n pictures, "
            "which says how far chance in the choice of pictures may have moved it, not chance in tuning",
        ),
        (
            "Difference to zero-shot",
            "in points, with the p of McNemar's exact test on the same pictures; several seeds' and data sets' answers are pooled, "
            "which makes p too small where they go together. Many tests are made here and none is corrected for that",
        ),
        ("Averages", "the plain mean of the data sets' means, only where every data set is measured"),
        (
            "Tuning",
            "every method with its defaults for this model, last epoch kept. HM2: harmonic mean of base and new classes; "
            "HM4: of base and new, clean and robust",
        ),
    )
