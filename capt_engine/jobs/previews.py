"""Small views of picture files, as they are found."""

from __future__ import annotations

import os

from capt_engine import records
from capt_engine.data.folders import collect
from capt_engine.data.given_labels import given
from capt_engine.data.images import read_photo, thumbnail
from capt_engine.errors import BadImage
from capt_engine.jobs import data_jobs
from capt_engine.jobs.context import Gathered, JobContext


def handle_preview(job: JobContext, request: records.PreviewRequest) -> records.PreviewResult:
    """Find the picture files of `request`, send their paths, then a small view of each; return how many can be read.

    Events leave through the job's `on_event`: PicturesFound once, with the labels that came along, then PreviewsReady. A
    file that cannot be read stands there with the reason; the result counts those too.
    """
    paths, labels = given(request.paths)
    found = collect(paths)
    skipped = tuple(records.FailedPicture(path, sentence) for path, sentence in (*found.skipped, *found.left_out))
    known = tuple((file, label) for file in found.files if (label := labels.get(os.path.realpath(file))))
    job.on_event(records.PicturesFound(job.id, found.files, skipped, known))
    small: Gathered[records.Preview | records.FailedPicture] = Gathered(
        lambda previews: job.on_event(records.PreviewsReady(job.id, previews)), data_jobs.GATHER_S
    )
    n_failed = len(skipped)
    for done, path in enumerate(found.files):
        job.progress(done, len(found.files), "reading pictures")
        one = _preview(path, request.size)
        n_failed += isinstance(one, records.FailedPicture)
        small.add(one)
    small.send()
    return records.PreviewResult(len(found.files) + len(skipped) - n_failed, n_failed)


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
