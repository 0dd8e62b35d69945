"""A finished or unfinished run on disk: rows.csv (complete after every batch), attacked pictures, summary.json, manifest.json."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image

from capt_engine.errors import BadRequest
from capt_engine.records import AnalyzeRequest, FailedPicture, PictureRow
from capt_engine.reports.table import cells, csv_cells, csv_writer

FORMAT = 1


class RunFolder:
    """Writes one run into a new or empty folder; what was added before an interruption stays readable."""

    def __init__(self, folder: Path, request: AnalyzeRequest, versions: dict[str, str]) -> None:
        """Make the folder and its manifest; raises BadRequest where that is not possible or would overwrite something."""
        self._folder = folder
        try:
            if folder.exists() and any(folder.iterdir()):
                raise BadRequest(
                    f"{str(folder)!r} is not empty.", "Name a new folder for the run; nothing is ever overwritten."
                )
            (folder / "attacked").mkdir(parents=True, exist_ok=True)
            manifest = {"format": FORMAT, "request": dataclasses.asdict(request), "versions": versions}
            _write_json(folder / "manifest.json", manifest)
            self._file = (folder / "rows.csv").open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise BadRequest(
                f"{str(folder)!r} cannot be written: {error.strerror or error}.", "Choose another folder with --out."
            ) from error
        self._rows = csv_writer(self._file)
        self._count = 0
        self._failed: list[FailedPicture] = []

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
                image.save(self._folder / "attacked" / f"{self._count:05d}_{_safe(Path(row.path).stem)}.png")
        self._file.flush()

    def finish(self, summary: dict[str, Any]) -> None:
        """Write summary.json, with the pictures that could not be used."""
        failed = [dataclasses.asdict(one) for one in self._failed]
        _write_json(self._folder / "summary.json", {**summary, "failed": failed})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


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
