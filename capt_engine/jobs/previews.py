"""Small views of picture files, as they are found."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from capt_engine import records
from capt_engine.data.folders import Collection, RealPaths
from capt_engine.data.given_labels import labels_of, read_list
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.errors import BadImage
from capt_engine.jobs import data_jobs
from capt_engine.jobs.context import Gathered, JobContext

FIRST = 64
"""So many names of a larger folder leave as soon as they are found, and their pictures are shown before the search goes on."""

FIRST_S = 0.25
"""The search goes on after so many seconds of reading the first pictures."""


def handle_preview(job: JobContext, request: records.PreviewRequest) -> records.PreviewResult:
    """Find the picture files of `request`, send their paths and a small view of each; return how many can be read.

    Events leave through the job's `on_event`: PicturesFound, with the labels that came along, and PreviewsReady. Up to 64
    pictures are told of at once. More are told of while the others are looked for, and their labels once all are known. A
    file that cannot be read stands there with the reason; the result counts those too.
    """
    dropped = [read_list(path) for path in request.paths]
    search, real_paths = Collection(file for one in dropped for file in one.files), RealPaths()
    views = _Views(job, request.size)
    files: dict[str, str] = {}
    waiting: list[str] = []
    sent_s = -math.inf
    for real, path in search.files(real_paths):
        job.progress(0, 0, "looking for pictures")
        files[real] = path
        waiting.append(path)
        if len(files) > FIRST and time.monotonic() - sent_s >= data_jobs.GATHER_S:
            job.on_event(records.PicturesFound(job.id, tuple(waiting)))
            if not views.n_done:
                views.show(waiting, 0, FIRST_S)
            waiting, sent_s = [], time.monotonic()
    skipped = tuple(records.FailedPicture(path, sentence) for path, sentence in (*search.skipped, *search.left_out))
    labels = labels_of(dropped, real_paths)
    known = tuple((file, label) for real, file in files.items() if (label := labels.get(real)))
    job.on_event(records.PicturesFound(job.id, tuple(waiting), skipped, known))
    views.show(tuple(files.values()), len(files))
    return records.PreviewResult(len(files) - views.n_failed, len(skipped) + views.n_failed)


class _Views:
    """Small views of pictures that were found, in their order; so many are done, and of so many there is none."""

    def __init__(self, job: JobContext, size: int) -> None:
        self._job, self._size = job, size
        self.n_done = self.n_failed = 0

    def show(self, files: Sequence[str], total: int, most_s: float = math.inf) -> None:
        """Send views of those of `files` that are not done, until the time is up. total: of all pictures, 0 while it is not known."""
        small: Gathered[records.Preview | records.FailedPicture] = Gathered(
            lambda previews: self._job.on_event(records.PreviewsReady(self._job.id, previews)), data_jobs.GATHER_S
        )
        began_s = time.monotonic()
        for path in files[self.n_done :]:
            if time.monotonic() - began_s > most_s:
                break
            self._job.progress(self.n_done, total, "reading pictures")
            one = _preview(path, self._size)
            self.n_done += 1
            self.n_failed += isinstance(one, records.FailedPicture)
            small.add(one)
        small.send()


def _preview(path: str, size: int) -> records.Preview | records.FailedPicture:
    try:
        photo = read_photo(path)
    except BadImage as error:
        return records.FailedPicture(path, error.message, error.hint)
    small = thumbnail(photo, size)
    height, width, _ = small.shape
    return records.Preview(
        path, photo.width, photo.height, records.Picture(width, height, small.tobytes()), photo.notes
    )
