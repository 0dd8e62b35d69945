"""The pictures of a run, batch by batch in their order, and read by threads one batch before they are wanted."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

import numpy as np

from capt_engine.data.images import Photo, file_bytes
from capt_engine.errors import BadImage
from capt_engine.evaluation.batch_limit import BatchLimit
from capt_engine.evaluation.course import Asked, Input
from capt_engine.evaluation.known import Known
from capt_engine.evaluation.picture_sets import picture_of
from capt_engine.evaluation.plan import Plan
from capt_engine.records import FailedPicture, PictureRow
from capt_engine.wrappers.quantized import unquantized
from capt_engine.wrappers.resizing import Resizing, pixels_for

Stored: TypeAlias = list[PictureRow]
Batch: TypeAlias = tuple[list[Input | Stored], list[FailedPicture]]
"""Pictures to be computed, or the rows of stored ones, in their order; and pictures that could not be used."""

Labelled: TypeAlias = tuple[str, int | None, int | None]
"""The path of a picture, the index of its class, and that of its target; None where there is no label, or no target of its own."""

# Decoding leaves Python's lock alone, and no device is faster than a few cores.
_MOST_THREADS = 8
_HEARTBEAT_S = 0.1


def read(
    work: Plan,
    subjects: Sequence[Labelled],
    reading: Callable[[], None],
    known: Known | None,
    limit: BatchLimit,
) -> Generator[Batch, None, None]:
    """Read the pictures `subjects` in batches, and yield each with those that could not be used.

    work: the plan; where it leaves the size of batches to choose, the first is one picture, each next one twice as many,
    and the last few go together. reading: called for each picture, and while one is waited for; what it raises ends the reading. known: the
    result store, which is asked for the rows of each picture. limit: how many pictures go through the models at once.

    Threads read the pictures of the next batch while this one is used, unless the store has rows of this one, so that
    the next need no decoding either; or unless pictures keep their own sizes, as two batches would be too large.
    """
    is_ahead = not isinstance(unquantized(work.classifier), Resizing)
    pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), "read")
    waiting: deque[tuple[Labelled, Future[Input]]] = deque()
    # Left to choose, begin with one picture and double: the first verdict is on screen while the rest is still being worked on.
    start, now = 0, min(work.batch or 1, limit.most)
    try:
        while start < len(subjects):
            found: list[Input | Stored] = []
            failed: list[FailedPicture] = []
            for subject in subjects[start : start + now]:
                reading()
                try:
                    if waiting:
                        one = _waited_for(waiting.popleft()[1], reading)
                        found.append(_stored(one, known) or one)
                    else:
                        found.append(_looked_up(work, subject, known))
                except BadImage as error:
                    failed.append(FailedPicture(subject[0], error.message, error.hint))
            start += now
            now = _next(now, len(subjects) - start, limit.most)
            if is_ahead and not any(isinstance(one, list) for one in found):
                waiting.extend(
                    (subject, pool.submit(_read, work, subject)) for subject in subjects[start : start + now]
                )
            yield found, failed
    finally:
        # A thread that waits for a slow disk keeps nobody waiting.
        pool.shutdown(wait=False, cancel_futures=True)


def _next(now: int, left: int, most: int) -> int:
    """The size of the batch behind one of `now` pictures: twice as many, and the last few together, `most` at the most.

    Of five pictures one and four are sooner done than one, two and two, and tell better how long many take.
    """
    wanted = 2 * now
    return max(1, min(left if left <= 2 * wanted else wanted, most))


def _read(work: Plan, subject: Labelled) -> Input:
    """A picture as the models see it; raises BadImage."""
    path, label, target = subject
    return Input(*pixels_for(work.classifier, path), label, target)


def _waited_for(picture: Future[Input], reading: Callable[[], None]) -> Input:
    while not wait([picture], _HEARTBEAT_S).done:
        reading()
    return picture.result()


def _stored(one: Input, known: Known | None) -> Stored | None:
    """The rows of a picture that is read already, where all are stored."""
    if known is None:
        return None
    asked = Asked(one.photo, one.label, one.target)
    return known.rows(asked, lambda: picture_of(one.seen), one.photo.path)


def _looked_up(work: Plan, subject: Labelled, known: Known | None) -> Input | Stored:
    """The rows of a picture where all are stored, else the picture; raises BadImage."""
    path, label, target = subject
    if known is None:
        return _read(work, subject)
    data = file_bytes(path)
    asked = Asked(Photo(path, hashlib.sha256(data).hexdigest(), 0, 0, np.empty((0, 0, 3), np.uint8)), label, target)
    rows = known.rows(asked, lambda: picture_of(pixels_for(work.classifier, path, data)[1]), path)
    return Input(*pixels_for(work.classifier, path, data), label, target) if rows is None else rows
