"""A finished or unfinished run on disk: rows.csv (complete after every batch), attacked pictures, summary.json, manifest.json."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image

from capt_engine.errors import BadRequest
from capt_engine.metrics.tally import Tally
from capt_engine.records import (
    AnalyzeRequest,
    AnalyzeResult,
    EvaluateRequest,
    FailedPicture,
    PictureRow,
)
from capt_engine.reports.table import cells, columns, csv_cells, csv_writer, trial

FORMAT = 1
_ROWS, _MANIFEST, _SUMMARY = "rows.csv", "manifest.json", "summary.json"

# What may differ between a run and its continuation: none of it changes a result.
_FREE = ("skip", "batch", "device")


class RunFolder:
    """Writes one run into a new or empty folder; what was added before an interruption stays readable, and can be gone on with.

    done: the paths of pictures that an interrupted run finished.
    """

    def __init__(
        self,
        folder: Path,
        request: AnalyzeRequest | EvaluateRequest,
        versions: dict[str, str],
        *,
        resume: bool = False,
    ) -> None:
        """Make the folder and its manifest, or take up an old one; raises BadRequest where that cannot be, or would overwrite something."""
        self.path = folder
        self.done: tuple[str, ...] = ()
        self._failed: list[FailedPicture] = []
        self._count = 0
        try:
            kept = self._taken_up(request) if resume else self._begun(request, versions)
            # Written anew beside the old one, so that there is always a whole file.
            partial = folder / f"{_ROWS}.part"
            with partial.open("w", newline="", encoding="utf-8") as file:
                csv_writer(file, header=True).writerows(kept)
            partial.replace(folder / _ROWS)
            self._file = (folder / _ROWS).open("a", newline="", encoding="utf-8")
            self._rows = csv_writer(self._file)
        except OSError as error:
            raise BadRequest(
                f"{str(folder)!r} cannot be written: {error.strerror or error}.", "Choose another folder with --out."
            ) from error

    def add(self, rows: Sequence[PictureRow | FailedPicture]) -> None:
        """Append rows to rows.csv and save the attacked pictures that fooled the model."""
        for row in rows:
            if isinstance(row, FailedPicture):
                self._failed.append(row)
                continue
            self._count += 1
            self._rows.writerow(csv_cells(cells(row)))
            if row.success and row.pictures is not None:
                picture = row.pictures.adversarial
                image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
                image.save(self.path / "attacked" / f"{self._count:05d}_{_safe(Path(row.path).stem)}.png")
        self._file.flush()

    def counted(self, result: AnalyzeResult, compare: str | None) -> AnalyzeResult:
        """A result's figures, counted over every row of the folder."""
        return Tally(trial(line) for line in _lines(self.path / _ROWS)).scored(result, compare)

    def finish(self, summary: dict[str, Any]) -> None:
        """Write summary.json, with the pictures that could not be used."""
        failed = [dataclasses.asdict(one) for one in self._failed]
        _write_json(self.path / _SUMMARY, {**summary, "failed": failed})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _begun(self, request: AnalyzeRequest | EvaluateRequest, versions: dict[str, str]) -> list[dict[str, str]]:
        if self.path.exists() and any(self.path.iterdir()):
            raise BadRequest(
                f"{str(self.path)!r} is not empty.", "Name a new folder for the run; nothing is ever overwritten."
            )
        (self.path / "attacked").mkdir(parents=True, exist_ok=True)
        manifest = {"format": FORMAT, "request": dataclasses.asdict(request), "versions": versions}
        _write_json(self.path / _MANIFEST, manifest)
        return []

    def _taken_up(self, request: AnalyzeRequest | EvaluateRequest) -> list[dict[str, str]]:
        """The rows of the pictures that are complete; raises BadRequest where the folder holds another run, or none."""
        if not (self.path / _MANIFEST).is_file() or not (self.path / _ROWS).is_file():
            raise BadRequest(f"{str(self.path)!r} holds no run to go on with.", "Start it with --out instead.")
        old = json.loads((self.path / _MANIFEST).read_text(encoding="utf-8"))["request"]
        # Through JSON, as the old one came.
        new = json.loads(json.dumps(dataclasses.asdict(request)))
        for name in sorted(old.keys() | new.keys()):
            if name not in _FREE and old.get(name) != new.get(name):
                raise BadRequest(
                    f"The run in {str(self.path)!r} was made with another {name.replace('_', ' ')}: "
                    f"{old.get(name)!r}, not {new.get(name)!r}.",
                    "Give the command that it was started with.",
                )
        by_picture: dict[str, list[dict[str, str]]] = {}
        for line in _lines(self.path / _ROWS):
            by_picture.setdefault(line["path"], []).append(line)
        whole = {path: lines for path, lines in by_picture.items() if len(lines) == _rows_a_picture(request)}
        self.done = tuple(trial(lines[0]).path for lines in whole.values())
        kept = [line for lines in whole.values() for line in lines]
        self._count = len(kept)
        return kept


def _rows_a_picture(request: AnalyzeRequest | EvaluateRequest) -> int:
    asked = 1 if request.compare is None else 2
    if isinstance(request, AnalyzeRequest):
        return asked
    return asked * max(1, len(request.attacks) * max(1, len(set(request.curve))))


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """The whole lines of a CSV, as text; a last one that was cut off is left out."""
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if len(line) == len(columns()) and None not in line.values():
                yield line


def _write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=True)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _safe(stem: str) -> str:
    return (
        "".join(c if c.isalnum() or c in "-_" else "_" for c in stem)[:80]
        .encode("ascii", "replace")
        .decode()
        .replace("?", "_")
    )
