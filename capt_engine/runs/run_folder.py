"""A run on disk as it is being written: rows.csv (complete after every batch), pictures, summary.json, manifest.json."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from capt_engine.checks.from_rows import checked
from capt_engine.errors import BadRequest
from capt_engine.files import new_folder, refused, replacing, write_atomic
from capt_engine.formatting import csv_plain
from capt_engine.metrics.tally import Tally
from capt_engine.reading import read_json
from capt_engine.records import AnalyzeResult, FailedPicture, PictureRow, RunRequest
from capt_engine.runs.fooled_pictures import FooledPictures
from capt_engine.runs.kept_pictures import KeptPictures
from capt_engine.runs.manifest import as_json, digest, ended
from capt_engine.runs.manifest_records import Manifest
from capt_engine.runs.reader import ATTACKED, MANIFEST, ROWS, SUMMARY, is_run, lines, manifest_of
from capt_engine.runs.request_text import from_json
from capt_engine.runs.segments import continued, devices, segments_of, unlike
from capt_engine.runs.table import cells, csv_cells, csv_writer, trial

# What may differ between a run and its continuation. Device and precision change the last bits, so the manifest has them for each segment.
_FREE = (
    "skip", "batch_size", "device", "precision", "with_pictures", "keep", "resume", "checks", "cache",
    "deterministic", "keep_pictures",
)  # fmt: skip
# What no two runs share, or what only says where a picture lay: its SHA-256 says which it is.
_NOT_COMPARED = ("time_s", "path")
# The folders that runs of this process are writing now.
_WRITTEN: set[Path] = set()


class RunFolder:
    """Writes one run into a new or empty folder; what was added before an interruption stays readable, and can be gone on with.

    done: the paths of pictures that an interrupted run finished.
    """

    def __init__(self, folder: Path, request: RunRequest, manifest: Mapping[str, object], *, resume: bool) -> None:
        """Make the folder and its manifest, or take up an old one; raises BadRequest where it would overwrite something, CannotWrite."""
        self.path = folder
        self.done: tuple[str, ...] = ()
        self._failed: list[FailedPicture] = []
        self._count = 0
        # The manifest with the segment that begins here, until that has a row.
        self._resumed: Mapping[str, object] | None = None
        refuse_unless_free(folder, resume=resume)
        if resume:
            # Read as it is written: a long run's rows do not belong into memory.
            began, now = manifest_of(folder), Manifest.of(manifest)
            _begin_rows(folder, self._taken_up(request, began, now))
            self._resumed = {**began.as_written, "segments": continued(began, now, self._count)}
        else:
            with new_folder(folder) as begun:
                (begun / ATTACKED).mkdir()
                write_atomic(begun / MANIFEST, as_json(manifest))
                _begin_rows(begun, ())
        first = next(iter(request.labels), "")
        self._examples = KeptPictures(folder, seed=request.options.seed, attack=first, eps=request.headline)
        options = request.options
        self._fooled = FooledPictures(folder / ATTACKED, options.keep_pictures, options.seed)
        with refused(folder):
            self._file = (folder / ROWS).open("a", newline="", encoding="utf-8")
        self._rows = csv_writer(self._file)
        self._place = folder.absolute()
        _lock(self._file.fileno())
        _WRITTEN.add(self._place)

    def add(self, rows: Sequence[PictureRow | FailedPicture]) -> None:
        """Append `rows` to rows.csv, and write the adversarial pictures that fooled the model, as far as the request keeps them.

        The few pictures that a report shows are written too. A FailedPicture among the rows is remembered for the
        summary. Raises CannotWrite where the disk refuses.
        """
        finished = []
        with refused(self.path / ROWS):
            for row in rows:
                if isinstance(row, FailedPicture):
                    self._failed.append(row)
                    continue
                self._count += 1
                finished.append(csv_cells(cells(row)))
                self._examples.offer(row)
                if row.success and row.pictures is not None:
                    self._fooled.offer(self._count, row.path, row.pictures.adversarial)
            self._examples.save()
            if finished and self._resumed is not None:
                write_atomic(self.path / MANIFEST, as_json(self._resumed))
                self._resumed = None
            # Last: a picture with rows is not attacked again, so its own pictures must be there by then.
            self._rows.writerows(finished)
            self._file.flush()

    def counted(self, result: AnalyzeResult, compare: str | None) -> AnalyzeResult:
        """Return a copy of `result` with figures and checks counted over every row in the folder.

        Rows from before an interruption are among them; where those were computed on another device, in another
        precision or by another torch, a note says so. compare: the id of the prompts B to set beside A; None compares
        with nothing.
        """
        tally = Tally(trial(line) for line in lines(self.path))
        segments = segments_of(manifest_of(self.path))
        if note := unlike(segments):
            result = dataclasses.replace(result, notes=(*result.notes, note), device=devices(segments))
        return checked(tally, tally.scored(result, compare))

    def wants(self, row: PictureRow) -> bool:
        """Return True if the run folder would show the pictures of `row`, whether the attack fooled the model or not."""
        return self._examples.wants(row)

    def finish(self, summary: Mapping[str, object], result: AnalyzeResult | None = None) -> None:
        """Write the end of a run: its summary.json, and in manifest.json the time of the end and the hash of the rows.

        summary: the counts and intervals of the run; the key "failed" is added to it, a list of the pictures that could
        not be used, each with path and reason. result: its rows that came from the result store are counted in the
        manifest, beside those of the parts before. Raises CannotWrite where the disk refuses.
        """
        failed = [dataclasses.asdict(one) for one in self._failed]
        close_run(self.path, {**summary, "failed": failed}, 0 if result is None else result.rows_from_store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _WRITTEN.discard(self._place)
        with refused(self.path / ROWS):
            self._file.close()

    def _taken_up(self, request: RunRequest, began: Manifest, now: Manifest) -> Iterator[dict[str, str]]:
        """The rows of the pictures that are complete; raises BadRequest where the folder holds another run."""
        old = from_json(began).settings
        for name, value in request.settings.items():
            if name not in _FREE and value != old.get(name):
                raise BadRequest(
                    f"The run in {str(self.path)!r} was made with another {name.replace('_', ' ')}: "
                    f"{old.get(name)!r}, not {value!r}.",
                    "Give the command that it was started with.",
                )
        if began.lpips != now.lpips:
            raise BadRequest(
                f"The run in {str(self.path)!r} was measured with other LPIPS weights than those here now.",
                "Import the same two files again, or start the run anew.",
            )
        if began.plugins != now.plugins:
            raise BadRequest(
                f"The run in {str(self.path)!r} was made with other plug-ins than those here now.",
                "Install the same packages again (`capt doctor` lists what is here), or start the run anew.",
            )
        whole = whole_pictures(self.path, request)
        self._count = request.rows_per_picture * len(whole)
        self.done = tuple(csv_plain(path) for path in sorted(whole))
        return (line for line in lines(self.path) if line["path"] in whole)


def _begin_rows(folder: Path, kept: Iterable[dict[str, str]]) -> None:
    """Write rows.csv anew, so that there is always a whole file."""
    with replacing(folder / ROWS) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        csv_writer(file, header=True).writerows(kept)


def is_being_written(folder: Path) -> bool:
    """Return True if a run is writing the run folder `folder` now: one of this process, or of another where the system tells."""
    if folder.absolute() in _WRITTEN:
        return True
    try:
        with (folder / ROWS).open("rb") as file:
            return not _lock(file.fileno())
    except OSError:
        return False


def _lock(file: int) -> bool:
    """Lock an open file until it is closed or its process ends; False if another has locked it, True where nobody can."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # a file system without locks
        return True
    return True


def refuse_unless_free(folder: Path, *, resume: bool) -> None:
    """Raise BadRequest where no run can be written into `folder`; write nothing.

    Without `resume` the folder must be empty or not exist; with it the folder must hold a run to go on with.
    """
    try:
        if resume and not is_run(folder):
            raise BadRequest(f"{str(folder)!r} holds no run to go on with.", "Start it with --out instead.")
        if resume and is_being_written(folder):
            raise BadRequest(f"The run in {str(folder)!r} is going on.", "Cancel it first, or wait for its end.")
        if not resume and os.path.lexists(folder) and not folder.is_dir():
            raise BadRequest(f"{str(folder)!r} is no folder.", "Name a new folder; nothing is ever overwritten.")
        if not resume and folder.is_dir() and any(folder.iterdir()):
            raise BadRequest(f"{str(folder)!r} is not empty.", "Name a new folder; nothing is ever overwritten.")
    except OSError as error:
        raise BadRequest(f"{str(folder)!r} cannot be read: {error.strerror or error}.", "Check its rights.") from error


def close_run(folder: Path, summary: Mapping[str, object], from_store: int = 0) -> None:
    """Write summary.json into the run folder `folder`, and complete its manifest.

    The manifest gets the end time and the hashes of pictures and rows, so all rows must be in rows.csv by then.
    summary: plain JSON values. from_store: how many of the rows came from the result store, besides those that the
    manifest counts already. Raises CannotWrite where the disk refuses.
    """
    pictures: set[str] = set()
    marks = []
    for line in lines(folder):
        pictures.add(line["sha256"])
        marks.append(digest(text for name, text in line.items() if name not in _NOT_COMPARED))
    write_atomic(folder / SUMMARY, as_json(summary))
    manifest = read_json(folder / MANIFEST, dict[str, object])
    # In order of their marks, so that shards, batches and continuations do not matter.
    before = manifest.get("from_store")
    stored = from_store + (before if isinstance(before, int) else 0)
    write_atomic(folder / MANIFEST, as_json(ended(manifest, pictures, len(marks), digest(sorted(marks)), stored)))


def whole_pictures(folder: Path, request: RunRequest) -> frozenset[str]:
    """Return the paths, as rows.csv in `folder` has them, of the pictures with all rows that `request` wants of each.

    Raises BadRequest where the rows cannot be read.
    """
    counts = Counter(line["path"] for line in lines(folder))
    return frozenset(path for path, n in counts.items() if n == request.rows_per_picture)
