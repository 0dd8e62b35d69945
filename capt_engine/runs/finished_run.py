"""A run read from its folder: the manifest, the summary, and the rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capt_engine.errors import BadRequest
from capt_engine.records import RunRequest
from capt_engine.runs import kept_pictures, reader
from capt_engine.runs.kept_pictures import Kept
from capt_engine.runs.manifest_records import Manifest, Summary
from capt_engine.runs.request_text import from_json
from capt_engine.runs.run_folder import whole_pictures


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended, or one that was stopped, as far as it got. request: what was asked.

    whole: of one that was stopped, the pictures with all their rows, as rows.csv names them; None of one that has ended.
    """

    folder: Path
    manifest: Manifest
    summary: Summary
    request: RunRequest
    whole: frozenset[str] | None = None

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

    @classmethod
    def so_far(cls, folder: Path) -> FinishedRun:
        """Read the run that is kept in the run folder `folder`, also one that was stopped before its end.

        Of a stopped one the pictures count that have all their rows, and its summary says only what these and the
        manifest say. Raises BadRequest where the folder holds no run, or none of whose pictures was done.
        """
        if not reader.is_run(folder) or reader.summary_of(folder) is not None:
            return cls.of(folder)
        manifest = reader.manifest_of(folder)
        request = from_json(manifest)
        whole = whole_pictures(folder, request)
        if not whole:
            raise BadRequest(
                f"The run in {str(folder)!r} was stopped before its first picture was done.", "Resume it, or delete it."
            )
        facts = {
            "stopped": True,
            "n": len(whole),
            "label_source": manifest.label_source,
            "model": request.options.model,
            "prompts": request.options.prompts or "",
            "device": manifest.machine.device,
            "model_sha256": manifest.model.sha256,
            "run_dir": str(folder),
            "failed": [],
        }
        return cls(folder, manifest, Summary.of(facts), request, whole)

    @property
    def is_over(self) -> bool:
        """True unless the run was stopped before its end."""
        return self.whole is None

    def examples(self) -> list[Kept]:
        """Return the pictures that the run keeps for a report; raises BadRequest where their list leads out of its folder."""
        return kept_pictures.read(self.folder)

    def lines(self) -> Iterator[dict[str, str]]:
        """Yield the rows of rows.csv, one for each picture, attack and set of prompts, as column → text.

        Of a stopped run, the rows of a picture that was not done are left out.
        """
        return (line for line in reader.lines(self.folder) if self.whole is None or line["path"] in self.whole)
