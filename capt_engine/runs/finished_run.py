"""A finished run, read from its folder: the manifest, the summary, and the rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.records import RunRequest
from capt_engine.runs import reader
from capt_engine.runs.manifest_records import Manifest, Summary
from capt_engine.runs.request_text import from_json


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended. request: what was asked."""

    folder: Path
    manifest: Manifest
    summary: Summary
    request: RunRequest

    @classmethod
    def of(cls, folder: Path) -> FinishedRun:
        """Read the finished run that is kept in the run folder `folder`.

        Raises BadRequest where the folder holds no run, one that has not ended, or files that cannot be read.
        """
        if not reader.is_run(folder):
            raise BadRequest(f"{str(folder)!r} holds no run.", "Name a folder that a run was kept in (--out).")
        summary = reader.summary_of(folder)
        if summary is None:
            raise BadRequest(
                f"The run in {str(folder)!r} has not ended.", f"Finish it first: capt evaluate … --resume {folder}"
            )
        manifest = reader.manifest_of(folder)
        return cls(folder, manifest, summary, from_json(manifest))

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield the rows of rows.csv, one for each picture, attack and set of prompts, as column → text."""
        return reader.lines(self.folder)
